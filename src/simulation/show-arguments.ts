import { showValue } from '../model/check.ts';

/** Shows the arguments of a call: short, without signals. */
export function showArguments(args: readonly unknown[]): string {
  return args
    .filter((arg) => !(arg instanceof AbortSignal))
    .map(shown)
    .join(', ');
}

function shown(arg: unknown): string {
  if (typeof arg !== 'object' || arg === null) return showValue(arg);
  try {
    const text = JSON.stringify(arg, (_, value: unknown) =>
      value instanceof AbortSignal ? undefined : value,
    );
    if (text === undefined) return showValue(arg);
    return text.length > 60 ? `${text.slice(0, 59)}…` : text;
  } catch {
    return showValue(arg);
  }
}
