import { createFlow, createFlowFromGraph } from 'topple';
import * as assert from 'uvu/assert';
import { flowChanges } from '../../src/model/flow-changes.ts';
import { type FlowOutline, limitsOf, outlineOfTask } from '../../src/model/flow-outline.ts';
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
  const { name, hash, tasks } = definition;
  const outline = { name, hash, settings: limitsOf(definition), tasks: tasks.map(outlineOfTask) };
  return JSON.parse(JSON.stringify(outline));
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
