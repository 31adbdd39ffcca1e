import * as assert from 'uvu/assert';
import { plain } from '../../src/inspector/plain.ts';
import { spec } from '../spec.ts';

const test = spec('plain copy');

test('leaves plain data as it is', () => {
  const value = { text: 'a', list: [1, null, [true]], deep: { deeper: { n: 0.5 } }, none: undefined };
  assert.equal(plain(value), value);
  assert.is.not(plain(value).deep, value.deep);
});

test('puts words in place of what JSON cannot take', () => {
  const value = {
    big: 2n ** 64n,
    symbol: Symbol('s'),
    action: function greet() {},
    bytes: Buffer.from('abc'),
    date: new Date(0),
    get broken(): never {
      throw new Error('no');
    },
    list: [
      {
        toJSON() {
          throw new Error('no');
        },
      },
      1,
    ],
    gone: Proxy.revocable({}, {}),
  };
  value.gone.revoke();
  assert.equal(plain(value), {
    big: '18446744073709551616n',
    symbol: 'Symbol(s)',
    action: { type: 'greet' },
    bytes: '[Buffer of 3 bytes]',
    date: '1970-01-01T00:00:00.000Z',
    broken: '[unreadable]',
    list: ['[unreadable]', 1],
    gone: { proxy: '[unreadable]', revoke: { type: '' } },
  });
});

test('keeps name and message of an error', () => {
  const { error } = plain({ error: new TypeError('wrong') });
  assert.equal({ ...(error as object), stack: '' }, { name: 'TypeError', message: 'wrong', stack: '' });
});

test('ends cycles, and copies what is only shared', () => {
  const shared = { n: 1 };
  const value: Record<string, unknown> = { a: shared, b: [shared] };
  value.self = value;
  assert.equal(plain(value), { a: shared, b: [shared], self: '[circular]' });
});

test('takes what an object says of itself, once', () => {
  const itself = {
    n: 1,
    toJSON(): object {
      return this;
    },
  };
  assert.equal(plain({ toJSON: () => ({ n: 1 }) }), { n: 1 });
  assert.equal(plain({ itself }), { itself: { n: 1, toJSON: { type: 'toJSON' } } });
});

test('keeps keys such as __proto__ as keys', () => {
  const value = JSON.parse('{"__proto__":{"a":1},"in":{"__proto__":2}}');
  assert.is(JSON.stringify(plain(value)), JSON.stringify(value));
});

test('cuts what is deep, wide or long', () => {
  let deep: unknown = 'bottom';
  for (let level = 0; level < 11; level++) deep = [deep];
  const wide = Array.from({ length: 1_003 }, (_, n) => n);
  const keyed = Object.fromEntries(wide.map((n) => [`k${n}`, n]));
  const copied = plain({ deep, wide, keyed, long: 'x'.repeat(10_001) }) as {
    deep: unknown;
    wide: unknown[];
    keyed: Record<string, unknown>;
    long: string;
  };
  assert.is(JSON.stringify(copied.deep), '[[[[[[[[[["[cut]"]]]]]]]]]]');
  assert.equal([copied.wide.length, copied.wide.at(-1)], [1_001, '… 3 more']);
  assert.equal([Object.keys(copied.keyed).length, copied.keyed['…']], [1_001, '3 more']);
  assert.is(copied.long, `${'x'.repeat(10_000)}…`);
});

test('stops copying in time, property by property', () => {
  let web: unknown = 'end';
  for (let level = 0; level < 9; level++) web = Array.from({ length: 100 }, () => web);
  const { first, second } = plain({ first: web, second: { n: 1 } });
  assert.ok(JSON.stringify(first).length < 100_000);
  assert.equal(second, { n: 1 });
});

test('gives nothing of a value that cannot be looked into at all', () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  assert.equal(plain(proxy), {});
});
