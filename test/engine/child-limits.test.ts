// Trees that are deep or wide.

import { createFlow, createMemoryStore, type Flow, type PerformScope, type Run } from 'topple';
import * as assert from 'uvu/assert';
import type { ItemScope } from '../../src/model/perform.ts';
import { spec } from '../spec.ts';
import { lateStore } from '../support/late-store.ts';
import { storeOver } from '../support/stores.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('trees of runs');

/** So many flows, each in the one before. */
function nested(depth: number, perform: (scope: PerformScope) => unknown): Flow {
  let flow = createFlow('leaf').task('x', { perform }) as never as Flow;
  for (let level = 0; level < depth; level++)
    flow = createFlow('f').flow('n', { flow } as never) as never as Flow;
  return flow;
}

test('of 2,000 levels start, hold, end, go on and are looked at without a deep stack', async () => {
  const store = createMemoryStore();
  const { clock, engine } = virtualEngine({ store });
  const keys: string[] = [];
  const flow = nested(2_000, ({ idempotencyKey, signal }) => {
    keys.push(idempotencyKey);
    return clock.sleep(100, signal);
  });
  const begin = async (id: string): Promise<Run> => {
    const run = (await engine.start(flow, undefined, { id })) as Run;
    await clock.advance(1);
    return run;
  };
  const run = await begin('r');
  run.pause();
  await clock.advance(1);
  run.resume();
  assert.is((await clock.run(run.settled())).status, 'done');
  assert.equal(keys, [`r${'/n'.repeat(2_000)}/x`]);
  const cancelled = await begin('c');
  cancelled.cancel('enough');
  assert.is((await clock.run(cancelled.settled())).status, 'cancelled');
  assert.is(store.read(`c${'/n#1'.repeat(2_000)}`).at(-1)?.type, 'run.cancelled');
  await begin('s');
  await engine.stop();
  const later = virtualEngine({ store });
  const next = nested(2_000, () => 1);
  const [again] = (await later.engine.recover([next])) as Run[];
  assert.is((await later.clock.run((again as Run).settled())).status, 'done');
});

test('leave the memory of a long root where a store has them', async () => {
  const store = lateStore();
  const { clock, engine } = virtualEngine({ store });
  const inner = createFlow('inner').task('x', { perform: ({ input }) => input });
  const flow = createFlow('root')
    .map('each', { over: () => [1, 2, 3], perform: inner as never })
    .task('after', { dependsOn: ['each'], perform: ({ signal }) => clock.sleep(10, signal) });
  const run = (await engine.start(flow as never as Flow, undefined, { id: 'r' })) as Run;
  await clock.advance(5);
  assert.is(run.view().tasks.after?.status, 'running');
  const before = store.calls.length;
  const settled = (await engine.run('r/each#1/1#1')) as Run;
  assert.equal([settled.view().status, store.calls.slice(before).includes('read')], ['done', true]);
  assert.equal(run.view().tasks.each?.child?.counts?.done, 3);
  await clock.run(run.settled());
  run.rerun(['each']);
  await clock.run(run.settled());
  assert.is(run.view().tasks.each?.child?.runId, 'r/each#2');
});

test('keep what a parent has recorded first, and before a body in a child is called', async () => {
  const memory = createMemoryStore();
  const order: string[] = [];
  const store = storeOver(memory, {
    append: (given) => {
      order.push(given.runId);
      memory.append(given);
    },
  });
  const { clock, engine } = virtualEngine({ store });
  const inner = createFlow('inner')
    // Ends at once, as its parent begins.
    .map('none', { over: () => [], perform: ({ item }: ItemScope) => item })
    .task('x', {
      perform: ({ runId }) => memory.read(runId).map(({ type }) => type),
    });
  // Nothing in it ends as it begins.
  const plain = createFlow('plain').task('x', {
    perform: ({ runId }) => memory.read(runId).map(({ type }) => type),
  });
  const flow = createFlow('root').flow('child', { flow: inner }).flow('plain', { flow: plain });
  const run = (await engine.start(flow as never as Flow, undefined, { id: 'r' })) as Run;
  const { tasks } = await clock.run(run.settled());
  assert.equal(
    [...new Set(order)].filter((id) => id !== 'r/plain#1'),
    ['r', 'r/child#1', 'r/child#1/none#1'],
  );
  for (const id of ['child', 'plain']) {
    const output = tasks[id]?.output as { x: string[] } | undefined;
    assert.equal(output?.x.slice(0, 2), ['run.started', 'task.ready'], id);
  }
});
