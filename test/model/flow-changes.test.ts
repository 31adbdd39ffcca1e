import { createFlow, createFlowFromGraph } from 'topple';
import * as assert from 'uvu/assert';
import { flowChanges } from '../../src/model/flow-changes.ts';
import type { FlowOutline } from '../../src/model/flow-outline.ts';
import { outlineText } from '../../src/store/sqlite/outline-text.ts';
import { spec } from '../spec.ts';

const test = spec('changes of flows');
const perform = () => 1;
const flow = createFlow('f')
  .task('a', { perform })
  .task('b', { dependsOn: ['a'], perform })
  .task('c', { dependsOn: ['a', 'b'], triggerRule: 'all_settled', perform });

interface Defined {
  readonly definition: FlowOutline;
}

/** What a store on disk keeps. */
function stored({ definition }: Defined): FlowOutline {
  return JSON.parse(outlineText(definition) as string);
}

function changes(before: Defined, now: Defined): string[] {
  const told = flowChanges(stored(before), now.definition);
  assert.equal(flowChanges(before.definition, now.definition), told, 'from the definition as from the file');
  return told;
}

test('are told from outlines that have no defaults', () => {
  assert.equal(stored(flow), {
    name: 'f',
    hash: flow.definition.hash,
    settings: {},
    tasks: [
      { id: 'a' },
      { id: 'b', dependsOn: ['a'] },
      { id: 'c', dependsOn: ['a', 'b'], triggerRule: 'all_settled' },
    ],
  });
  const { concurrency, retry } = { concurrency: Number.POSITIVE_INFINITY, retry: { maxAttempts: 1 } };
  const plain = createFlow('f', { concurrency }).task('a', { retry, optional: false, priority: 0, perform });
  assert.equal(stored(plain).tasks, [{ id: 'a' }]);
  assert.equal(stored(plain).settings, {});
});

test('are none for the same flow', () => {
  assert.equal(changes(flow, flow), []);
});

test('are tasks added, removed, rewired, and rules', () => {
  const other = createFlow('f')
    .task('a', { perform })
    .task('b', { perform })
    .task('d', { dependsOn: ['b'], perform });
  assert.equal(changes(flow, other), [
    '`d` was added',
    '`c` was removed',
    '`b` depends on nothing, and did on `a`',
  ]);
  const ruled = createFlow('f')
    .task('a', { perform })
    .task('b', { dependsOn: ['a'], triggerRule: 'one_success', perform })
    .task('c', { dependsOn: ['b', 'a'], perform });
  assert.equal(changes(flow, ruled), [
    '`b` has the trigger rule `one_success`, and had `all_success`',
    '`c` depends on `b`, `a`, and did on `a`, `b`',
    '`c` has the trigger rule `all_success`, and had `all_settled`',
  ]);
});

test('are settings of tasks and of the flow', () => {
  const now = createFlow('f', { concurrency: 4, pools: { api: 2 }, totalTimeoutMs: 9 })
    .task('a', { retry: { maxAttempts: 3, maxElapsedMs: 50 }, timeoutMs: 5, perform })
    .task('b', { dependsOn: ['a'], optional: true, skippable: true, pool: 'api', perform })
    .task('c', { dependsOn: ['a', 'b'], triggerRule: 'all_settled', priority: 2, graceMs: 1, perform });
  assert.equal(changes(flow, now), [
    '`a` has `retry.maxAttempts` 3, and had none',
    '`a` has `retry.maxElapsedMs` 50, and had none',
    '`a` has `timeoutMs` 5, and had none',
    '`b` has `optional` true, and had none',
    '`b` has `skippable` true, and had none',
    '`b` has `pool` "api", and had none',
    '`c` has `graceMs` 1, and had none',
    '`c` has `priority` 2, and had none',
    'the flow has `concurrency` 4, and had none',
    'the flow has `pools` {"api":2}, and had none',
    'the flow has `totalTimeoutMs` 9, and had none',
  ]);
  assert.is(changes(now, flow)[0], '`a` has `retry.maxAttempts` none, and had 3');
});

test('are an order, of the tasks that both have', () => {
  const one = createFlow('f').task('a', { perform }).task('b', { perform });
  const other = createFlow('f').task('b', { perform }).task('a', { perform }).task('c', { perform });
  assert.equal(changes(one, other), ['`c` was added', 'tasks stand in another order']);
});

test('are told up to a hundred', () => {
  const ids = Array.from({ length: 120 }, (_, index) => `t${index}`);
  const many = createFlowFromGraph(
    { name: 'f', tasks: Object.fromEntries(ids.map((id) => [id, {}])) },
    perform,
  );
  const told = changes(createFlow('f').task('t0', { perform }), many);
  assert.equal([told.length, told[0], told.at(-1)], [101, '`t1` was added', '19 more']);
});

/** A flow whose types do not matter here. */
type Loose = {
  task(id: string, options: object): Loose;
  map(id: string, options: object): Loose;
  flow(id: string, options: object): Loose;
} & Defined;

const loose = (name: string): Loose => createFlow(name) as never;

/** A flow with a child, a map, and a map of that child. */
function tree(leaf: Loose, options: object = {}): Loose {
  return loose('tree')
    .flow('p', { flow: loose('middle').flow('in/ner', { flow: leaf }) })
    .map('m', { over: () => [1], perform, ...options })
    .map('of', { over: () => [1], perform: leaf });
}

const leafOf = (...ids: string[]): Loose => ids.reduce((all, id) => all.task(id, { perform }), loose('leaf'));

test('keep each flow that tasks run once, after those below it', () => {
  const outline = stored(
    tree(leafOf('a'), { concurrency: 3, tolerate: { share: 0.5 }, timeoutMs: 7, pool: 'x' }),
  );
  const leaf = leafOf('a');
  assert.equal(
    outline.flows?.map(({ name, tasks }) => [name, tasks]),
    [
      ['leaf', [{ id: 'a' }]],
      ['middle', [{ id: 'in/ner', body: { kind: 'flow', flow: leaf.definition.hash } }]],
    ],
  );
  assert.equal(outline.tasks.slice(1), [
    { id: 'm', timeoutMs: 7, pool: 'x', body: { kind: 'map', concurrency: 3, tolerate: { share: 0.5 } } },
    { id: 'of', body: { kind: 'map', flow: leaf.definition.hash } },
  ]);
  // As many paths as there are would never end.
  let flow = leafOf('a');
  for (let depth = 0; depth < 60; depth++) flow = loose('leaf').flow('x', { flow }).flow('y', { flow });
  assert.is(stored(flow).flows?.length, 60);
  assert.equal(changes(flow, flow), []);
});

test('are told of the flows that tasks run, with the tasks that lead there', () => {
  assert.equal(changes(tree(leafOf('a')), tree(leafOf('a'))), []);
  // The same two flows are compared once.
  assert.equal(changes(tree(leafOf('a')), tree(leafOf('a', 'send'))), ['in `of`: `send` was added']);
  const child = (...ids: string[]): Loose =>
    loose('one').flow('p', { flow: loose('middle').flow('in/ner', { flow: leafOf(...ids) }) });
  assert.equal(changes(child('a'), child('b')), [
    'in `p/in%2Fner`: `b` was added',
    'in `p/in%2Fner`: `a` was removed',
  ]);
});

test('are told of maps, and of tasks that become a run', () => {
  const m = { retry: { maxAttempts: 2 }, tolerate: 1 };
  assert.equal(changes(tree(leafOf('a')), tree(leafOf('a'), m)), [
    '`m` has `retry.maxAttempts` 2, and had none',
    '`m` has `tolerate` 1, and had none',
  ]);
  const body = loose('f').task('x', { perform });
  const flow = loose('f').flow('x', { flow: leafOf('a') });
  const map = loose('f').map('x', { over: () => [1], perform });
  const mapOf = loose('f').map('x', { over: () => [1], perform: leafOf('a') });
  const renamed = loose('f').flow('x', { flow: loose('y').task('a', { perform }) });
  assert.equal(changes(body, flow), ['`x` is a run of a flow, and was no run']);
  assert.equal(changes(flow, map), ['`x` is a map, and was a run of a flow']);
  assert.equal(changes(map, mapOf), ['`x` is a map of a flow, and was a map']);
  assert.equal(changes(mapOf, body), ['`x` is no run, and was a map of a flow']);
  assert.equal(changes(flow, renamed), ['`x` runs flow `y`, and ran `leaf`']);
});

test('are none where a store kept a flow before it knew of runs inside', () => {
  const before = { name: 'f', hash: 'other', tasks: [{ id: 'x' }, { id: 'y', dependsOn: ['x'] }] };
  const now = createFlow('f')
    .task('x', { perform })
    .task('y', { dependsOn: ['x'], perform });
  assert.equal(flowChanges(before, now.definition), []);
});
