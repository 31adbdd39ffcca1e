import { createFlow, createFlowFromGraph } from 'topple';
import * as assert from 'uvu/assert';
import { describeChanges, outlineOf } from '../../src/model/flow-outline.ts';
import { spec } from '../spec.ts';

const test = spec('outlines of flows');
const perform = () => 1;
const flow = createFlow('f')
  .task('a', { perform })
  .task('b', { dependsOn: ['a'], perform })
  .task('c', { dependsOn: ['a', 'b'], triggerRule: 'all_settled', perform });
const before = outlineOf(flow.definition);

test('have what the hash covers', () => {
  assert.equal(before, {
    flow: 'f',
    hash: flow.definition.hash,
    tasks: [
      { id: 'a' },
      { id: 'b', dependsOn: ['a'] },
      { id: 'c', dependsOn: ['a', 'b'], triggerRule: 'all_settled' },
    ],
  });
  assert.equal(JSON.parse(JSON.stringify(before)), before);
});

test('say how a flow has changed', () => {
  const changes = (other: typeof flow | { readonly definition: typeof flow.definition }): string =>
    describeChanges(before, outlineOf(other.definition));
  assert.is(changes(flow), '');
  const other = createFlow('f')
    .task('a', { perform })
    .task('b', { perform })
    .task('d', { dependsOn: ['b'], perform });
  assert.is(
    changes(other as never),
    '`d` was added; `c` was removed; `b` depends on nothing, and did on `a`',
  );
  const ruled = createFlow('f')
    .task('a', { perform })
    .task('b', { dependsOn: ['a'], triggerRule: 'one_success', perform })
    .task('c', { dependsOn: ['b', 'a'], perform });
  assert.is(
    changes(ruled as never),
    '`b` has the trigger rule `one_success`, and had `all_success`; `c` depends on `b`, `a`, and did on `a`, `b`; ' +
      '`c` has the trigger rule `all_success`, and had `all_settled`',
  );
});

test('say that only the order has changed, and list no more than can be read', () => {
  const two = createFlow('f').task('a', { perform }).task('b', { perform });
  const turned = createFlow('f').task('b', { perform }).task('a', { perform });
  assert.is(
    describeChanges(outlineOf(two.definition), outlineOf(turned.definition)),
    'its tasks stand in another order',
  );
  const ids = Array.from({ length: 9 }, (_, index) => `t${index}`);
  const many = createFlowFromGraph(
    { name: 'f', tasks: Object.fromEntries(ids.map((id) => [id, {}])) },
    perform,
  );
  const text = describeChanges(
    outlineOf(createFlow('f').task('a', { perform }).definition),
    outlineOf(many.definition),
  );
  assert.is(
    text,
    '`t0` was added; `t1` was added; `t2` was added; `t3` was added; `t4` was added; and 5 more',
  );
});
