import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { isSameValue } from '../../src/model/same-value.ts';
import { createValueFormat } from '../../src/store/values.ts';
import { spec } from '../spec.ts';

const test = spec('the same value');

const values = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: true,
  withSparseArray: true,
  maxDepth: 3,
});

test('is found again in what a store reads back', () => {
  const format = createValueFormat();
  let count = 0;
  const property = fc.property(values, (value) => {
    let text: string;
    try {
      text = format.write(value);
    } catch {
      return;
    }
    count++;
    assert.ok(isSameValue(value, format.read(JSON.parse(text))), text);
  });
  fc.assert(property, { numRuns: 2_000, seed: 16 });
  assert.ok(count > 1_000, `${count} values could be written`);
});

test('is what Node takes for strictly equal, for values that JSON has', () => {
  const small = fc.jsonValue({
    maxDepth: 2,
    stringUnit: fc.constantFrom('a', 'b'),
    noUnicodeString: true,
  } as never);
  let equal = 0;
  const property = fc.property(small, small, (one, other) => {
    const isEqual = isDeepStrictEqual(norm(one), norm(other));
    if (isEqual) equal++;
    assert.is(isSameValue(one, other), isEqual);
  });
  fc.assert(property, { numRuns: 3_000, seed: 16 });
  assert.ok(equal > 20, `${equal} pairs were equal`);
});

/** Without `-0`, which is the same as 0 here. */
function norm(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

test('is one for errors, buffers, views and texts that say the same', () => {
  for (const make of [
    () => Object.assign(new RangeError('a', { cause: [1] }), { code: 'E' }),
    () => new Uint8Array([1, 2]).buffer,
    () => new DataView(new Uint8Array([1, 2]).buffer, 1),
    () => /a/g,
    () => new URL('http://a.b/c'),
    () => new URLSearchParams('a=1'),
    () => Object.create(null, { a: { value: 1, enumerable: true } }),
    () => Object('text'),
  ])
    assert.ok(isSameValue([make()], [make()]), String(make));
});

test('does not depend on the order of keys', () => {
  assert.ok(isSameValue({ a: 1, b: [2, { c: 3, d: 4 }] }, { b: [2, { d: 4, c: 3 }], a: 1 }));
  assert.is(isSameValue([1, 2], [2, 1]), false);
});

class Point {
  readonly x = 1;
}

for (const [what, one, other] of [
  ['a key that is undefined, and one that is missing', { a: undefined }, {}],
  ['keys of other names', { a: 1 }, { b: 1 }],
  ['an array and an object', [], {}],
  ['a hole and undefined', [undefined], new Array(1)],
  ['dates', new Date(1), new Date(2)],
  ['an invalid date and a valid one', new Date(Number.NaN), new Date(2)],
  ['maps', new Map([['a', 1]]), new Map([['a', 2]])],
  ['sets', new Set([1]), new Set([2])],
  ['sets of other sizes', new Set([1]), new Set()],
  ['promises', Promise.resolve(1), Promise.resolve(1)],
  ['sets of objects', new Set([{ a: 1 }]), new Set([{ a: 2 }])],
  ['bytes', new Uint8Array([1]), new Uint8Array([2])],
  ['arrays of other widths', new Uint8Array([1]), new Int8Array([1])],
  ['buffers', new Uint8Array([1]).buffer, new Uint8Array([2]).buffer],
  ['errors', new Error('a'), new Error('b')],
  ['errors with other fields', Object.assign(new Error('a'), { code: 1 }), new Error('a')],
  ['errors of other names', new Error('a'), new TypeError('a')],
  ['errors with other causes', new Error('a', { cause: 1 }), new Error('a', { cause: 2 })],
  ['expressions', /a/, /a/i],
  ['addresses', new URL('http://a.b'), new URL('http://a.c')],
  ['functions', () => 1, () => 1],
  ['instances of a class, whose private parts nobody sees', new Point(), new Point()],
  ['objects with symbols as keys', { [Symbol.iterator]: 1 }, { [Symbol.iterator]: 1 }],
  ['null and undefined', null, undefined],
  ['null and an object', null, {}],
  ['a text and a number', '1', 1],
  ['a number and a big one', 1, 1n],
  ['boxed numbers', Object(1), Object(2)],
] as const)
  test(`is not that of two ${what}`, () => {
    assert.is(isSameValue(one, other), false);
    assert.is(isSameValue({ in: [one] }, { in: [other] }), false);
    assert.ok(isSameValue({ in: [one] }, { in: [one] }));
  });

test('ends in cycles, and in values that are nested deeply', () => {
  const cycle = (length: number): unknown => {
    const first: { next?: unknown } = {};
    let last: unknown = first;
    for (let count = 1; count < length; count++) last = { next: last };
    first.next = last;
    return first;
  };
  // Both unfold to the same.
  assert.ok(isSameValue(cycle(2), cycle(3)));
  const deep = (end: unknown): unknown => {
    let value = end;
    for (let depth = 0; depth < 100_000; depth++) value = [value];
    return value;
  };
  assert.ok(isSameValue(deep(1), deep(1)));
  assert.is(isSameValue(deep(1), deep(2)), false);
  const wide = () => new Array<number>(300_000).fill(1);
  assert.ok(isSameValue(wide(), wide()));
});
