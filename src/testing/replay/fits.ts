import { showValue } from '../../model/check.ts';

/** Stands for a value that is not compared here. */
export const unjudged = Symbol('unjudged');

/** Stands for any text with this ending. */
export class EndsWith {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Shows it in JSON. */
  toJSON(): string {
    return `… ${this.text}`;
  }
}

/** Whether a value is as expected: the same, or plain data of the same parts; a missing part is `undefined`. */
export function fits(found: unknown, expected: unknown): boolean {
  if (expected === unjudged || Object.is(found, expected)) return true;
  if (expected instanceof EndsWith) return typeof found === 'string' && found.endsWith(expected.text);
  if (!isPlain(found) || !isPlain(expected)) return false;
  return misfit(found, expected) === undefined;
}

/** Describes the first part that is not as expected; `undefined` if there is none. */
export function misfit(found: object, expected: object): string | undefined {
  for (const part of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    const [is, should] = [found, expected].map((whole) => (whole as Record<string, unknown>)[part]);
    if (!fits(is, should)) return `\`${part}\` ${showValue(is)}, where ${showValue(should)} was expected`;
  }
  return undefined;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value));
}
