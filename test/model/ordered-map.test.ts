import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as assert from 'uvu/assert';
import { OrderedMap } from '../../src/model/ordered-map.ts';
import { spec } from '../spec.ts';

setFlagsFromString('--expose-gc');
const collect: (options?: { readonly type: 'minor' }) => void = runInNewContext('gc');

const test = spec('ordered map');

test('has what came and has not gone, oldest first', () => {
  const map = new OrderedMap<string, number>();
  for (const [key, value] of Object.entries({ a: 1, b: 2, c: 3 })) map.set(key, value);
  assert.is(map.get('b'), 2);
  assert.is(map.delete('b'), true);
  assert.is(map.delete('b'), false);
  assert.is(map.get('b'), undefined);
  assert.equal([map.size, map.toArray()], [2, [1, 3]]);
  map.set('a', 4);
  assert.equal(
    [...map.entries()],
    [
      ['c', 3, 3],
      ['a', 4, 4],
    ],
  );
  assert.equal([map.shift(), map.shift(), map.shift()], ['c', 'a', undefined]);
});

test('is read from either end, and from behind any number', () => {
  const map = new OrderedMap<number, string>();
  for (let key = 0; key < 1_000; key++) map.set(key, `${key}`);
  for (let key = 0; key < 1_000; key++) if (key % 10 !== 0) map.delete(key);
  const numbers = (options: Parameters<typeof map.entries>[0]) =>
    Array.from(map.entries(options), ([, , number]) => number).slice(0, 2);
  assert.equal(numbers({}), [1, 11]);
  assert.equal(numbers({ newestFirst: true }), [991, 981]);
  assert.equal(numbers({ newestFirst: true, before: 981 }), [971, 961]);
  assert.equal(numbers({ newestFirst: true, before: 983 }), [981, 971]);
  assert.equal(numbers({ before: 1 }), []);
});

test('lets go of what has gone, without a full collection', () => {
  const map = new OrderedMap<number, number[]>();
  collect();
  const before = oldBytes();
  for (let i = 0; i < 10_000; i++) {
    map.set(
      i,
      Array.from({ length: 128 }, (_, place) => place + 0.5),
    );
    map.delete(i - 50);
    if (i % 100 === 0) collect({ type: 'minor' });
  }
  // 10 MB have passed; of a plain Map 7 MB have grown old by now.
  assert.ok(oldBytes() - before < 3e6, `${oldBytes() - before}`);
});

function oldBytes(): number {
  const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space');
  return space?.space_used_size ?? Number.NaN;
}
