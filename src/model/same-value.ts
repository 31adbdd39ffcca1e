/**
 * Whether two values are the same when written: built of equal parts, whatever the order of an object's keys. Objects of
 * classes that have no written form are the same only if they are one object.
 */
export function isSameValue(one: unknown, other: unknown): boolean {
  /** Pairs that were met: each is compared once, which ends in cycles too. */
  const met = new Map<object, Set<object>>();
  // No recursion, so that values may be nested as deeply as they like.
  const left: [unknown, unknown][] = [[one, other]];
  for (let pair = left.pop(); pair !== undefined; pair = left.pop()) {
    const [a, b] = pair;
    if (Object.is(a, b) || a === b) continue;
    if (!isObject(a) || !isObject(b)) return false;
    const partners = met.get(a) ?? new Set();
    if (partners.has(b)) continue;
    met.set(a, partners.add(b));
    const parts = partsOf(a, b);
    if (parts === undefined) return false;
    for (const part of parts) left.push(part);
  }
  return true;
}

type Pairs = Iterable<[unknown, unknown]>;

/** The parts of two objects that must be the same in pairs; `undefined` if the objects differ anyway. */
function partsOf(a: object, b: object): Pairs | undefined {
  const tag = tagOf(a);
  if (tag !== tagOf(b)) return undefined;
  if (a instanceof Map && b instanceof Map) return paired([...a].flat(), [...b].flat());
  if (a instanceof Set && b instanceof Set) return paired([...a], [...b]);
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) return paired(bytesOf(a), bytesOf(b));
  if (a instanceof ArrayBuffer && b instanceof ArrayBuffer)
    return paired(new Uint8Array(a), new Uint8Array(b));
  if (a instanceof Error && b instanceof Error) return partsOfErrors(a, b);
  switch (tag) {
    case 'Array':
      return (a as unknown[]).length === (b as unknown[]).length ? fields(a, b) : undefined;
    case 'Object':
      return isPlain(a) && isPlain(b) ? fields(a, b) : undefined;
    case 'Date':
    case 'Number':
    case 'String':
    case 'Boolean':
    case 'BigInt':
      return [[a.valueOf(), b.valueOf()]];
    default:
      return hasText(tag) ? [[String(a), String(b)]] : undefined;
  }
}

function partsOfErrors(a: Error, b: Error): Pairs | undefined {
  const own = fields(a, b);
  return own && [[a.name, b.name], [a.message, b.message], [a.cause, b.cause], ...own];
}

/** Whether the text of such an object says all about it. */
function hasText(tag: string): boolean {
  return tag === 'RegExp' || tag === 'URL' || tag === 'URLSearchParams' || tag.startsWith('Temporal.');
}

function fields(a: object, b: object): [unknown, unknown][] | undefined {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length || hasSymbols(a) || hasSymbols(b)) return undefined;
  if (!keys.every((key) => Object.hasOwn(b, key))) return undefined;
  return keys.map((key) => [Reflect.get(a, key), Reflect.get(b, key)]);
}

function paired(a: ArrayLike<unknown>, b: ArrayLike<unknown>): [unknown, unknown][] | undefined {
  if (a.length !== b.length) return undefined;
  return Array.from(a, (value, index) => [value, b[index]]);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Whether it is an object as a literal makes it, perhaps of another realm. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function hasSymbols(value: object): boolean {
  return Object.getOwnPropertySymbols(value).length > 0;
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
