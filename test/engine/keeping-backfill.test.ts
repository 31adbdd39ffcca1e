// A snapshot that is restored into a store that takes its time: what that lacks is appended before anything starts.

import {
  createFlow,
  EngineStoppedError,
  type Entry,
  JournalError,
  type Run,
  StoreConflictError,
  StoreError,
} from 'topple';
import * as assert from 'uvu/assert';
import { type AnyActorLogic, type AnyActorRef, createActor } from 'xstate';
import type { PersistedRun } from '../../src/engine/persisted-run.ts';
import { spec } from '../spec.ts';
import { bodiesByHand, type LateStore, lateEngine, rest, watched } from '../support/late-store.ts';
import { append } from '../support/stores.ts';

const test = spec('a snapshot restored into a store that takes its time');

const broken = new Error('disk full');

/** An engine, and the snapshot of a run that has ended `a`; its store has as many entries of it as given. */
async function world(has: (entries: readonly Entry[]) => readonly Entry[]) {
  const bodies = bodiesByHand();
  const { perform } = bodies;
  const flow = createFlow('restored')
    .task('a', { perform })
    .task('b', { dependsOn: ['a'], perform });
  const first = lateEngine();
  const run = await first.store.landUntil(first.engine.start(flow, undefined, { id: 'r' }));
  await bodies.end('a');
  while (first.store.flights.length > 0) await first.store.landOne();
  const { actor } = run;
  const persisted = (actor as unknown as { getPersistedSnapshot(): PersistedRun }).getPersistedSnapshot();
  const { entries } = persisted.run;
  assert.equal(
    entries.map(({ type }) => type),
    ['run.started', 'task.ready', 'task.started', 'task.done', 'task.ready', 'task.started'],
  );
  void first.engine.stop();
  const { engine, store } = lateEngine();
  const kept = has(entries);
  if (kept.length > 0) append(store.memory, 'r', kept, 0);
  bodies.calls.length = 0;
  const logic = engine.logic(flow) as AnyActorLogic;
  const restore = () => {
    const restored = createActor(logic, { snapshot: persisted as never }) as AnyActorRef & {
      start(): void;
      stop(): void;
    };
    const told: { error?: unknown } = {};
    restored.subscribe({
      error: (error) => {
        told.error = error;
      },
    });
    restored.start();
    return { actor: restored, told };
  };
  return { engine, store, flow, restore, ...bodies };
}

type World = Awaited<ReturnType<typeof world>>;

/** Has the restored run go on to its end. */
async function goesOn({ engine, store, calls, end }: World, actor: AnyActorRef): Promise<void> {
  const run = (await engine.run('r')) as Run;
  assert.equal(calls, ['b']);
  await end('b');
  await store.landUntil(run.settled());
  assert.equal(actor.getSnapshot().context.tasks.b?.output, 'B');
  assert.equal(
    store.memory.read('r').map(({ type, seq }) => `${seq} ${type}`),
    [
      ...['1 run.started', '2 task.ready', '3 task.started', '4 task.done', '5 task.ready'],
      ...['6 task.started', '7 task.started', '8 task.done', '9 run.done'],
    ],
  );
}

test('goes on where the store has the same', async () => {
  const here = await world((entries) => entries);
  const { actor } = here.restore();
  await rest();
  assert.equal([here.store.calls, actor.getSnapshot().value], [['read', 'lastSeq'], 'running']);
  await goesOn(here, actor);
});

for (const has of [0, 2]) {
  test(`goes on once the store has the rest, where it has ${has}`, async () => {
    const here = await world((entries) => entries.slice(0, has));
    const { actor } = here.restore();
    await rest();
    const { given } = here.store.flights[0] as { given: { expectedSeq: number; seq: number } };
    assert.equal([given.expectedSeq, given.seq, here.calls, here.store.flights.length], [has, 6, [], 1]);
    assert.equal([actor.getSnapshot().value, actor.getSnapshot().context.tasks.a?.output], ['running', 'A']);
    await here.store.landOne();
    await goesOn(here, actor);
  });
}

/** Fails the append of what the store lacks. */
async function fail(store: LateStore, kept = false): Promise<void> {
  await rest();
  store.flights[0]?.fail(broken, kept);
  await rest();
}

test('asks what the store has when the append of what it lacks fails', async () => {
  for (const kept of [true, false]) {
    const here = await world((entries) => entries.slice(0, 2));
    const { actor } = here.restore();
    await fail(here.store, kept);
    assert.equal([here.calls, here.store.flights.length], [kept ? ['b'] : [], 1]);
    if (!kept) await here.store.landOne();
    await goesOn(here, actor);
  }
});

test('fails with the error of the store if that fails twice, or cannot tell', async () => {
  const twice = await world(() => []);
  const first = twice.restore();
  for (let failures = 0; failures < 2; failures++) await fail(twice.store);
  assert.instance(first.told.error, StoreError);
  assert.equal([twice.calls, await twice.engine.run('r')], [[], undefined]);

  const silent = await world(() => []);
  silent.store.tellLastSeq = () => Promise.reject(broken);
  const second = silent.restore();
  await rest();
  assert.instance(second.told.error, StoreError);
  assert.equal([(second.told.error as StoreError).cause, silent.calls, silent.store.count], [broken, [], 0]);
});

test('is refused where the store has more, or other entries', async () => {
  const more: Entry = { type: 'run.paused', at: 0, seq: 7, runId: 'r' };
  const other: Entry = { type: 'run.paused', at: 0, seq: 3, runId: 'r' };
  for (const has of [
    (entries: readonly Entry[]) => [...entries, more],
    (entries: readonly Entry[]) => [...entries.slice(0, 2), other],
  ]) {
    const { store, calls, restore } = await world(has);
    const { actor, told } = restore();
    await rest();
    assert.instance(told.error, JournalError);
    assert.is((told.error as JournalError).code, 'stale');
    assert.equal([actor.getSnapshot().status, calls, store.count], ['error', [], 0]);
  }
});

test('is refused while the run is under way, and disturbs it in nothing', async () => {
  const here = await world((entries) => entries);
  const { actor } = here.restore();
  const { told } = here.restore();
  await rest();
  assert.is((told.error as JournalError).code, 'under_way');
  await goesOn(here, actor);
});

test('is refused where the run has settled since, which the engine still has', async () => {
  const here = await world((entries) => entries);
  const { actor } = here.restore();
  await rest();
  await goesOn(here, actor);
  const settled = await here.engine.run('r');
  const { told } = here.restore();
  await rest();
  assert.is((told.error as JournalError).code, 'stale');
  assert.is(settled?.view().status, 'done');
  assert.is(await here.engine.run('r'), settled);
});

test('conflicts if the run is taken over before its first append', async () => {
  const { store, restore, calls, end } = await world((entries) => entries);
  const { told } = restore();
  await rest();
  assert.equal(calls, ['b']);
  append(store.memory, 'r', [{ type: 'run.paused', at: 0, seq: 7, runId: 'r' }], 6);
  await end('b');
  await store.landOne();
  assert.instance(told.error, StoreConflictError);
});

const moments: Record<string, (store: LateStore) => Promise<unknown>> = {
  'the store is read': async () => {},
  'what it lacks is appended': () => rest(),
};

for (const [moment, until] of Object.entries(moments)) {
  test(`takes commands that come while ${moment}, once the run continues`, async () => {
    const paused = await world((entries) => entries.slice(0, 2));
    const { actor } = paused.restore();
    await until(paused.store);
    actor.send({ type: 'run.pause' });
    await rest();
    await paused.store.landOne();
    assert.equal(paused.store.flights[0]?.types, ['run.paused']);
    await paused.store.landOne();
    assert.equal([actor.getSnapshot().value, paused.calls], ['paused', []]);
    actor.send({ type: 'run.resume' });
    await paused.store.landOne();
    assert.equal(paused.calls, ['b']);

    const cancelled = await world((entries) => entries.slice(0, 2));
    const other = cancelled.restore().actor;
    await until(cancelled.store);
    other.send({ type: 'run.cancel', reason: 'enough' });
    await cancelled.store.landUntil(((await cancelled.engine.run('r')) as Run).settled());
    const { value, context } = other.getSnapshot();
    assert.equal([value, context.reason, cancelled.calls], ['cancelled', 'enough', []]);
  });

  test(`is stopped while ${moment}: nothing starts, and the engine need not wait`, async () => {
    for (const by of ['engine', 'actor']) {
      const { engine, store, restore, calls } = await world((entries) => entries.slice(0, 2));
      const { actor } = restore();
      await until(store);
      const ended = watched(((await engine.run('r')) as Run).settled());
      if (by === 'actor') actor.stop();
      const stopped = watched(engine.stop());
      await rest();
      if (store.flights.length > 0) {
        assert.equal([stopped, ended], [{}, {}]);
        await store.landOne();
      }
      assert.instance(ended.error, EngineStoppedError);
      assert.equal(['value' in stopped, actor.getSnapshot().status, calls], [true, 'stopped', []]);
    }
  });
}

test('goes on paused or cancelling as it was left, and shows that from the start', async () => {
  const bodies = bodiesByHand();
  const flow = createFlow('left').task('a', { perform: bodies.perform });
  for (const type of ['run.pause', 'run.cancel'] as const) {
    const { engine, store } = lateEngine();
    const run = await store.landUntil(engine.start(flow, undefined, { id: 'r' }));
    run.actor.send({ type });
    await rest();
    while (store.flights.length > 0) await store.landOne();
    const snapshot = (run.actor as unknown as { getPersistedSnapshot(): object }).getPersistedSnapshot();
    void engine.stop();
    const next = lateEngine();
    const actor = createActor(next.engine.logic(flow), { snapshot: snapshot as never }).start();
    const status = type === 'run.pause' ? 'paused' : 'cancelling';
    const shown = () => [actor.getSnapshot().value, actor.getSnapshot().context.status];
    assert.equal(shown(), [status, status]);
    await rest();
    assert.equal(shown(), [status, status]);
    await next.store.landOne();
    if (type === 'run.pause') assert.equal(shown(), [status, status]);
    else {
      await next.store.landOne();
      assert.equal(shown(), ['cancelled', 'cancelled']);
    }
  }
});

test('keeps back nothing that is done: a settled snapshot asks the store for nothing', async () => {
  const { engine, store } = lateEngine();
  const flow = createFlow('done').task('a', { perform: () => 1 });
  const run = await store.landUntil(engine.start(flow, undefined, { id: 'r' }));
  await store.landUntil(run.settled());
  const snapshot = (run.actor as unknown as { getPersistedSnapshot(): object }).getPersistedSnapshot();
  const next = lateEngine();
  const actor = createActor(next.engine.logic(flow), { snapshot: snapshot as never }).start();
  await rest();
  assert.equal([actor.getSnapshot().status, next.store.count, next.store.calls], ['done', 0, []]);
});
