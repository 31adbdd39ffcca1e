import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { didYouMean, nearest } from '../../src/model/nearest.ts';
import { spec } from '../spec.ts';

const test = spec('nearest');

for (const [word, meant] of [
  ['biuld', 'build'],
  ['buld', 'build'],
  ['builds', 'build'],
  ['BUILD', 'build'],
  ['deplyo-al', 'deploy-all'],
] as const) {
  test(`takes ${word} for ${meant}`, () => {
    assert.is(nearest(word, ['test', 'build', 'deploy-all', 'xyz']), meant);
  });
}

test('finds nothing near', () => {
  assert.is(nearest('noexist', ['task1', 'existence']), undefined);
  assert.is(nearest('ab', ['ac', 'b']), undefined);
  assert.is(nearest('anything', []), undefined);
});

test('allows no more than four slips', () => {
  assert.is(nearest('a'.repeat(30), [`${'a'.repeat(26)}bbbb`]), `${'a'.repeat(26)}bbbb`);
  assert.is(nearest('a'.repeat(30), [`${'a'.repeat(25)}bbbbb`]), undefined);
});

test('takes the first of equally near ones', () => {
  assert.is(nearest('task-1', ['task-10', 'task-2', 'task-3']), 'task-10');
  assert.is(nearest('task', ['tusk', 'TASK', 'task']), 'TASK');
});

test('asks, or says something else', () => {
  assert.is(didYouMean('build', 'Nothing is near.'), 'Did you mean `build`?');
  assert.is(didYouMean(undefined, 'Nothing is near.'), 'Nothing is near.');
});

const shortWord = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 3, maxLength: 15 });

test('agrees with the whole table of distances', () => {
  fc.assert(
    fc.property(shortWord, fc.array(shortWord, { maxLength: 5 }), (word, candidates) => {
      const distances = candidates.map((candidate) => distanceOf(word, candidate));
      const least = Math.min(...distances);
      const isNear = least <= Math.min(4, Math.floor(word.length / 3));
      assert.is(nearest(word, candidates), isNear ? candidates[distances.indexOf(least)] : undefined);
    }),
    { numRuns: 2_000 },
  );
});

/** Optimal string alignment by its recurrence. */
function distanceOf(from: string, to: string): number {
  const known = new Map<string, number>();
  const upTo = (i: number, j: number): number => {
    if (i === 0 || j === 0) return i + j;
    const key = `${i} ${j}`;
    const wrong = from[i - 1] === to[j - 1] ? 0 : 1;
    const slips =
      known.get(key) ?? Math.min(upTo(i - 1, j) + 1, upTo(i, j - 1) + 1, upTo(i - 1, j - 1) + wrong);
    const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
    known.set(key, isSwap ? Math.min(slips, upTo(i - 2, j - 2) + 1) : slips);
    return known.get(key) as number;
  };
  return upTo(from.length, to.length);
}
