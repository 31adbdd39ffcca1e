import type { ValuePage } from '../protocol.ts';
import type { Redact } from './redact.ts';
import { entriesOf, keyText, kindOf, leafFacts, oddFacts, read, sentValue } from './sent-value.ts';

/** A value in an entry, found by its path. Nothing outside of what `redact` shows can be found. */
export interface FoundValue {
  readonly value: unknown;
  /** Where it is in the run, for `redact`. */
  readonly path: readonly string[];
}

/** Which part of a value is asked for. */
export interface ValuePart {
  /** The first field, item or character. Default 0. */
  readonly from?: number | undefined;
  /** Fields and items at most: default 100, maximum 1,000; characters: default and maximum 65,536. */
  readonly count?: number | undefined;
}

const mostItems = 1_000;
const mostCharacters = 65_536;
/** Limit for each item of a page. */
const itemBytes = 1_024;

/** Reads a JSON pointer; `undefined` if it is none. */
export function readPointer(pointer: string): readonly string[] | undefined {
  if (!pointer.startsWith('/')) return undefined;
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Writes a part of a JSON pointer. */
export function pointerPart(key: string): string {
  return `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** Follows keys from a value inwards; `undefined` if it leads nowhere. */
export function findValue(
  start: FoundValue,
  keys: readonly string[],
  redact: Redact | undefined,
): FoundValue | undefined {
  let { value, path } = start;
  value = shown(value, path, redact);
  for (const key of keys) {
    const entry = partsOf(value)?.find(([name]) => keyText(name) === key);
    if (entry === undefined) return undefined;
    path = [...path, key];
    value = shown(entry[1], path, redact);
  }
  return { value, path };
}

/** One level of a found value. */
export function valuePage(
  { value, path }: FoundValue,
  pointer: string,
  part: ValuePart,
  redact: Redact | undefined,
): ValuePage {
  const from = part.from ?? 0;
  if (typeof value === 'string') {
    const count = Math.min(part.count ?? mostCharacters, mostCharacters);
    return { kind: 'string', size: value.length, from, text: value.slice(from, from + count) };
  }
  const parts = partsOf(value);
  if (parts === undefined) return leafPage(value);
  const count = Math.min(part.count ?? 100, mostItems);
  const items = parts.slice(from, from + count).map(([key, item]) => {
    const name = keyText(key);
    return [
      key,
      pointer + pointerPart(name),
      sentValue(item, [...path, name], { redact, maxBytes: itemBytes }),
    ] as const;
  });
  const kind = Array.isArray(value) ? 'array' : kindOf(value as object);
  return { kind: kind === 'json' ? 'object' : kind, size: parts.length, from, items };
}

function leafPage(value: unknown): ValuePage {
  const isObject = typeof value === 'object' && value !== null;
  if (isObject)
    return { kind: kindOf(value), size: 0, from: 0, value: { $value: leafFacts(value, kindOf(value)) } };
  const isJson = value === null || typeof value === 'boolean' || Number.isFinite(value);
  const sent = isJson
    ? value
    : { $value: typeof value === 'number' ? { kind: 'number', text: String(value) } : oddFacts(value) };
  return { kind: value === null ? 'null' : typeof value, size: 0, from: 0, value: sent };
}

/** Fields, items or entries of a value; `undefined` of one that has none by its kind. */
function partsOf(value: unknown): readonly (readonly [key: unknown, value: unknown])[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    if (Array.isArray(value)) return Array.from(value, (item, index) => [index, item] as const);
    const kind = kindOf(value);
    if (kind === 'map' || kind === 'set' || kind === 'error') return entriesOf(value, kind);
    if (kind === 'json') return partsOf((value as { toJSON(): unknown }).toJSON());
    if (kind !== 'object') return undefined;
    const record = value as Readonly<Record<string, unknown>>;
    return Object.keys(record).map((key) => [key, read(record, key)] as const);
  } catch {
    return [];
  }
}

function shown(value: unknown, path: readonly string[], redact: Redact | undefined): unknown {
  return redact === undefined ? value : redact(path, value);
}
