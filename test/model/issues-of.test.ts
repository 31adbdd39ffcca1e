import { ValueError } from 'topple';
import * as assert from 'uvu/assert';
import { issuesOf } from '../../src/model/error.ts';
import { spec } from '../spec.ts';

const test = spec('issues of a value that cannot be written');

test('have the keys of its place', () => {
  for (const [path, keys] of [
    ['', []],
    ['.rows[3].socket', ['rows', 3, 'socket']],
    ['["a b"].c', ['a b', 'c']],
    ['.map.get("k").x', ['map', 'get("k")', 'x']],
  ] as const)
    assert.equal(issuesOf(new ValueError(path, 'is a function')), [{ message: 'is a function', path: keys }]);
});

test('are of no other error', () => {
  const error = new RangeError('other');
  assert.throws(
    () => issuesOf(error),
    (thrown: unknown) => thrown === error,
  );
});
