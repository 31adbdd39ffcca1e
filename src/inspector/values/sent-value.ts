import { viewError } from '../../model/error.ts';
import { put } from '../../model/record.ts';
import type { ValueFacts, ValueStub } from '../protocol.ts';
import type { Redact } from './redact.ts';

/** What may be sent of a value. */
export interface SentRules {
  readonly redact?: Redact | undefined;
  /** The most bytes of JSON, about; a larger value becomes a stub. Infinity for none. */
  readonly maxBytes: number;
}

/** Maximum number of levels; what is deeper is cut, and can be looked at by its path. */
const maxDepth = 64;
/** Characters of a long text that its stub shows. */
const previewLength = 200;
/** Characters of the text of a date, a function's name or the like. */
const maxText = 1_000;

/**
 * Makes plain JSON data of any value, and never throws. What JSON lacks (maps, dates, `undefined`, cycles) and what is
 * too large becomes a `ValueStub`.
 *
 * @param path where the value is in its run, for `redact`
 */
export function sentValue(value: unknown, path: readonly string[], rules: SentRules): unknown {
  if (rules.redact === undefined && isShort(value)) return value;
  const budget = { bytes: rules.maxBytes };
  try {
    return new Copy(rules.redact, budget, [...path]).of(value);
  } catch (error) {
    if (error !== tooLarge) return stub({ kind: 'unreadable' });
  }
  const shown = redacted(rules.redact, path, value);
  return largeStub(shown);
}

/** Whether a value is sent as it is: most outputs are so small that they need no copy. */
function isShort(value: unknown): boolean {
  if (value === null || typeof value === 'boolean') return true;
  if (typeof value === 'string') return value.length <= previewLength;
  return typeof value === 'number' && Number.isInteger(value) && !Object.is(value, -0);
}

/** Thrown where the budget is used up. */
const tooLarge = Symbol('too large');

/** Copies a value part by part, and counts about how many bytes that takes. */
class Copy {
  readonly #redact: Redact | undefined;
  readonly #budget: { bytes: number };
  readonly #path: string[];
  readonly #above: object[] = [];

  constructor(redact: Redact | undefined, budget: { bytes: number }, path: string[]) {
    this.#redact = redact;
    this.#budget = budget;
    this.#path = path;
  }

  of(given: unknown): unknown {
    const value = redacted(this.#redact, this.#path, given);
    switch (typeof value) {
      case 'string':
        this.#spend(value.length + 2);
        return value;
      case 'number':
        this.#spend(8);
        return Number.isFinite(value) && !Object.is(value, -0)
          ? value
          : stub({ kind: 'number', text: Object.is(value, -0) ? '-0' : String(value) });
      case 'boolean':
        this.#spend(5);
        return value;
      case 'object':
        if (value === null) return null;
        return this.#ofObject(value);
      default:
        this.#spend(40);
        return stub(oddFacts(value));
    }
  }

  #ofObject(value: object): unknown {
    this.#spend(2);
    if (this.#above.includes(value)) return stub({ kind: 'cycle' });
    if (this.#above.length >= maxDepth) return stub({ kind: 'cut', ...sizeFacts(value) });
    this.#above.push(value);
    try {
      return this.#byKind(value);
    } catch (error) {
      if (error === tooLarge) throw error;
      return stub({ kind: 'unreadable' });
    } finally {
      this.#above.pop();
    }
  }

  #byKind(value: object): unknown {
    if (Array.isArray(value)) return this.#ofList(value);
    const kind = kindOf(value);
    if (kind === 'object') return this.#ofFields(value as Readonly<Record<string, unknown>>);
    if (kind === 'json') return this.of((value as { toJSON(): unknown }).toJSON());
    this.#spend(40);
    if (kind === 'map' || kind === 'set' || kind === 'error')
      return stub({
        kind,
        size: entriesOf(value, kind).length,
        fields: this.#ofEntries(entriesOf(value, kind)),
      });
    return stub(leafFacts(value, kind));
  }

  #ofList(list: readonly unknown[]): unknown {
    // Ahead of the work: a list of a million holes costs nothing to make.
    if (list.length * 2 > this.#budget.bytes) throw tooLarge;
    return Array.from(list, (item, index) => this.#at(String(index), item));
  }

  #ofFields(record: Readonly<Record<string, unknown>>): unknown {
    const keys = Object.keys(record);
    if (keys.length * 4 > this.#budget.bytes) throw tooLarge;
    const isStub = keys.includes('$value');
    const copied: Record<string, unknown> = {};
    const fields: (readonly [unknown, unknown])[] = [];
    for (const key of keys) {
      this.#spend(key.length + 4);
      const field = this.#at(key, read(record, key));
      if (isStub) fields.push([key, field]);
      else put(copied, key, field);
    }
    return isStub ? stub({ kind: 'object', size: keys.length, fields }) : copied;
  }

  #ofEntries(entries: readonly (readonly [unknown, unknown])[]): (readonly [unknown, unknown])[] {
    if (entries.length * 4 > this.#budget.bytes) throw tooLarge;
    return entries.map(([key, item]) => {
      const name = keyText(key);
      this.#spend(name.length + 4);
      return [name, this.#at(name, item)];
    });
  }

  #at(key: string, value: unknown): unknown {
    this.#path.push(key);
    const copied = this.of(value);
    this.#path.pop();
    return copied;
  }

  #spend(bytes: number): void {
    this.#budget.bytes -= bytes;
    if (this.#budget.bytes < 0) throw tooLarge;
  }
}

/** What to show of a value that is not sent. */
export function largeStub(value: unknown): ValueStub {
  const bytes = estimatedBytes(value);
  if (typeof value === 'string')
    return stub({ kind: 'string', text: value.slice(0, previewLength), size: value.length, bytes });
  if (typeof value !== 'object' || value === null) return stub({ kind: typeof value, bytes });
  const kind = safely(() => (Array.isArray(value) ? 'array' : kindOf(value)), 'object');
  return stub({ kind: kind === 'json' ? 'object' : kind, ...sizeFacts(value), bytes });
}

function stub($value: ValueFacts): ValueStub {
  return { $value };
}

function redacted(redact: Redact | undefined, path: readonly string[], value: unknown): unknown {
  return redact === undefined ? value : redact(path, value);
}

/** The kind of an object; `json` if it says itself how it is written, `object` if its fields are all there is. */
export function kindOf(value: object): string {
  if (value instanceof Date) return 'date';
  if (value instanceof Map) return 'map';
  if (value instanceof Set) return 'set';
  if (value instanceof Error) return 'error';
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return 'bytes';
  if (value instanceof RegExp) return 'regexp';
  if (value instanceof Promise) return 'promise';
  return typeof (value as { readonly toJSON?: unknown }).toJSON === 'function' ? 'json' : 'object';
}

/** Keys and values of a map, the items of a set, or the fields of an error. */
export function entriesOf(value: object, kind: string): readonly (readonly [unknown, unknown])[] {
  if (kind === 'map') return [...(value as Map<unknown, unknown>)];
  if (kind === 'set') return Array.from(value as Set<unknown>, (item, index) => [index, item] as const);
  const { name, message, stack } = viewError(value);
  const own = Object.keys(value).filter((key) => !['name', 'message', 'stack', 'cause'].includes(key));
  const cause = 'cause' in value ? [['cause', value.cause] as const] : [];
  return [
    ['name', name],
    ['message', message],
    ...(stack === undefined ? [] : [['stack', stack] as const]),
    ...cause,
    ...own.map((key) => [key, read(value as Readonly<Record<string, unknown>>, key)] as const),
  ];
}

/** The key of a map as text; the same text leads back to it. */
export function keyText(key: unknown): string {
  if (typeof key === 'string') return key;
  return typeof key === 'object' && key !== null ? safely(() => JSON.stringify(key), 'object') : String(key);
}

/** About how many bytes a value has as JSON. Looks at a bounded number of its parts, and goes on from these. */
export function estimatedBytes(value: unknown): number {
  const budget = { parts: 20_000 };
  return Math.round(safely(() => estimate(value, budget, 0), 0));
}

function estimate(value: unknown, budget: { parts: number }, depth: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 6;
  if (budget.parts-- <= 0 || depth > maxDepth) return 2;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  const kind = Array.isArray(value) ? 'array' : kindOf(value);
  const parts: readonly unknown[] = Array.isArray(value)
    ? value
    : kind === 'map' || kind === 'set'
      ? entriesOf(value, kind).flat()
      : Object.entries(value).flat();
  let bytes = 2;
  for (const [index, part] of parts.entries()) {
    if (budget.parts <= 0) return (bytes / Math.max(index, 1)) * parts.length;
    budget.parts--;
    bytes += 1 + estimate(part, budget, depth + 1);
  }
  return bytes;
}

function sizeFacts(value: object): { readonly size?: number } {
  const size = safely(() => {
    if (Array.isArray(value)) return value.length;
    if (value instanceof Map || value instanceof Set) return value.size;
    return Object.keys(value).length;
  }, undefined);
  return size === undefined ? {} : { size };
}

/** Facts about a value without fields of interest. */
export function leafFacts(value: object, kind: string): ValueFacts {
  if (kind === 'date') {
    const at = (value as Date).getTime();
    return { kind, text: Number.isNaN(at) ? 'Invalid Date' : (value as Date).toISOString() };
  }
  if (kind === 'bytes') return { kind, size: (value as ArrayBuffer).byteLength };
  return { kind, text: String(value).slice(0, maxText) };
}

/** Facts about a value that is no object, and has no JSON. */
export function oddFacts(value: unknown): ValueFacts {
  if (typeof value === 'bigint') return { kind: 'bigint', text: `${value}n`.slice(0, maxText) };
  if (typeof value === 'symbol') return { kind: 'symbol', text: String(value).slice(0, maxText) };
  if (typeof value === 'function')
    return { kind: 'function', text: safely(() => String(value.name), '').slice(0, maxText) };
  return { kind: typeof value };
}

/** A field; getters that throw give a text. */
export function read(record: Readonly<Record<string, unknown>>, key: string): unknown {
  return safely(() => record[key], '[unreadable]');
}

function safely<T>(get: () => T, otherwise: T): T {
  try {
    return get();
  } catch {
    return otherwise;
  }
}
