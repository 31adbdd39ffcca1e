import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { findShortestCycle } from '../../src/model/graph-cycle.ts';
import { readRows } from '../../src/model/graph-rows.ts';
import { spec } from '../spec.ts';

const test = spec('graph-cycle');

/** Rows of tasks `0`, `1` … from the numbers that each depends on. */
function rowsOf(dependsOn: readonly (readonly number[])[]) {
  return readRows(dependsOn.map((others, task) => ({ id: String(task), dependsOn: others.map(String) })));
}

test('finds none where there is none', () => {
  assert.equal(findShortestCycle(rowsOf([])), []);
  assert.equal(findShortestCycle(rowsOf([[], [0], [0, 1]])), []);
});

test('prefers the shortest, wherever it stands', () => {
  assert.equal(findShortestCycle(rowsOf([[2], [0], [1], [4], [3], [0]])), [3, 4]);
  assert.equal(findShortestCycle(rowsOf([[1], [0], [2]])), [2]);
});

test('prefers the first defined of equally short ones', () => {
  assert.equal(findShortestCycle(rowsOf([[], [4], [3], [2], [1]])), [1, 4]);
  assert.equal(findShortestCycle(rowsOf([[3, 4], [0], [0], [2], [1]])), [0, 1, 4]);
});

test('follows the edges, from a dependency to its dependent', () => {
  assert.equal(findShortestCycle(rowsOf([[1], [2], [0]])), [0, 2, 1]);
});

const anyGraph = fc.integer({ min: 1, max: 7 }).chain((size) => {
  const others = fc.uniqueArray(fc.nat({ max: size - 1 }), { maxLength: 3 });
  return fc.array(others, { minLength: size, maxLength: size });
});

test('agrees with a search through all cycles', () => {
  fc.assert(
    fc.property(anyGraph, (dependsOn) => {
      assert.equal(findShortestCycle(rowsOf(dependsOn)), firstOfAllCycles(dependsOn));
    }),
    { numRuns: 2_000 },
  );
});

/** Walks every simple cycle from its smallest task; what comes first in (length, task by task) order. */
function firstOfAllCycles(dependsOn: readonly (readonly number[])[]): number[] {
  const cycles: number[][] = [];
  const walk = (path: number[]) => {
    const [first, last] = [path[0] as number, path.at(-1) as number];
    for (const [next, others] of dependsOn.entries()) {
      if (!others.includes(last)) continue;
      if (next === first) cycles.push(path);
      else if (next > first && !path.includes(next)) walk([...path, next]);
    }
  };
  for (const first of dependsOn.keys()) walk([first]);
  // One digit a task: strings compare as their tasks do.
  const key = (cycle: number[]) => `${cycle.length} ${cycle.join('')}`;
  return cycles.sort((a, b) => (key(a) < key(b) ? -1 : 1))[0] ?? [];
}

test('is content with the shortest cycle so far when its patience ends', () => {
  // A ring of four, a ring of three, and edges both ways between them.
  const rows = rowsOf([[3, 6], [0], [1], [2], [6, 3], [4], [5]]);
  assert.equal(findShortestCycle(rows, 1), [0, 1, 2, 3]);
  assert.equal(findShortestCycle(rows), [4, 5, 6]);
});

test('comes soon upon the only cycle of 100,000 tasks', () => {
  const size = 100_000;
  const ring = Array.from({ length: size }, (_, task) => [(task + size - 1) % size]);
  assert.equal(findShortestCycle(rowsOf(ring), 2 * size), Array.from(ring.keys()));
});

test('sees a short cycle behind a long one', () => {
  const size = 50_000;
  const ring = Array.from({ length: size }, (_, task) => [(task + size - 1) % size]);
  ring[40_000]?.push(40_001);
  assert.equal(findShortestCycle(rowsOf(ring), 2 * size), [40_000, 40_001]);
});
