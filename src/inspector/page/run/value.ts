import type { ValueFacts, ValueStub } from '../../protocol.ts';

/** A part of a value as a page shows it. */
export interface ShownValue {
  readonly kind: string;
  /** For one line. */
  readonly text: string;
  /** The parts, if they are here. */
  readonly parts: readonly (readonly [key: string, value: unknown, path: string])[] | undefined;
  /** The number of parts or characters, where the value has any. */
  readonly size: number;
  /** Whether the rest of it must be asked for. */
  readonly isAway: boolean;
}

/** The most characters of a text that are shown in a line. */
export const longText = 400;

/** Whether a value is a stub of the server's. */
export function isStub(value: unknown): value is ValueStub {
  if (typeof value !== 'object' || value === null || !('$value' in value)) return false;
  const facts = value.$value as Partial<ValueFacts> | null;
  return typeof facts === 'object' && facts !== null && typeof facts.kind === 'string';
}

/** Describes a value, one level deep. */
export function showValue(value: unknown, path: string): ShownValue {
  if (isStub(value)) return showStub(value.$value, path);
  if (Array.isArray(value)) {
    const parts = value.map((item, index) => [String(index), item, `${path}/${index}`] as const);
    return { kind: 'array', text: `[${value.length}]`, parts, size: value.length, isAway: false };
  }
  if (typeof value === 'object' && value !== null) {
    const parts = Object.entries(value).map(
      ([key, item]) => [key, item, `${path}/${escapePointer(key)}`] as const,
    );
    return { kind: 'object', text: `{${parts.length}}`, parts, size: parts.length, isAway: false };
  }
  if (typeof value === 'string')
    return {
      kind: 'string',
      text: JSON.stringify(value),
      parts: undefined,
      size: value.length,
      isAway: false,
    };
  return {
    kind: value === null ? 'null' : typeof value,
    text: String(value),
    parts: undefined,
    size: 0,
    isAway: false,
  };
}

function showStub({ kind, text, size = 0, bytes, fields }: ValueFacts, path: string): ShownValue {
  const isAway = bytes !== undefined;
  const parts = fields?.map(([key, value], index) => {
    const name = typeof key === 'string' ? key : showValue(key, '').text;
    return [name, value, `${path}/${typeof key === 'string' ? escapePointer(key) : index}`] as const;
  });
  const counted = kind === 'array' ? `[${size}]` : kind === 'object' ? `{${size}}` : kind;
  const words = text === undefined ? counted : kind === 'string' ? JSON.stringify(text) : text;
  return { kind, text: words, parts, size: parts?.length ?? size, isAway };
}

/** A key as a part of a JSON pointer. */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** A number of bytes for people. */
export function showBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
