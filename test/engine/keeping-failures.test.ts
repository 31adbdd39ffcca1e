// A store that takes its time, and fails: what is in doubt is asked about, and never repeated blindly.

import { createFlow, EngineStoppedError, type Run, StoreConflictError, StoreError } from 'topple';
import * as assert from 'uvu/assert';
import type { AnyActorRef } from 'xstate';
import { createActor } from 'xstate';
import { spec } from '../spec.ts';
import { bodiesByHand, type LateStore, lateEngine, rest, watched } from '../support/late-store.ts';
import { append } from '../support/stores.ts';

const test = spec('appends that fail');

const broken = new Error('disk full');

/** A run of `b` behind `a`, with the end of `a` under way. */
async function world(options: Parameters<typeof lateEngine>[0] = {}) {
  const { engine, store } = lateEngine(options);
  const bodies = bodiesByHand();
  const flow = createFlow('fails')
    .task('a', { perform: bodies.perform })
    .task('b', { dependsOn: ['a'], perform: bodies.perform })
    .task('c', { priority: -1, perform: bodies.perform });
  const run = (await store.landUntil(engine.start(flow, undefined, { id: 'r' }))) as Run;
  await store.landBefore('task.started');
  await store.landOne();
  await bodies.end('a');
  assert.equal(store.flights[0]?.types, ['task.done', 'task.ready']);
  const ended = watched(run.settled());
  return { engine, store, run, ended, ...bodies };
}

/** Fails the append under way. */
async function fail(store: LateStore, kept = false): Promise<void> {
  store.flights[0]?.fail(broken, kept);
  await rest();
}

test('go on if the entries were kept all the same, without another append', async () => {
  const { store, run, calls, end } = await world();
  await fail(store, true);
  assert.equal([calls, store.calls, run.view().tasks.a?.output], [['a', 'c', 'b'], ['lastSeq'], 'A']);
  assert.is(store.flights[0]?.given.expectedSeq, store.memory.lastSeq('r'));
  await end('b');
  await end('c');
  assert.is((await store.landUntil(run.settled())).status, 'done');
  assert.equal(
    store.memory
      .read('r')
      .map(({ seq, type }) => `${seq} ${type}`)
      .slice(5),
    ['6 task.done', '7 task.ready', '8 task.started', '9 task.done', '10 task.done', '11 run.done'],
  );
});

test('are made once more if nothing was kept, with the same entries', async () => {
  const { store, run, calls } = await world();
  const given = store.flights[0]?.given;
  await fail(store);
  assert.is(store.flights[0]?.given, given);
  assert.equal(calls, ['a', 'c']);
  await store.landOne();
  assert.equal([calls, run.view().tasks.a?.output, store.calls], [['a', 'c', 'b'], 'A', ['lastSeq']]);
});

test('start nothing and tell nothing while they are in doubt', async () => {
  const { engine, store } = lateEngine();
  const { perform, end, calls } = bodiesByHand();
  const flow = createFlow('doubt', { concurrency: 1, pools: { own: 1 } })
    .task('a', { perform })
    .task('b', { perform })
    .task('c', { pool: 'own', perform });
  const run = await store.landUntil(engine.start(flow, undefined, { id: 'r' }));
  assert.equal(calls, ['a']);
  const told: string[] = [];
  run.on('*', ({ type }) => told.push(type));
  const asked = Promise.withResolvers<number>();
  store.tellLastSeq = () => asked.promise;
  await rest();
  assert.equal(store.flights[0]?.types, ['task.started']);
  await fail(store, true);
  // The slot is free, and the entries of `b` and `c` are kept.
  await end('a');
  run.pause();
  run.resume();
  await rest();
  assert.equal([calls, told, store.flights.length], [['a'], [], 0]);
  asked.resolve(store.memory.lastSeq('r'));
  await rest();
  assert.equal([calls, told], [['a'], ['task.started']]);
  await store.landOne();
  assert.equal(calls, ['a', 'b'], 'once the resumption is kept');
});

test('that fail twice end the run, and only it, with the error of the store', async () => {
  const { engine, store, run, ended, calls } = await world();
  const other = watched(engine.start(createFlow('other').task('o', { perform: () => 1 })));
  await rest();
  await fail(store);
  const [second] = store.flights.filter(({ given }) => given.runId === 'r');
  second?.fail(broken);
  await rest();
  assert.instance(ended.error, StoreError);
  const { message, code, cause } = ended.error as StoreError;
  assert.equal(
    [message, code, cause],
    [`The store could not keep entries 6 to 7 of run r: ${broken.message}`, 'failed', broken],
  );
  assert.equal([calls, run.seq, run.view().tasks.a?.status], [['a', 'c'], 5, 'running']);
  // Now it is one of those that only the store has.
  assert.is.not(await engine.run('r'), run);
  assert.equal(
    store.flights.map(({ given }) => given.runId === 'r'),
    [false],
  );
  await store.landOne();
  assert.is((await store.landUntil((other.value as Run).settled())).status, 'done');
});

test('that fail twice end the run with the code of the store', async () => {
  for (const code of ['full', 'busy', 'worker_died'] as const) {
    const { store, ended } = await world();
    await fail(store);
    const [second] = store.flights;
    const own = new StoreError(code, 'No room');
    second?.fail(own);
    await rest();
    const { message, cause, ...fields } = ended.error as StoreError;
    assert.equal(
      [message, fields.code, cause],
      ['The store could not keep entries 6 to 7 of run r: No room', code, own],
    );
  }
});

test('that fail twice go on if the second was kept', async () => {
  const { store, calls } = await world();
  await fail(store);
  await fail(store, true);
  assert.equal(
    [calls, store.calls],
    [
      ['a', 'c', 'b'],
      ['lastSeq', 'lastSeq'],
    ],
  );
});

test('conflict for good: the store is not asked', async () => {
  for (const inspect of [undefined, () => {}]) {
    const { store, ended, calls } = await world({ inspect });
    const seq = store.memory.lastSeq('r');
    append(store.memory, 'r', [{ type: 'run.paused', at: 0, seq: seq + 1, runId: 'r' } as never], seq);
    await store.landOne();
    assert.instance(ended.error, StoreConflictError);
    assert.equal([calls, store.flights.length, store.calls], [['a', 'c'], 0, []]);
  }
});

test('conflict if the store has come to another entry than either', async () => {
  for (const lie of [0, 4, 6, 8, Number.NaN]) {
    const { store, ended, calls } = await world();
    store.tellLastSeq = async () => lie;
    await fail(store);
    assert.instance(ended.error, StoreConflictError);
    assert.equal([calls, store.flights.length], [['a', 'c'], 0]);
  }
});

test('conflict if the store says that another has taken the run over', async () => {
  const taken = new StoreConflictError('r', 'taken over');
  for (const tell of [() => Promise.reject(taken), throwing(taken)]) {
    const { store, ended, calls } = await world();
    store.tellLastSeq = tell;
    await fail(store, true);
    assert.equal([ended.error, calls, store.flights.length], [taken, ['a', 'c'], 0]);
  }
});

test('conflict if the first was kept after the store had said that it was not', async () => {
  const { store, ended } = await world();
  const [first] = store.flights;
  await fail(store);
  store.memory.append((first as { given: Parameters<typeof store.memory.append>[0] }).given);
  await store.landOne();
  assert.instance(ended.error, StoreConflictError);
});

test('end the run with the error of the append if the store cannot tell what it has', async () => {
  const other = new Error('cannot read');
  for (const tell of [() => Promise.reject(other), throwing(other)]) {
    const { store, ended, calls } = await world();
    store.tellLastSeq = tell;
    await fail(store);
    assert.instance(ended.error, StoreError);
    assert.equal([(ended.error as StoreError).cause, calls, store.flights.length], [broken, ['a', 'c'], 0]);
  }
});

function throwing(error: Error) {
  return (): never => {
    throw error;
  };
}

test('count as such also if the store throws', async () => {
  const { store, run, ended, end } = await world();
  store.append = throwing(broken);
  await store.landOne();
  await end('c');
  assert.equal([store.calls, ended.error instanceof StoreError], [['lastSeq', 'lastSeq'], true]);
  assert.is(run.view().tasks.c?.status, 'running');
});

test('refuse the start whose first append fails twice, and start nothing', async () => {
  const { engine, store } = lateEngine();
  const { perform, calls } = bodiesByHand();
  const starting = watched(engine.start(createFlow('f').task('a', { perform }), undefined, { id: 'r' }));
  await rest();
  await fail(store);
  await fail(store);
  assert.instance(starting.error, StoreError);
  assert.equal([calls, await engine.run('r'), store.memory.list()], [[], undefined, []]);
});

test('start what was kept by a first append that failed', async () => {
  const { engine, store } = lateEngine();
  const { perform, calls } = bodiesByHand();
  const starting = watched(engine.start(createFlow('f').task('a', { perform }), undefined, { id: 'r' }));
  await rest();
  await fail(store, true);
  assert.equal([(starting.value as Run).id, calls], ['r', ['a']]);
});

test('settle a run whose end was kept all the same, once, and no other', async () => {
  for (const inspect of [undefined, () => {}]) {
    for (const isKept of [true, false]) {
      const { engine, store } = lateEngine({ inspect });
      const flow = createFlow('end').task('a', { perform: () => 1 });
      const run = await store.landUntil(engine.start(flow, undefined, { id: 'r' }));
      const told: string[] = [];
      run.on('run.done', ({ type }) => told.push(type));
      await store.landBefore('run.done');
      const ended = watched(run.settled());
      await fail(store, isKept);
      if (!isKept) await fail(store);
      assert.is(store.flights.length, 0);
      if (isKept) {
        assert.equal([told, (ended.value as { status: string }).status], [['run.done'], 'done']);
        assert.is(run.actor.getSnapshot().status, 'done');
      } else {
        assert.equal([told, ended.error instanceof StoreError], [[], true]);
        assert.is(run.actor.getSnapshot().status, 'error');
      }
    }
  }
});

test('fail the actor of the run, which tells its observers', async () => {
  const { engine, store } = lateEngine();
  const { perform, calls } = bodiesByHand();
  const logic = engine.logic(createFlow('actor').task('a', { perform }));
  const actor = createActor(logic, { input: undefined }) as AnyActorRef & { start(): void };
  let told: unknown;
  actor.subscribe({
    error: (error) => {
      told = error;
    },
  });
  actor.start();
  await rest();
  await fail(store);
  await fail(store);
  assert.instance(told, StoreError);
  assert.equal([actor.getSnapshot().status, actor.getSnapshot().value, calls], ['error', 'opening', []]);
});

test('abort attempts under way as they end the run', async () => {
  const { engine, store } = lateEngine();
  let reason: unknown;
  const flow = createFlow('abort').task('a', {
    perform: ({ signal }) =>
      new Promise(() => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
        });
      }),
  });
  const run = await store.landUntil(engine.start(flow));
  const ended = watched(run.settled());
  await rest();
  await fail(store);
  await fail(store);
  assert.instance(ended.error, StoreError);
  assert.instance(reason, EngineStoppedError);
});

test('that are cancelled while in doubt keep the cancel next', async () => {
  const { store, run, calls, end } = await world();
  const asked = Promise.withResolvers<number>();
  store.tellLastSeq = () => asked.promise;
  await fail(store, true);
  run.cancel('enough');
  await rest();
  assert.is(store.flights.length, 0);
  asked.resolve(store.memory.lastSeq('r'));
  await rest();
  assert.equal(store.flights[0]?.types, ['run.cancelling', 'task.cancelled']);
  await end('c');
  assert.equal([(await store.landUntil(run.settled())).status, calls], ['cancelled', ['a', 'c']]);
});
