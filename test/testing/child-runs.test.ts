import { createFlow } from 'topple';
import { createFlowModel, explore, reportText, testFlow } from 'topple/testing';
import * as assert from 'uvu/assert';
import { FlowWorld } from '../../src/testing/model/flow-world.ts';
import { replayPath } from '../../src/testing/replay/replay.ts';
import { spec } from '../spec.ts';
import { childScenarios } from './child-scenarios.ts';
import { randomTreePath, seededRandom } from './random-tree-path.ts';

const test = spec('child runs');

const all = ['cancel', 'pause', 'stop', 'crash', 'rerun', 'out of time'] as const;

for (const scenario of childScenarios) {
  const { name, concurrency, pools } = scenario;
  const flow = scenario.make(createFlow);
  const limits = { concurrency, pools };

  test(`${name}: nothing is found, and the engine agrees on every path`, async () => {
    const model = createFlowModel(flow, { ...limits, commands: all });
    const { findings, isComplete, children } = model.explore({ commands: all });
    assert.equal([findings, isComplete], [[], true]);
    const paths = model.getTestPaths();
    for (const path of paths) await path.test();
    // Each ending of each child is on a path.
    assert.ok(children.every(({ endings }) => endings.length > 0));
    assert.ok(paths.some(({ steps }) => steps.some(({ taskId }) => taskId?.includes('/'))));
  });

  test(`${name}: the engine agrees on random paths through the tree`, async () => {
    const random = seededRandom(name.length);
    for (let turn = 0; turn < 40; turn++) {
      const world = new FlowWorld(flow.definition, limits);
      await replayPath(world, randomTreePath(world, random), limits);
    }
  });
}

const perform = (): unknown => undefined;
const leaf = createFlow('leaf')
  .task('a', { perform, retry: { maxAttempts: 2 } })
  .task('b', { dependsOn: ['a'], perform })
  .task('c', { dependsOn: ['a'], perform });

test('are explored alone: two of them cost a sum, and one flow is explored once', () => {
  const one = explore(createFlow('one').flow('p', { flow: leaf }));
  const two = explore(createFlow('two').flow('p', { flow: leaf }).flow('q', { flow: leaf }));
  const flat = explore(
    createFlow('flat')
      .task('a', { perform, retry: { maxAttempts: 2 } })
      .task('b', { dependsOn: ['a'], perform })
      .task('c', { dependsOn: ['a'], perform })
      .task('d', { perform, retry: { maxAttempts: 2 } })
      .task('e', { dependsOn: ['d'], perform })
      .task('f', { dependsOn: ['d'], perform }),
  );
  const [alone] = one.children;
  assert.equal(
    two.children.map(({ situations }) => situations),
    [alone?.situations, alone?.situations],
  );
  // Of the parents' own situations there are as many as of two tasks.
  assert.ok(two.situations < 60, `${two.situations}`);
  assert.ok(
    two.situations + (alone?.situations ?? 0) < flat.situations / 3,
    `${two.situations}, ${flat.situations}`,
  );
});

test('give their endings, each with a seed, to the task', () => {
  const child = createFlow('child', { totalTimeoutMs: 1_000 }).task('a', { perform });
  const flow = createFlow('parent')
    .flow('p', { flow: child })
    .map('m', { over: () => [], perform, tolerate: 1 });
  const { children, covered, notCovered } = explore(flow);
  const told = children.map(({ path, items, endings }) => [
    path,
    items,
    endings.map(({ status, cause, seed }) => [status, cause, seed]),
  ]);
  assert.equal(told, [
    [
      'p',
      undefined,
      [
        ['done', undefined, 'd0'],
        ['failed', undefined, 'f0'],
        ['cancelled', 'cancelled', 'c.h0'],
        ['failed', 'timeout', 'l.h0'],
      ],
    ],
    ['m', 0, [['done', undefined, '']]],
    [
      'm',
      1,
      [
        ['done', undefined, 'd0'],
        ['cancelled', 'cancelled', 'c.h0'],
      ],
    ],
    [
      'm',
      2,
      [
        ['done', undefined, 'd0.d1'],
        ['failed', undefined, 'f0.f1'],
        ['cancelled', 'cancelled', 'd0.c.h1'],
      ],
    ],
    [
      'm',
      3,
      [
        ['cancelled', 'cancelled', 'd0.d1.c.h2'],
        ['done', undefined, 'd0.d1.d2'],
        ['failed', undefined, 'd0.f1.f2'],
        ['failed', 'tolerance', 'f0.f1.h2'],
      ],
    ],
  ]);
  assert.ok(covered.some((sentence) => sentence.startsWith('the child of `m` alone (3 items): ')));
  assert.ok(notCovered.some((sentence) => sentence.startsWith('orders of the steps of a child')));
  assert.ok(notCovered.includes('lists of other lengths than those named'));
});

test('that fail only with more failures than are searched have a seed all the same', () => {
  const child = createFlow('child').task('a', { perform, retry: { maxAttempts: 5 } });
  const { children } = explore(createFlow('parent').flow('p', { flow: child }), {
    maxFailures: 1,
    outcomes: {},
  });
  assert.ok(children[0]?.endings.some(({ status }) => status === 'failed'));
});

test('of maps are explored with a tolerance that a few failures exceed, and the report says so', () => {
  const flow = createFlow('parent').map('m', { over: () => [], perform, tolerate: 1_000 });
  const { children, notCovered } = explore(flow);
  assert.equal(
    children.map(({ items }) => items),
    [0, 1, 3, 5, 6],
  );
  assert.ok(children.at(-1)?.endings.some(({ cause }) => cause === 'tolerance'));
  assert.ok(notCovered.some((sentence) => sentence.startsWith('the tolerance of `m` as it is')));
});

test('have findings that the parent reports, with a seed of its own', async () => {
  const tested = await testFlow(
    createFlow('parent')
      .task('x', { perform })
      .flow('p', { flow: leaf, dependsOn: ['x'] }),
  );
  assert.is(tested.isGood, true, tested.verdict);
  const text = reportText(tested);
  assert.match(text, 'covered: the child of `p` alone (flow leaf)');
  assert.match(text, 'in the run of `p` `b` fails');
});

test('stay in their bounds: without commands there is no cancelled child', () => {
  const { children } = explore(createFlow('parent').flow('p', { flow: leaf }), { commands: [] });
  const paths = createFlowModel(createFlow('parent').flow('p', { flow: leaf }), {
    commands: [],
  }).getTestPaths();
  assert.ok(children.length > 0);
  assert.ok(paths.every(({ steps }) => steps.every(({ kind }) => kind !== 'stop')));
});
