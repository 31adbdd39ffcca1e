import { keepsRule, parseNumber } from './number-rule.ts';

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Defines an option that takes a time, in milliseconds or with a unit. */
export function time(summary: string) {
  return {
    takes: 'TIME',
    summary: `${summary}: milliseconds, or with a unit: 500ms, 30s, 5m, 2h, 30d`,
    expects: (given: string) =>
      parseTime(given) > Number.MAX_SAFE_INTEGER
        ? `a time of at most ${Number.MAX_SAFE_INTEGER} ms`
        : 'a time of at least 1 ms, such as `30s` or `500` (milliseconds)',
    read: (given: string): number | undefined => {
      const ms = parseTime(given);
      return keepsRule(ms, { min: 1 }) ? ms : undefined;
    },
  } as const;
}

function parseTime(text: string): number {
  const [, amount = '', unit = 'ms'] = /^(\d+(?:\.\d+)?)(ms|s|m|min|h|d)?$/.exec(text) ?? [];
  return Math.round(parseNumber(amount) * (units[unit] as number));
}
