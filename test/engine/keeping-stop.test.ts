// A store that takes its time, and an engine or an actor that is stopped meanwhile.

import {
  createEngine,
  createFlow,
  type Engine,
  EngineStoppedError,
  type Run,
  StoreConflictError,
  StoreError,
} from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { type AnyActorLogic, type AnyActorRef, createActor, setup } from 'xstate';
import { ownerOf } from '../../src/engine/actor-owner.ts';
import type { LiveRun } from '../../src/engine/live-run.ts';
import { spec } from '../spec.ts';
import { bodiesByHand, type LateStore, lateEngine, lateStore, rest, watched } from '../support/late-store.ts';
import { append } from '../support/stores.ts';
import { silent } from '../support/virtual.ts';

const test = spec('a stop while an append is under way');

const broken = new Error('disk full');

type Options = Parameters<typeof lateEngine>[0];

/** A run with the end of `a` under way, and that of `b` recorded behind it. */
async function world(options: Options = {}) {
  const { engine, store } = lateEngine(options);
  const bodies = bodiesByHand();
  const { perform } = bodies;
  const flow = createFlow('stopped')
    .task('a', { perform })
    .task('b', { perform })
    .task('c', { dependsOn: ['a'], perform });
  const run = (await store.landUntil(engine.start(flow, undefined, { id: 'r' }))) as Run;
  await store.landBefore('task.started');
  await store.landOne();
  await bodies.end('a');
  await bodies.end('b');
  assert.equal(store.flights[0]?.types, ['task.done', 'task.ready']);
  return { engine, store, run, flow, ended: watched(run.settled()), ...bodies };
}

/** A run whose end is under way. */
async function ending(options: Options = {}) {
  const { engine, store } = lateEngine(options);
  const flow = createFlow('end').task('a', { perform: () => 1 });
  const run = (await store.landUntil(engine.start(flow, undefined, { id: 'r' }))) as Run;
  await store.landBefore('run.done');
  return { engine, store, run, ended: watched(run.settled()) };
}

/** What recovers from what was kept, on a store that returns at once. */
async function recovered(store: LateStore, flow: Parameters<Engine['recover']>[0][number]): Promise<Run> {
  const clock = createVirtualClock();
  const engine = createEngine({ store: store.memory, clock, logger: silent });
  const [run] = (await engine.recover([flow])) as readonly Run[];
  return run as Run;
}

const inspections: readonly Options[] = [{}, { inspect: () => {} }];

test('waits for the append, appends the rest, and then rejects: nothing starts', async () => {
  for (const options of inspections) {
    const { engine, store, ended, flow, calls } = await world(options);
    const stopped = watched(engine.stop());
    await rest();
    assert.equal([stopped, ended, store.flights.length], [{}, {}, 1]);
    await store.landOne();
    assert.equal([stopped, ended, store.flights[0]?.types], [{}, {}, ['task.done']]);
    await store.landOne();
    assert.instance(ended.error, EngineStoppedError);
    assert.equal(['value' in stopped, calls, store.flights.length], [true, ['a', 'b'], 0]);
    const run = await recovered(store, flow);
    const { tasks } = run.view();
    assert.equal([tasks.a?.output, tasks.b?.output, tasks.c?.status], ['A', 'B', 'pending']);
  }
});

test('in the first append lets `start` resolve with a run that was stopped', async () => {
  const { engine, store } = lateEngine();
  const { perform, calls } = bodiesByHand();
  const flow = createFlow('first').task('a', { perform });
  const starting = watched(engine.start(flow, undefined, { id: 'r' }));
  await rest();
  const stopped = watched(engine.stop());
  await rest();
  assert.equal([starting, stopped], [{}, {}]);
  await store.landOne();
  const error = await (starting.value as Run).settled().catch((reason: unknown) => reason);
  assert.instance(error, EngineStoppedError);
  assert.equal(['value' in stopped, calls, store.flights.length], [true, [], 0]);
  assert.is((await recovered(store, flow)).view().tasks.a?.status, 'pending');
});

test('lets a run settle whose end is under way', async () => {
  for (const options of inspections) {
    const { engine, store, ended, run } = await ending(options);
    const told: string[] = [];
    run.on('run.done', ({ type }) => told.push(type));
    const stopped = watched(engine.stop());
    await rest();
    assert.equal([stopped, ended], [{}, {}]);
    await store.landOne();
    assert.equal([(ended.value as { status: string }).status, told], ['done', ['run.done']]);
    assert.equal(['value' in stopped, run.actor.getSnapshot().status], [true, 'done']);
  }
});

test('ends a run whose end is under way and fails with the error of the store', async () => {
  for (const options of inspections) {
    const { engine, store, ended, run } = await ending(options);
    const stopped = watched(engine.stop());
    for (let failures = 0; failures < 2; failures++) {
      await rest();
      store.flights[0]?.fail(broken);
    }
    await rest();
    assert.instance(ended.error, StoreError);
    assert.equal(['value' in stopped, run.actor.getSnapshot().status], [true, 'error']);
  }
});

test('waits no longer than `storeTimeoutMs` for a store that hangs, and tells nobody what lands after it', async () => {
  for (const options of inspections) {
    for (const make of [world, ending]) {
      const { engine, store, ended, run } = await make(options);
      const told: string[] = [];
      run.on('*', ({ type }) => told.push(type));
      const { seq } = run;
      await engine.stop({ storeTimeoutMs: 1 });
      await rest();
      assert.instance(ended.error, StoreError);
      assert.match(
        (ended.error as StoreError).message,
        /has not kept the last entries of run "r" within 1 ms/,
      );
      const { count } = store;
      await store.landOne();
      assert.equal([told, run.seq, store.count, store.flights.length], [[], seq, count, 0]);
      // An actor that was there was stopped; one made now shows the error.
      const isStopped = make === world && options?.inspect !== undefined;
      assert.is(run.actor.getSnapshot().status, isStopped ? 'stopped' : 'error');
    }
  }
});

test('rejects the start whose first append hangs', async () => {
  const { engine, store } = lateEngine();
  const starting = watched(engine.start(createFlow('first').task('a', { perform: () => 1 })));
  await rest();
  await engine.stop({ storeTimeoutMs: 1 });
  await rest();
  assert.instance(starting.error, StoreError);
  await store.landOne();
  assert.is(store.flights.length, 0);
});

test('waits without end for a store if it is told so', async () => {
  const { engine, store } = await world();
  const stopped = watched(engine.stop({ storeTimeoutMs: Number.POSITIVE_INFINITY }));
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal([stopped, store.flights.length], [{}, 1]);
  while (store.flights.length > 0) await store.landOne();
  assert.is('value' in stopped, true);
});

test('frees the time of a virtual clock that a store held which hangs', async () => {
  const clock = createVirtualClock();
  const { engine, store } = lateEngine({ clock });
  const run = watched(engine.start(createFlow('hangs').task('a', { perform: () => clock.sleep(10) })));
  await rest();
  await store.landOne();
  assert.is(store.flights.length, 1);
  await engine.stop({ storeTimeoutMs: 1 });
  await clock.advance(100);
  assert.equal([clock.now(), run.value === undefined], [100, false]);
});

test('ends a run in doubt once that is settled', async () => {
  for (const outcome of ['kept', 'not kept', 'conflict'] as const) {
    const { engine, store, ended, calls } = await world();
    const asked = Promise.withResolvers<number>();
    store.tellLastSeq = () => asked.promise;
    store.flights[0]?.fail(broken, outcome === 'kept');
    await rest();
    const stopped = watched(engine.stop());
    await rest();
    assert.equal([stopped, ended, store.flights.length], [{}, {}, 0]);
    if (outcome === 'conflict')
      append(store.memory, 'r', [{ type: 'run.paused', at: 0, seq: 6, runId: 'r' } as never], 5);
    asked.resolve(store.memory.lastSeq('r'));
    await rest();
    while (store.flights.length > 0) await store.landOne();
    assert.instance(ended.error, outcome === 'conflict' ? StoreConflictError : EngineStoppedError);
    assert.equal(['value' in stopped, calls], [true, ['a', 'b']]);
    assert.is(store.memory.lastSeq('r'), outcome === 'conflict' ? 6 : 8);
  }
});

test('by a listener of what has landed starts nothing, and keeps the rest', async () => {
  for (const options of inspections) {
    const { engine, store, run, ended, calls } = await world(options);
    let stopped: { readonly value?: unknown } = {};
    const heard: string[] = [];
    run.on('task.done', ({ taskId }) => {
      if (heard.push(taskId) === 1) stopped = watched(engine.stop());
    });
    await rest();
    while (store.flights.length > 0) await store.landOne();
    assert.instance(ended.error, EngineStoppedError);
    assert.equal([heard, 'value' in stopped, calls], [['a', 'b'], true, ['a', 'b']]);
    assert.is(store.memory.lastSeq('r'), run.seq);
  }
});

test('by a listener lets a run settle whose end waits behind what has landed', async () => {
  for (const options of inspections) {
    const { engine, store } = lateEngine(options);
    const { perform, end } = bodiesByHand();
    const flow = createFlow('behind').task('a', { perform });
    const run = await store.landUntil(engine.start(flow, undefined, { id: 'r' }));
    const ended = watched(run.settled());
    let stopped: { readonly value?: unknown } = {};
    run.on('task.started', () => {
      stopped = watched(engine.stop());
    });
    await rest();
    await end('a');
    assert.equal(store.flights[0]?.types, ['task.started']);
    await store.landOne();
    await store.landOne();
    assert.equal([(ended.value as { status: string }).status, 'value' in stopped], ['done', true]);
    assert.is(run.actor.getSnapshot().status, 'done');
  }
});

test('of the actor keeps what the run has recorded', async () => {
  for (const options of inspections) {
    const { store, run, ended, calls } = await world(options);
    (run.actor as unknown as { stop(): void }).stop();
    await rest();
    assert.equal([ended, run.actor.getSnapshot().status], [{}, 'stopped']);
    while (store.flights.length > 0) await store.landOne();
    assert.instance(ended.error, EngineStoppedError);
    assert.equal([store.memory.read('r').at(-1)?.type, calls], ['task.done', ['a', 'b']]);
  }
});

test('of the actor while the end of its run is under way comes too late, if that lands', async () => {
  for (const options of inspections) {
    for (const lands of [true, false]) {
      const { store, run, ended } = await ending(options);
      (run.actor as unknown as { stop(): void }).stop();
      await rest();
      assert.equal(ended, {});
      if (lands) await store.landOne();
      else {
        for (let failures = 0; failures < 2; failures++) {
          store.flights[0]?.fail(broken);
          await rest();
        }
      }
      if (lands)
        assert.equal([(ended.value as { status: string }).status, await run.outputs()], ['done', { a: 1 }]);
      else assert.instance(ended.error, StoreError);
    }
  }
});

test('of a parent keeps what its run has recorded', async () => {
  const { engine, store } = lateEngine();
  const { perform, end, calls } = bodiesByHand();
  const flow = createFlow('child')
    .task('a', { perform })
    .task('b', { dependsOn: ['a'], perform });
  const parent = setup({ actors: { flow: engine.logic(flow) as AnyActorLogic } }).createMachine({
    invoke: { src: 'flow', id: 'child' },
  });
  const actor = createActor(parent).start();
  await rest();
  await store.landOne();
  await store.landOne();
  await end('a');
  const child = actor.getSnapshot().children.child as unknown as AnyActorRef;
  const { id } = child.getSnapshot().context;
  const ended = watched(((await engine.run(id)) as Run).settled());
  actor.stop();
  await rest();
  assert.equal(ended, {});
  while (store.flights.length > 0) await store.landOne();
  assert.instance(ended.error, EngineStoppedError);
  assert.equal([store.memory.read(id).at(-1)?.type, calls], ['task.ready', ['a']]);
});

test('shows a run whose last entries are under way as stopped, also to whoever asks for its actor then', async () => {
  const { engine, store, run } = await world();
  const stopped = watched(engine.stop());
  await rest();
  const { status, value, context } = run.actor.getSnapshot();
  assert.equal(
    [status, value, context.status, context.tasks.a?.status],
    ['stopped', 'running', 'running', 'running'],
  );
  while (store.flights.length > 0) await store.landOne();
  assert.equal(['value' in stopped, run.actor.getSnapshot().context.tasks.a?.status], [true, 'done']);
});

test('lets attempts go on for the grace, and keeps what they return', async () => {
  const clock = createVirtualClock();
  const store = lateStore();
  const engine = createEngine({ store, clock, logger: silent });
  const flow = createFlow('grace')
    .task('a', { perform: () => clock.sleep(10).then(() => 'A') })
    .task('b', { dependsOn: ['a'], perform: () => 'B' });
  const run = await engine.start(flow, undefined, { id: 'r' });
  const ended = watched(run.settled());
  await clock.advance(1);
  await clock.run(engine.stop({ graceMs: 100 }));
  assert.instance(ended.error, EngineStoppedError);
  assert.equal([run.view().tasks.a?.output, run.view().tasks.b?.status, clock.now()], ['A', 'pending', 10]);
  assert.equal(store.flights.length, 0);
});

test('in the moment of a rerun keeps that it runs again', async () => {
  const { engine, store } = lateEngine();
  const bodies = bodiesByHand();
  const flow = createFlow('again').task('a', { perform: bodies.perform });
  const run = await store.landUntil(engine.start(flow, undefined, { id: 'r' }));
  await bodies.fail('a');
  await store.landUntil(run.settled());
  run.rerun();
  const ended = watched(run.settled());
  const stopped = watched(engine.stop());
  await rest();
  assert.equal((await store.landOne()).types, ['task.rerun']);
  assert.instance(ended.error, EngineStoppedError);
  assert.equal(['value' in stopped, bodies.calls], [true, ['a']]);
  assert.is((await recovered(store, flow)).view().status, 'running');
});

test('by a defect of the engine keeps what was recorded, and then rejects with it', async () => {
  const defect = new Error('defect');
  for (const isUnderWay of [true, false]) {
    const { store, run, ended } = await world();
    if (!isUnderWay) while (store.flights.length > 0) await store.landOne();
    const live = ownerOf<LiveRun>(run.actor as unknown as AnyActorRef);
    run.actor.subscribe({ error: () => {} });
    // Recorded, and appended at the end of the turn.
    live.record({ type: 'task.progress', at: 0, attempt: 1, fraction: 0.5 }, 2);
    live.fault(defect);
    await rest();
    assert.equal([ended, store.flights.length], [{}, 1]);
    while (store.flights.length > 0) await store.landOne();
    assert.equal([ended.error, store.memory.read('r').at(-1)?.type], [defect, 'task.progress']);
  }
});

test('appends nothing once the engine has stopped', async () => {
  const { engine, store, end } = await world();
  void engine.stop();
  while (store.flights.length > 0) await store.landOne();
  const { count } = store;
  await end('a').catch(() => {});
  await rest();
  assert.is(store.count, count);
});
