import { viewError } from '../model/error.ts';
import { put } from '../model/record.ts';

/** Maximum number of levels below the value itself. */
const maxDepth = 10;
/** Maximum number of entries of one list or object. */
const maxEntries = 1_000;
/** Maximum length of one string. */
const maxCharacters = 10_000;

const unreadable = '[unreadable]';

/**
 * Copies a value so that `JSON.stringify` takes it, whatever it holds: cycles, `BigInt`, getters that throw. Cuts deep,
 * long and large parts. Each property of the value has its own limit, so a large one does not shorten the others.
 *
 * @param maxValues maximum number of values in one property, on all its levels
 */
export function plain(value: object, maxValues = 10_000): Record<string, unknown> {
  const copied: Record<string, unknown> = {};
  const above: object[] = [value];
  const owner = attempt(() => jsonOf(value, ''), undefined);
  for (const key of attempt(() => keysOf(owner), [])) {
    const budget = { values: maxValues };
    put(
      copied,
      key,
      attempt(() => copy((owner as Fields)[key], key, above, budget), unreadable),
    );
  }
  return copied;
}

interface Fields {
  readonly [key: string]: unknown;
}

interface Budget {
  values: number;
}

function copy(value: unknown, key: string, above: object[], budget: Budget): unknown {
  if (budget.values-- <= 0) return '[cut]';
  switch (typeof value) {
    case 'string':
      return value.length > maxCharacters ? `${value.slice(0, maxCharacters)}…` : value;
    case 'bigint':
      return `${value}n`;
    case 'symbol':
      return String(value);
    case 'function':
      return { type: value.name };
    case 'object':
      return value === null ? null : copyObject(value, key, above, budget);
    default:
      return value;
  }
}

function copyObject(value: object, key: string, above: object[], budget: Budget): unknown {
  if (above.includes(value)) return '[circular]';
  if (ArrayBuffer.isView(value)) return `[${value.constructor.name} of ${value.byteLength} bytes]`;
  if (above.length > maxDepth) return '[cut]';
  above.push(value);
  try {
    const json = jsonOf(value, key);
    if (json !== value) return copy(json, key, above, budget);
    if (value instanceof Error) return viewError(value);
    const copyAt = (at: string): unknown =>
      attempt(() => copy((value as Fields)[at], at, above, budget), unreadable);
    return Array.isArray(value) ? copyList(value, copyAt) : copyFields(value, copyAt);
  } finally {
    above.pop();
  }
}

function copyList(list: readonly unknown[], copyAt: (key: string) => unknown): unknown[] {
  const length = Math.min(list.length, maxEntries);
  const copied = Array.from({ length }, (_, at) => copyAt(String(at)));
  if (list.length > length) copied.push(`… ${list.length - length} more`);
  return copied;
}

function copyFields(value: object, copyAt: (key: string) => unknown): object {
  const copied: Record<string, unknown> = {};
  const keys = Object.keys(value);
  for (const key of keys.slice(0, maxEntries)) put(copied, key, copyAt(key));
  if (keys.length > maxEntries) put(copied, '…', `${keys.length - maxEntries} more`);
  return copied;
}

/** The result of the value's `toJSON`; the value itself if it has none. */
function jsonOf(value: object, key: string): unknown {
  const { toJSON } = value as { readonly toJSON?: unknown };
  return typeof toJSON === 'function' ? toJSON.call(value, key) : value;
}

function keysOf(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value).slice(0, maxEntries) : [];
}

function attempt<T>(read: () => T, instead: T): T {
  try {
    return read();
  } catch {
    return instead;
  }
}
