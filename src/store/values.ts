import { DevalueError, stringify, unflatten } from 'devalue';
import { StoreError, ValueError } from '../model/error.ts';
import type { ValueFormat } from './store.ts';

/** Changes the text of a value before it is written, for example to encrypt or compress it. */
export interface Codec {
  encode(text: string): string;
  /** Returns the text that `encode` was given. */
  decode(text: string): string;
}

/** The only key of an object that stands for text in devalue's form. */
const RICH = '~devalue';
/** The only key of an object that stands for a codec's text. */
const CODED = '~coded';

/**
 * Makes the form in which stores on disk write values: always JSON. What JSON keeps as it is, is written as it is;
 * anything else (dates, maps, sets, big integers, `undefined`, typed arrays, errors, cycles, shared references) as
 * `{"~devalue": …}`, in the form of the library of that name; text of a codec as `{"~coded": "…"}`.
 *
 * `write` throws `ValueError` for what could not be read back: functions, symbols, promises and instances of classes.
 * `read` throws `StoreError` `value` for a codec's text without that codec.
 */
export function createValueFormat({ codec }: { readonly codec?: Codec | undefined } = {}): ValueFormat {
  if (codec === undefined) return { write, read };
  return {
    write: (value) => `{"${CODED}":${JSON.stringify(codec.encode(write(value)))}}`,
    read(json) {
      const coded = onlyValue(json, CODED);
      // Values written before there was a codec stay readable.
      return read(typeof coded === 'string' ? JSON.parse(codec.decode(coded)) : json);
    },
  };
}

function write(value: unknown): string {
  try {
    return isJson(value)
      ? JSON.stringify(value)
      : `{"${RICH}":${stringify(value, reducers, { operations })}}`;
  } catch (error) {
    throw refusal(error);
  }
}

function read(json: unknown): unknown {
  if (onlyValue(json, CODED) !== undefined) {
    throw new StoreError(
      'value',
      'A value was encoded by a codec: open the store with the `codec` that wrote it',
    );
  }
  const rich = onlyValue(json, RICH);
  return rich === undefined ? json : unflatten(rich as never, revivers);
}

/** The value of an object's only key, if that is its name. */
function onlyValue(given: unknown, key: string): unknown {
  if (typeof given !== 'object' || given === null || !Object.hasOwn(given, key)) return undefined;
  return Object.keys(given).length === 1 ? (given as Record<string, unknown>)[key] : undefined;
}

/** Whether JSON gives a value back as it is. Parts that stand in it twice are shared, which JSON would not keep. */
function isJson(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return isJsonLeaf(value);
  const seen = new Set<object>([value]);
  const left: object[] = [value];
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    if (!isPlain(part)) return false;
    for (const child of childrenOf(part)) {
      if (typeof child !== 'object' || child === null) {
        if (!isJsonLeaf(child)) return false;
      } else {
        if (seen.has(child)) return false;
        seen.add(child);
        left.push(child);
      }
    }
  }
  return true;
}

/** Whether an object has nothing that JSON drops or changes, apart from its values. */
function isPlain(given: object): boolean {
  if (Array.isArray(given))
    return Object.getPrototypeOf(given) === Array.prototype && Object.keys(given).length === given.length;
  if (Object.getPrototypeOf(given) !== Object.prototype) return false;
  return !('toJSON' in given) && !Object.hasOwn(given, '__proto__') && !isMark(given) && !hasSymbols(given);
}

/** Whether JSON would be read back as one of the two marks. */
function isMark(given: object): boolean {
  return onlyValue(given, RICH) !== undefined || onlyValue(given, CODED) !== undefined;
}

function hasSymbols(given: object): boolean {
  return Object.getOwnPropertySymbols(given).length > 0;
}

function childrenOf(given: object): readonly unknown[] {
  return Array.isArray(given) ? given : Object.values(given);
}

function isJsonLeaf(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    default:
      return value === null;
  }
}

interface WrittenError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly own: Readonly<Record<string, unknown>>;
}

const reducers = {
  Error: (value: unknown): WrittenError | false => {
    if (!(value instanceof Error)) return false;
    const { name, message, stack } = value;
    const own: Record<string, unknown> = { ...value };
    // These are not enumerable where the language makes them.
    if (value.cause !== undefined) own.cause = value.cause;
    if (value instanceof AggregateError) own.errors = value.errors;
    return { name, message, stack, own };
  },
  Buffer: (value: unknown): string | false =>
    typeof Buffer === 'function' && Buffer.isBuffer(value) && `b${value.toString('base64')}`,
};

const revivers = {
  Error({ name, message, stack, own }: WrittenError): Error {
    const error = new Error(message);
    Object.defineProperties(error, {
      name: { value: name, configurable: true, writable: true },
      stack: { value: stack, configurable: true, writable: true },
    });
    return Object.assign(error, own);
  },
  Buffer: (text: string): Uint8Array => Buffer.from(text.slice(1), 'base64'),
};

/** Where a built-in class is extended, the instance would be read back without what the class adds: that is refused. */
const operations = {
  tagOf(value: object): string {
    const tag = Object.prototype.toString.call(value).slice(8, -1);
    const builtIn = (globalThis as Record<string, unknown>)[tag] as
      | { readonly prototype?: object }
      | undefined;
    return tag === 'Object' || builtIn?.prototype === Object.getPrototypeOf(value) ? tag : 'Object';
  },
};

function refusal(error: unknown): ValueError {
  if (error instanceof RangeError) return new ValueError('', 'is nested too deeply to be written');
  if (!(error instanceof DevalueError)) throw error;
  const { path = '', value } = error as DevalueError & { readonly path?: string; readonly value?: unknown };
  return new ValueError(path, `is ${describe(value)}, which cannot be read back from a store`);
}

function describe(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (value instanceof Promise) return 'a promise';
  if (Object.hasOwn(value as object, '__proto__')) return 'an object with the key `__proto__`';
  const name = (value as { readonly constructor?: { readonly name?: string } }).constructor?.name;
  return name === undefined || name === 'Object'
    ? 'an object with symbols as keys'
    : `an instance of ${name}`;
}
