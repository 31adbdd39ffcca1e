// A store that takes its time: the end of a run, its rerun, and what is no longer kept.

import { createEngine, createFlow, type Run } from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { type AnyActorLogic, type AnyActorRef, createActor, setup } from 'xstate';
import { spec } from '../spec.ts';
import { bodiesByHand, lateEngine, lateStore, rest, watched } from '../support/late-store.ts';
import { silent } from '../support/virtual.ts';

const test = spec('the end of a run while an append is under way');

const one = () => createFlow('one').task('a', { perform: () => 1 });

/** A run whose end is under way. */
async function ending(options: Parameters<typeof lateEngine>[0] = {}, flow = one()) {
  const { engine, store } = lateEngine(options);
  const run = (await store.landUntil(
    engine.start(flow as ReturnType<typeof one>, undefined, { id: 'r' }),
  )) as Run;
  await store.landBefore('run.done');
  return { engine, store, run };
}

test('is told in one order: the event, the snapshot, the parent, the promise', async () => {
  for (const inspect of [undefined, () => {}]) {
    const { engine, store } = lateEngine({ inspect });
    const told: string[] = [];
    const note = (name: string) => () => void told.push(name);
    const parent = setup({
      actors: { flow: engine.logic(one()) },
      actions: { note: note('onDone') },
    }).createMachine({
      initial: 'on',
      states: {
        on: {
          invoke: { src: 'flow', id: 'child', input: undefined, onDone: { target: 'off', actions: 'note' } },
        },
        off: {},
      },
    });
    const actor = createActor(parent, inspect && { inspect });
    actor.start();
    const child = actor.getSnapshot().children.child as unknown as AnyActorRef;
    const { id } = child.getSnapshot().context;
    const run = (await engine.run(id)) as Run;
    child.on('run.done', note('actor: run.done'));
    run.on('run.done', note('run: run.done'));
    child.subscribe({
      next: ({ status }) => status === 'done' && told.push('snapshot'),
      complete: note('complete'),
    });
    void run.settled().then(note('settled'));
    void run.outputs().then(note('outputs'));
    await store.landBefore('run.done');
    assert.is(store.flights[0]?.types.at(-2), 'task.done');
    assert.equal(told, []);
    await store.landOne();
    const order = [
      'run: run.done',
      'actor: run.done',
      'snapshot',
      'complete',
      'onDone',
      'settled',
      'outputs',
    ];
    assert.equal(told, order);
    assert.equal(actor.getSnapshot().value, 'off');
  }
});

const commands: Record<string, (run: Run) => unknown> = {
  cancel: (run) => run.cancel('late'),
  pause: (run) => run.pause(),
  'cancel by its actor': (run) => run.actor.send({ type: 'run.cancel', reason: 'late' }),
  'pause by its actor': (run) => run.actor.send({ type: 'run.pause' }),
};

for (const [name, command] of Object.entries(commands)) {
  test(`is sealed while its end is under way: ${name} changes nothing`, async () => {
    for (const inspect of [undefined, () => {}]) {
      const { store, run } = await ending({ inspect });
      command(run);
      await rest();
      await store.landOne();
      assert.equal([(await run.settled()).status, await run.outputs()], ['done', { a: 1 }]);
      await rest();
      assert.equal([store.flights.length, store.memory.read('r').at(-1)?.type], [0, 'run.done']);
      assert.is(run.actor.getSnapshot().value, 'done');
    }
  });
}

test('is sealed while its end is under way: its time limit changes nothing', async () => {
  const virtual = createVirtualClock();
  const store = lateStore({ isByHand: true });
  const { now, monotonicNow } = virtual;
  const clock = {
    now,
    monotonicNow,
    setTimeout: virtual.setTimeout.bind(virtual),
    clearTimeout: virtual.clearTimeout.bind(virtual),
    whenIdle: virtual.whenIdle.bind(virtual),
  };
  const engine = createEngine({ store, clock, logger: silent });
  const flow = createFlow('limited', { totalTimeoutMs: 100 }).task('a', { perform: () => 1 });
  const run = await store.landUntil(engine.start(flow, undefined, { id: 'r' }));
  await store.landBefore('run.done');
  await virtual.advance(1_000);
  await store.landOne();
  assert.equal([(await run.settled()).status, virtual.pending], ['done', 0]);
});

test('cannot run again before it is kept, and can from a listener of its end', async () => {
  for (const inspect of [undefined, () => {}]) {
    const { store, run } = await ending({ inspect });
    assert.throws(() => run.rerun(), /^Run r has not settled, it is `running`/);
    const first = run.settled();
    let again: Promise<unknown> | undefined;
    run.on('run.done', () => {
      if (again !== undefined) return;
      run.rerun();
      again = run.settled();
    });
    await store.landOne();
    assert.is((await first).tasks.a?.status, 'done');
    await store.landUntil(again as Promise<unknown>);
    assert.equal(
      store.memory.read('r').map(({ type }) => type),
      [
        ...['run.started', 'task.ready', 'task.started', 'task.done', 'run.done'],
        ...['task.rerun', 'task.ready', 'task.started', 'task.done', 'run.done'],
      ],
    );
  }
});

test('cannot be changed while it is under way, which a snapshot says', async () => {
  const { engine, store } = lateEngine();
  const { perform, end } = bodiesByHand();
  const run = await store.landUntil(engine.start(createFlow('end').task('a', { perform })));
  const can = () =>
    (['run.cancel', 'run.pause'] as const).map((type) => run.actor.getSnapshot().can({ type }));
  assert.equal(can(), [true, true]);
  await end('a');
  await rest();
  await store.landOne();
  assert.equal(store.flights[0]?.types, ['task.done', 'run.done']);
  assert.equal([run.actor.getSnapshot().value, can()], ['running', [false, false]]);
  await store.landUntil(run.settled());
  assert.equal(can(), [false, false]);
});

/** A run that has failed and is run again; nothing of that is kept yet. */
async function rerun(options: Parameters<typeof lateEngine>[0] = {}) {
  const { engine, store } = lateEngine(options);
  const bodies = bodiesByHand();
  const flow = createFlow('again').task('a', { perform: bodies.perform });
  const run = (await store.landUntil(engine.start(flow, undefined, { id: 'r' }))) as Run;
  await bodies.fail('a');
  await store.landUntil(run.settled());
  run.rerun();
  return { engine, store, run, bodies };
}

test('takes commands in the moment of a rerun, once that continues', async () => {
  for (const inspect of [undefined, () => {}]) {
    const paused = await rerun({ inspect });
    paused.run.pause();
    await rest();
    assert.equal((await paused.store.landOne()).types, ['task.rerun', 'task.ready', 'run.paused']);
    assert.equal([paused.run.view().status, paused.bodies.calls], ['paused', ['a']]);
    paused.run.resume();
    await rest();
    await paused.store.landOne();
    assert.equal(paused.bodies.calls, ['a', 'a']);
    await paused.bodies.end('a');
    assert.is((await paused.store.landUntil(paused.run.settled())).status, 'done');

    const cancelled = await rerun({ inspect });
    cancelled.run.cancel('enough');
    assert.is((await cancelled.store.landUntil(cancelled.run.settled())).status, 'cancelled');
    assert.equal(cancelled.bodies.calls, ['a']);

    const sent = await rerun({ inspect });
    sent.run.actor.send({ type: 'run.cancel' });
    assert.is((await sent.store.landUntil(sent.run.settled())).status, 'cancelled');
  }
});

test('leaves no limit behind of a rerun that is cancelled in its moment', async () => {
  const clock = createVirtualClock();
  const store = lateStore();
  const engine = createEngine({ store, clock, logger: silent });
  const flow = createFlow('limited', { totalTimeoutMs: 1_000 }).task('a', { perform: () => 1 });
  const run = await engine.start(flow);
  await clock.run(run.settled());
  run.rerun();
  run.cancel();
  assert.is((await clock.run(run.settled())).status, 'cancelled');
  assert.is(clock.pending, 0);
});

test('runs again what the store was told to remove', async () => {
  const { engine, store } = lateEngine({ keepSettled: 0 });
  const run = await store.landUntil(engine.start(one(), undefined, { id: 'r' }));
  await store.landUntil(run.settled());
  run.rerun();
  await store.landUntil(run.settled());
  const types = ['task.rerun', 'task.ready', 'task.started', 'task.done', 'run.done'];
  assert.equal(run.view().tasks.a?.output, 1);
  assert.equal(store.calls.filter((call) => call === 'remove').length, 2);
  await rest();
  assert.equal(store.memory.read('r'), []);
  const events: string[] = [];
  for await (const { type } of run.events({ after: 5 })) events.push(type);
  assert.equal(events, types);
});

test('removes no run before its end is kept, and the oldest settled one then', async () => {
  const { engine, store } = lateEngine({ keepSettled: 1 });
  const first = await store.landUntil(engine.start(one(), undefined, { id: 'first' }));
  await store.landUntil(first.settled());
  const second = await store.landUntil(engine.start(one(), undefined, { id: 'second' }));
  await rest();
  assert.equal([store.flights[0]?.types.at(-1), store.calls], ['run.done', []]);
  await store.landUntil(second.settled());
  await rest();
  assert.equal([store.calls, store.memory.list().map(({ id }) => id)], [['remove'], ['second']]);
});

test('logs that a store could not forget a run, and waits for it to forget as the engine stops', async () => {
  const logged: unknown[] = [];
  const logger = { ...silent, error: (...line: unknown[]) => logged.push(...line) };
  const store = lateStore();
  const engine = createEngine({ store, logger, keepSettled: 0 });
  const broken = new Error('no remove');
  store.remove = () => Promise.reject(broken);
  await (await engine.start(one(), undefined, { id: 'r' })).settled();
  await rest();
  assert.equal(logged, ['The store could not forget run r', broken]);

  const { promise, resolve } = Promise.withResolvers<void>();
  store.remove = () => promise;
  await (await engine.start(one(), undefined, { id: 's' })).settled();
  const stopped = watched(engine.stop());
  await rest();
  assert.is('value' in stopped, false);
  resolve();
  await rest();
  assert.is('value' in stopped, true);
});

test('does not end the actor of a run twice that a listener of the end asks for', async () => {
  const { store, run } = await ending();
  const ends: string[] = [];
  run.on('run.done', () => {
    run.actor.subscribe({ complete: () => ends.push('complete') });
    ends.push(String(run.actor.getSnapshot().status));
  });
  await store.landOne();
  await run.settled();
  assert.equal([ends, run.actor.getSnapshot().status], [['complete', 'done'], 'done']);
});

test('ends a run of `flow.logic` whose input is refused once that is kept', async () => {
  const { engine, store } = lateEngine();
  const flow = createFlow('input', {
    input: { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'no' }] }) } },
  }).task('a', { perform: () => 1 });
  const actor = createActor(engine.logic(flow) as AnyActorLogic).start();
  await rest();
  await store.landBefore('run.failed');
  assert.is(actor.getSnapshot().status, 'active');
  await store.landOne();
  const { status, value, context } = actor.getSnapshot();
  assert.equal([status, value, context.cause], ['done', 'failed', 'input']);
});
