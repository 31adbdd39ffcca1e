import { createFlow, type Engine, type Entry, type Flow, type Run } from 'topple';
import type { VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { type AnyActor, createActor } from 'xstate';
import { spec } from '../spec.ts';
import { notingStore, storeOf } from '../support/cut-store.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('undo of a child run whose task ends between attempts, or out of time');

interface World {
  readonly told: string[];
  readonly flow: Flow;
}

type Limits = { readonly totalTimeoutMs?: number; readonly timeoutMs?: number; readonly backoff: number };

/** A child run with one effect and one failure, and a task that runs however it ends. */
function world(clock: VirtualClock, limits: Limits, lasts = 5): World {
  const told: string[] = [];
  const child = createFlow('child')
    .task('a', {
      perform: () => told.push('a'),
      compensate: async ({ signal }) => {
        await clock.sleep(10, signal);
        told.push('undo a');
      },
    })
    .task('b', {
      dependsOn: ['a'],
      perform: async ({ signal }) => {
        await clock.sleep(lasts, signal);
        throw new Error('b');
      },
    });
  const { backoff, ...times } = limits;
  const flow = createFlow('parent')
    .flow('child', { flow: child, optional: true, retry: { maxAttempts: 2, backoff }, ...times })
    .task('after', {
      dependsOn: ['child'],
      triggerRule: 'all_settled',
      perform: () => {
        told.push('after');
      },
    });
  return { told, flow: flow as never as Flow };
}

const endOf = (entries: readonly Entry[]): Entry =>
  entries.find(
    (entry) => 'taskId' in entry && entry.taskId === 'child' && /^task\.(failed|cancelled)$/.test(entry.type),
  ) as Entry;

test('comes before its task settles if the time of the task is over while it waits for a retry', async () => {
  const { clock, engine } = virtualEngine();
  const { told, flow } = world(clock, { totalTimeoutMs: 50, backoff: 1_000 });
  const run = await engine.start(flow, undefined, { id: 'r' });
  const view = await clock.run(run.settled());
  assert.equal(told, ['a', 'undo a', 'after']);
  assert.equal([view.status, view.endedAt, view.compensation], ['done', 60, undefined]);
  const { status, cause, attempts, child } = view.tasks.child ?? {};
  assert.equal([status, cause, attempts, child?.undo], ['failed', 'timeout', 1, 'done']);
  assert.equal(clock.pending, 0);
});

test('comes before its task is cancelled, even if the time of the task was over before', async () => {
  for (const totalTimeoutMs of [undefined, 15]) {
    const { clock, engine } = virtualEngine();
    const { told, flow } = world(clock, { ...(totalTimeoutMs && { totalTimeoutMs }), backoff: 1_000 });
    const run = await engine.start(flow, undefined, { id: 'r' });
    await clock.advance(20);
    run.cancel('enough');
    const view = await clock.run(run.settled());
    assert.equal(told, ['a', 'undo a']);
    assert.equal([view.status, view.endedAt], ['cancelled', totalTimeoutMs === undefined ? 30 : 25]);
    const { status, cause, child } = view.tasks.child ?? {};
    assert.equal([status, cause, child?.undo], ['cancelled', 'cancelled', 'done']);
  }
});

test('is the same in an interpreted run', async () => {
  const { clock } = virtualEngine();
  const { told, flow } = world(clock, { totalTimeoutMs: 50, backoff: 1_000 });
  const actor = createActor(flow.machine as never, { clock, input: undefined } as never) as never as AnyActor;
  actor.start();
  await clock.advance(100);
  assert.equal([actor.getSnapshot().status, actor.getSnapshot().value], ['done', 'done']);
  assert.equal(told, ['a', 'undo a', 'after']);
});

test('is stopped with the engine, and goes on', async () => {
  const { store } = notingStore();
  const { clock, engine } = virtualEngine({ store });
  const first = world(clock, { totalTimeoutMs: 50, backoff: 1_000 });
  await engine.start(first.flow, undefined, { id: 'r' });
  await clock.advance(55);
  await engine.stop();
  assert.equal(first.told, ['a']);
  const next = virtualEngine({ store });
  await next.clock.advance(55);
  const second = world(next.clock, { totalTimeoutMs: 50, backoff: 1_000 });
  const [run] = (await next.clock.run(next.engine.recover([second.flow]))) as Run[];
  const view = await next.clock.run((run as Run).settled());
  assert.equal(
    [view.status, view.tasks.child?.cause, view.tasks.child?.child?.undo],
    ['done', 'timeout', 'done'],
  );
  assert.equal(second.told, ['undo a', 'after']);
});

type Steer = (run: Run, clock: VirtualClock, engine: Engine) => Promise<void>;

const cases: readonly (readonly [
  name: string,
  limits: Limits,
  lasts: number,
  steer: Steer,
  cause: string,
])[] = [
  ['out of time between attempts', { totalTimeoutMs: 50, backoff: 1_000 }, 5, async () => {}, 'timeout'],
  [
    'cancelled between attempts',
    { backoff: 1_000 },
    5,
    async (run, clock) => {
      await clock.advance(20);
      run.cancel('enough');
    },
    'cancelled',
  ],
  ['out of time in its last attempt', { timeoutMs: 50, backoff: 10 }, 500, async () => {}, 'timeout'],
];

for (const [name, limits, lasts, steer, cause] of cases) {
  test(`goes on at every entry once its task was ${name}, with the same cause`, async () => {
    const { store, entries } = notingStore();
    const { clock, engine } = virtualEngine({ store });
    const run = await engine.start(world(clock, limits, lasts).flow, undefined, { id: 'r' });
    const settled = run.settled();
    await steer(run, clock, engine);
    const whole = await clock.run(settled);
    const from = entries.findIndex(({ type }) => /^run\.(cancelling|compensating)$/.test(type)) + 1;
    assert.ok(from > 0 && entries.length - from > 5);
    for (let cut = from; cut < entries.length; cut++) {
      const where = `cut after ${cut} ${JSON.stringify(entries[cut - 1]).slice(0, 120)}`;
      const kept = storeOf(entries.slice(0, cut));
      const again = virtualEngine({ store: kept.store });
      await again.clock.advance(200);
      const next = world(again.clock, limits, lasts);
      const [recovered] = (await again.clock.run(again.engine.recover([next.flow]))) as Run[];
      const view = recovered && (await again.clock.run(recovered.settled()));
      assert.is(view?.status, whole.status, where);
      const end = endOf(kept.store.read('r'));
      assert.equal([Reflect.get(end, 'cause'), Reflect.get(end, 'undo')], [cause, 'done'], where);
      const undone = [...new Set(kept.entries.filter(({ type }) => type === 'task.undone'))];
      assert.is(undone.length, 1, where);
    }
  });
}
