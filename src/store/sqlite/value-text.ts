import { StoreError, textOf } from '../../model/error.ts';
import type { ValueFormat } from '../store.ts';

const jsonNumber = /^-?\d/;

/**
 * Whether a row can hold the text of a value as JSON, so that a person can read it. Any other text is held as a string.
 *
 * A format's text may begin as an object, an array or a string of JSON only if it is JSON throughout.
 */
export function isJson(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  switch (text.charCodeAt(0)) {
    case 0x7b: // {
      return last === 0x7d;
    case 0x5b: // [
      return last === 0x5d;
    case 0x22: // "
      return last === 0x22 && text.length > 1;
    default:
      // What is not written as it was read, such as 007, is no number to a reader.
      if (jsonNumber.test(text)) return String(Number(text)) === text;
      return text === 'true' || text === 'false' || text === 'null';
  }
}

/** The JSON of a value. Throws `StoreError` `value` if there is none. */
export function jsonOf(value: unknown): string {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  const text = attempt(() => JSON.stringify(value) as string | undefined);
  if (text !== undefined) return text;
  throw new StoreError('value', `A ${typeof value} cannot be written as JSON`);
}

/** The value of a text that a format wrote. */
export function valueIn(text: string, format: ValueFormat | undefined): unknown {
  if (format !== undefined) return format.read(text);
  throw new StoreError(
    'value',
    'A value was written in a form of its own: open the store with the `values` that wrote it',
  );
}

function attempt<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw new StoreError('value', `A value cannot be written as JSON: ${textOf(error)}`, { cause: error });
  }
}
