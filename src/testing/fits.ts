import { showValue } from '../model/check.ts';

/** Stands for a value that is somebody else's to judge. */
export const unjudged = Symbol('unjudged');

/** Stands for any text that ends so. */
export class EndsWith {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** For whoever shows it as JSON. */
  toJSON(): string {
    return `… ${this.text}`;
  }
}

/** Whether a value is as expected: the same, or plain data of the same parts; what is missing is `undefined`. */
export function fits(found: unknown, expected: unknown): boolean {
  if (expected === unjudged || Object.is(found, expected)) return true;
  if (expected instanceof EndsWith) return typeof found === 'string' && found.endsWith(expected.text);
  if (!isPlain(found) || !isPlain(expected)) return false;
  return misfit(found, expected) === undefined;
}

/** The first part that is not as expected, in words; `undefined` where there is none. */
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
