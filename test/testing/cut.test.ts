// A search says what cut it, and does the same on every machine.

import { createFlow } from 'topple';
import { createFlowModel, explore, never, reportText, testFlow } from 'topple/testing';
import * as assert from 'uvu/assert';
import { exploreFlow } from '../../src/testing/search/explore.ts';
import { readOptions } from '../../src/testing/search/explore-options.ts';
import { spec } from '../spec.ts';

const test = spec('a search that is cut');

const perform = (): number => 1;

const flow = createFlow('order')
  .task('pay', { retry: { maxAttempts: 3 }, perform })
  .task('pack', { retry: { maxAttempts: 3 }, perform })
  .task('label', { priority: 1, perform })
  .task('ship', { dependsOn: ['pay', 'pack', 'label'], perform })
  .task('thank', { dependsOn: ['ship'], perform });

/** Broken by a path of four steps. */
const neverShips = never(({ tasks }) => tasks.ship?.status === 'done', 'never ships');

/** Has so much time pass each time that somebody asks for it; from the `late`-th time on very much. */
async function withSlowness<T>(
  msEach: number,
  look: () => T | Promise<T>,
  late = Number.POSITIVE_INFINITY,
): Promise<T> {
  const { now } = performance;
  let asked = 0;
  performance.now = () => ++asked * msEach + (asked < late ? 0 : 1e9);
  try {
    return await look();
  } finally {
    performance.now = now;
  }
}

for (const [option, value] of [
  ['maxDepth', 1],
  ['maxSituations', 20],
  ['maxMs', 1],
] as const) {
  test(`is not complete and not good, and says why: ${option}`, async () => {
    const look = () => testFlow(flow, { [option]: value, properties: [neverShips] });
    const tested = await (option === 'maxMs' ? withSlowness(0.1, look) : look());
    const { isGood, verdict, cutBy, exploration } = tested;
    assert.equal(
      [isGood, verdict, cutBy],
      [false, `not good: the search was cut by ${option} ${value}`, [{ option, value }]],
    );
    assert.equal([exploration.isComplete, exploration.cutBy], [false, cutBy]);
    assert.match(reportText(tested), `; cut by ${option} ${value}\n`);
    assert.match(reportText(tested), `✘ ${verdict}\n`);
  });
}

test('differs from a search with limits, which is complete', async () => {
  const bounds = { maxFailures: 1, maxCommands: 1, reduction: 'endings' } as const;
  const tested = await testFlow(flow, bounds);
  const limitedBy = Object.entries(bounds).map(([option, value]) => ({ option, value }));
  const { isGood, verdict, cutBy, exploration } = tested;
  assert.equal([isGood, cutBy, exploration.isComplete, exploration.limitedBy], [true, [], true, limitedBy]);
  assert.is(verdict, 'good within maxFailures 1, maxCommands 1 and reduction endings');
  assert.match(reportText(tested), `✔ ${verdict}\n`);
});

test('names no limit where there is none', async () => {
  const one = createFlow('one').task('a', { perform });
  const bounds = { maxFailures: Number.POSITIVE_INFINITY, commands: [], reduction: 'none' } as const;
  const { isGood, verdict, exploration } = await testFlow(one, bounds);
  assert.equal([isGood, verdict, exploration.limitedBy], [true, 'good', []]);
});

test('is cut where only a command could follow', () => {
  const one = createFlow('one').task('a', { perform });
  const bounds = { maxFailures: 0, maxDepth: 1, maxCommands: 1, commands: ['rerun'] } as const;
  assert.equal(explore(one, bounds).cutBy, [{ option: 'maxDepth', value: 1 }]);
});

test('is the same however slow the machine is, as long as there is time', async () => {
  const { elapsedMs: _, ...fast } = explore(flow);
  const { elapsedMs: __, ...slow } = await withSlowness(1, () => explore(flow));
  assert.equal(slow, fast);
  assert.equal([slow.reduction, slow.isComplete], ['situations', true]);
});

test('does not depend on the time of day', async () => {
  const { reduction, cutBy } = await withSlowness(1, () => explore(flow, { maxMs: 200 }));
  assert.equal([reduction, cutBy], ['situations', [{ option: 'maxMs', value: 200 }]]);
});

test('stops looking for every situation after a fixed number of steps, and keeps its findings', () => {
  let looks = 0;
  const once = never(() => looks++ === 3, 'seen by the first search alone');
  const given = { maxSituations: 220, properties: [once, neverShips] };
  const { reduction, isComplete, findings, notCovered, limitedBy } = explore(flow, given);
  assert.equal([reduction, isComplete], ['endings', true]);
  assert.equal(
    findings.map(({ property, seed }) => [property, seed.split('.').length]),
    [
      ['seen by the first search alone', 1],
      ['never ships', 4],
    ],
  );
  assert.match(notCovered[1] ?? '', /^every situation: the search for these was given up after \d+ steps$/);
  assert.equal(limitedBy.at(-1), { option: 'reduction', value: 'endings' });
});

test('makes the same test paths on every machine, or none', async () => {
  const seedsOf = () =>
    createFlowModel(flow)
      .getTestPaths()
      .map(({ seed }) => seed);
  assert.equal(await withSlowness(1, seedsOf), seedsOf());
  // Time is over while the search goes on, or while paths are made of it.
  for (const late of [10, 300]) {
    const error = await withSlowness(1, seedsOf, late).then(
      () => assert.unreachable(),
      (thrown) => thrown,
    );
    assert.match(error.message, 'The test paths of flow `order` are not all made after `maxMs` (120000)');
    const { isGood, verdict, exploration } = await withSlowness(1, () => testFlow(flow), late);
    const isInSearch = late === 10;
    assert.equal([isGood, exploration.isComplete], [false, !isInSearch]);
    assert.is(verdict, 'not good: the search was cut by maxMs 120000');
  }
});

test('counts the goals without a test path', () => {
  const bounds = readOptions('test', {});
  const { world, moves, covering, search } = exploreFlow(flow.definition, bounds, {}, 'tasks');
  const all = covering?.paths(world, moves, bounds, search.pathTo);
  const few = covering?.paths(world, moves, bounds, search.pathTo, 100);
  assert.equal([all?.left, all?.isCut, few?.isCut], [0, false, false]);
  assert.ok((few?.left ?? 0) > 0 && (few?.paths.length ?? 0) < (all?.paths.length ?? 0));
});
