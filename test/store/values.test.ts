import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { StoreError, ValueError } from 'topple';
import * as assert from 'uvu/assert';
import { createValueFormat } from '../../src/store/values.ts';
import { spec } from '../spec.ts';

const test = spec('values in a store');
const format = createValueFormat();
const back = (value: unknown): unknown => format.read(JSON.parse(format.write(value)));

test('that JSON keeps are written as JSON', () => {
  for (const value of [null, true, 0, -1.5, 'ä\u2028', [], {}, { a: [1, { b: 'c' }] }]) {
    assert.is(format.write(value), JSON.stringify(value));
    assert.equal(back(value), value);
  }
});

test('that JSON would change come back as they are', () => {
  const at = new Date(5);
  const shared = { at };
  const cyclic: Record<string, unknown> = { shared, again: shared, at };
  cyclic.self = cyclic;
  const read = back(cyclic) as typeof cyclic;
  assert.is(read.self, read);
  assert.is(read.shared, read.again);
  assert.equal(read.at, at);
  const values = [
    undefined,
    [undefined, 1],
    { a: undefined },
    Number.NaN,
    Number.POSITIVE_INFINITY,
    [-0],
    12n ** 40n,
    new Map<unknown, unknown>([[{ a: 1 }, new Set([1, 'b'])]]),
    new Uint8Array([1, 2, 255]),
    new Float64Array([0.5]),
    new URL('https://example.org/?a=1'),
    /a+/giu,
    { '~devalue': [1] },
    { '~coded': 'text' },
    Object.assign(Object.create(null), { a: 1 }),
    // A hole is no `undefined`.
    new Array(3),
  ];
  for (const value of values) {
    const written = format.write(value);
    assert.type(JSON.parse(written), 'object', written);
    assert.equal(format.read(JSON.parse(written)), value);
  }
  assert.ok(Object.is((back([-0]) as number[])[0], -0));
  const bytes = back({ bytes: Buffer.from('some bytes') }) as { bytes: Buffer };
  assert.ok(Buffer.isBuffer(bytes.bytes));
  assert.is(String(bytes.bytes), 'some bytes');
});

test('may be errors, with their causes and fields', () => {
  const cause = new RangeError('too far');
  const error = Object.assign(new TypeError('wrong', { cause }), { code: 'E_WRONG', at: new Date(1) });
  const read = back({ error }) as { error: TypeError & { code: string; at: Date } };
  assert.instance(read.error, Error);
  assert.equal([read.error.name, read.error.message, read.error.code], ['TypeError', 'wrong', 'E_WRONG']);
  assert.is(read.error.stack, error.stack);
  assert.equal(read.error.at, new Date(1));
  assert.is((read.error.cause as Error).message, 'too far');
  const several = back(new AggregateError([new Error('one')], 'all')) as AggregateError;
  assert.is(several.errors[0].message, 'one');
});

class Socket {
  readonly port = 1;
}
class Dictionary extends Map {}

test('that cannot be read back are refused, with their place', () => {
  const refused: [unknown, string, RegExp][] = [
    [() => 1, '', /^The value is a function, which cannot be read back from a store$/],
    [{ rows: [1, { call: () => 1 }] }, '.rows[1].call', /`\.rows\[1\]\.call` of the value is a function/],
    [{ a: { b: new Socket() } }, '.a.b', /is an instance of Socket/],
    [[new Dictionary()], '[0]', /is an instance of Dictionary/],
    [{ s: Symbol('s') }, '.s', /is a symbol/],
    [{ p: Promise.resolve(1) }, '.p', /is a promise/],
    [{ a: { [Symbol('s')]: 1 } }, '.a', /is an object with symbols as keys/],
    [{ a: JSON.parse('{"__proto__": 1}') }, '.a', /is an object with the key `__proto__`/],
    [{ when: new (class extends Date {})() }, '.when', /is an instance of/],
  ];
  for (const [value, path, message] of refused) {
    const error = refusalOf(value);
    assert.instance(error, ValueError);
    assert.is((error as ValueError).path, path);
    assert.match((error as ValueError).message, message);
  }
  let deep: unknown = 1;
  for (let level = 0; level < 100_000; level++) deep = [deep];
  assert.match((refusalOf(deep) as ValueError).message, /nested too deeply/);
  const thrown = new Error('getter');
  const trap = {
    get a(): never {
      throw thrown;
    },
  };
  assert.is(refusalOf(trap), thrown);
});

test('come back as they are, whatever they hold', () => {
  const values = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withNullPrototype: true,
    withSparseArray: true,
  });
  fc.assert(
    fc.property(values, (value) => {
      assert.equal(back(value), value);
    }),
    { seed: 15, numRuns: 2_000 },
  );
});

test('can be encrypted, and what was written before stays readable', () => {
  const key = randomBytes(32);
  const codec = {
    encode(text: string): string {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, iv);
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
    },
    decode(coded: string): string {
      const bytes = Buffer.from(coded, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
      decipher.setAuthTag(bytes.subarray(12, 28));
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
    },
  };
  const sealed = createValueFormat({ codec });
  const value = { email: 'ada@example.org', at: new Date(3) };
  const written = sealed.write(value);
  assert.not.match(written, /ada/);
  assert.equal(sealed.read(JSON.parse(written)), value);
  assert.equal(sealed.read(JSON.parse(format.write(value))), value);
  assert.equal(sealed.read(JSON.parse(format.write([1]))), [1]);
  const forged = JSON.parse(written) as { '~coded': string };
  forged['~coded'] = `AAAA${forged['~coded'].slice(4)}`;
  assert.throws(() => sealed.read(forged), /authenticate/);
});

test('that a codec wrote are not taken for values without it', () => {
  const coded = createValueFormat({ codec: { encode: (text) => text, decode: (text) => text } }).write(1);
  const isRefused = (error: unknown): boolean => {
    assert.instance(error, StoreError);
    assert.equal(
      [(error as StoreError).code, (error as StoreError).message],
      ['value', 'A value was encoded by a codec: open the store with the `codec` that wrote it'],
    );
    return true;
  };
  assert.throws(() => format.read(JSON.parse(coded)), isRefused);
});

function refusalOf(value: unknown): unknown {
  try {
    format.write(value);
    return undefined;
  } catch (error) {
    return error;
  }
}
