import * as assert from 'uvu/assert';
import { toJson } from '../../src/model/json.ts';
import { spec } from '../spec.ts';

const test = spec('JSON of any value');

test('is that of JSON.stringify for what JSON can hold', () => {
  const values = [
    null,
    1,
    'a\u009b\ud800',
    [1, [], {}],
    { b: { c: true }, a: [undefined, () => 1], u: undefined },
  ];
  for (const value of [...values, new Date(0), new Date(Number.NaN), Number.NaN, new Map([[1, 2]])]) {
    assert.is(toJson(value), JSON.stringify(value));
    assert.is(toJson(value, 2), JSON.stringify(value, null, 2));
  }
});

test('is null where there is none', () => {
  assert.equal(
    [undefined, () => 1, Symbol('s')].map((value) => toJson(value)),
    ['null', 'null', 'null'],
  );
});

test('has a bigint and an error in words', () => {
  const value = { big: 12n, failed: [new TypeError('inside')] };
  assert.is(toJson(value), '{"big":"12n","failed":[{"name":"TypeError","message":"inside"}]}');
  assert.is(toJson(5n), '"5n"');
});

test('says in the place of each part that cannot be written why, and keeps the rest', () => {
  const shared = { n: 1n };
  const self: Record<string, unknown> = { __proto__: null, list: [shared, shared], at: new Date(0) };
  Object.defineProperty(self, '__proto__', { value: 'own', enumerable: true });
  self.deep = { list: [self] };
  self.error = new RangeError('outside');
  const gone = Proxy.revocable({}, {});
  gone.revoke();
  const value = {
    self,
    gone: gone.proxy,
    getter: {
      a: 1,
      get b() {
        throw new Error('not now');
      },
    },
    words: { toJSON: (key: string) => ({ key, self }) },
    broken: {
      toJSON: () => {
        throw new Error('not now');
      },
    },
    drop: undefined,
  };
  assert.is(
    toJson(value),
    JSON.stringify({
      self: {
        list: [{ n: '1n' }, { n: '1n' }],
        at: new Date(0),
        ['__proto__']: 'own',
        deep: { list: ['[circular]'] },
        error: { name: 'RangeError', message: 'outside' },
      },
      gone: '[unreadable]',
      getter: { a: 1, b: '[unreadable]' },
      words: {
        key: 'words',
        self: {
          list: [{ n: '1n' }, { n: '1n' }],
          at: new Date(0),
          ['__proto__']: 'own',
          deep: { list: ['[circular]'] },
          error: { name: 'RangeError', message: 'outside' },
        },
      },
      broken: '[unreadable]',
    }),
  );
});

test('ends where a value is deep', () => {
  let deep: object = {};
  for (let level = 0; level < 100_000; level++) deep = { deep };
  const shown = toJson(deep);
  assert.is(shown.split('deep').length - 1, 500);
  assert.match(shown, '"[unreadable]"');
});

test('gives up where it would be longer than a text can be', () => {
  const { stringify } = JSON;
  JSON.stringify = () => {
    throw new RangeError('Invalid string length');
  };
  try {
    assert.is(toJson({ a: 1 }), '"[unreadable]"');
  } finally {
    JSON.stringify = stringify;
  }
});
