import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { compare } from './oracle.ts';

const test = spec('comparison with the interpreter');

test('is compared strictly: keys count, also where their value is undefined', () => {
  assert.is(compare({ a: [1, { b: undefined }] }, { a: [1, { b: undefined }] }, 'x'), undefined);
  assert.is(compare({ a: 1 }, { b: 1 }, 'x'), 'x.a is missing');
  assert.is(compare({ a: undefined }, {}, 'x'), 'x: {} was expected, but is {}');
  assert.is(compare([1, 2], [1, 3], 'x'), 'x.1: 2 was expected, but is 3');
});
