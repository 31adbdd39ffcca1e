import { viewError } from './error.ts';
import { createRecord, put } from './record.ts';

const unreadable = '[unreadable]';
const circular = '[circular]';

/** Maximum depth of a value that has to be copied; deeper levels are `[unreadable]`. */
const maxDepth = 500;

/**
 * Makes JSON of any value and never throws. The result is that of `JSON.stringify`, with these exceptions, each in its
 * own place: a `bigint` is the text `12n`, an error its name and message, a cycle `[circular]`, an unreadable or too
 * deep part `[unreadable]`. A value without JSON, such as `undefined` or a function, is `null` at the top.
 *
 * @param indent spaces for each level; without it, the JSON is one line
 */
export function toJson(value: unknown, indent?: number): string {
  return stringify(value, indent) ?? stringify(readable(value), indent) ?? `"${unreadable}"`;
}

/** The JSON, or `undefined` if there is none: a cycle, a getter that throws, too deep, longer than a string can be. */
function stringify(value: unknown, indent: number | undefined): string | undefined {
  try {
    return JSON.stringify(value, inWords, indent) ?? 'null';
  } catch {
    return undefined;
  }
}

function inWords(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (!(value instanceof Error)) return value;
  const { name, message } = viewError(value);
  return { name, message };
}

/** A copy that can be written as JSON. Parts that occur several times are copied once. */
function readable(root: unknown): unknown {
  const above = new Set<object>();
  const copies = new Map<object, unknown>();
  return copy(root, '');

  function copy(value: unknown, key: string): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (above.has(value)) return circular;
    if (copies.has(value)) return copies.get(value);
    if (above.size >= maxDepth) return unreadable;
    above.add(value);
    const made = attempt(() => copyObject(value, key));
    above.delete(value);
    copies.set(value, made);
    return made;
  }

  function copyObject(value: object, key: string): unknown {
    const said = inWords(key, sayItself(value, key));
    if (said !== value) return copy(said, key);
    if (Array.isArray(value)) return Array.from(value, (_, at) => copyPart(value, String(at)));
    const record = createRecord<unknown>(0);
    for (const name of Object.keys(value)) put(record, name, copyPart(value, name));
    return record;
  }

  function copyPart(owner: object, key: string): unknown {
    return attempt(() => copy((owner as Readonly<Record<string, unknown>>)[key], key));
  }
}

/** The result of the value's `toJSON`; the value itself if it has none. */
function sayItself(value: object, key: string): unknown {
  const { toJSON } = value as { readonly toJSON?: unknown };
  return typeof toJSON === 'function' ? toJSON.call(value, key) : value;
}

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return unreadable;
  }
}
