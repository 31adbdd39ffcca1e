// A store that takes its time: everybody is shown what is kept, and nothing else.

import { createFlow, type Engine, type Entry, type FlowLogic, type Run } from 'topple';
import * as assert from 'uvu/assert';
import { type AnyActorLogic, type AnyActorRef, createActor, setup } from 'xstate';
import type { PersistedRun } from '../../src/engine/persisted-run.ts';
import type { RunState } from '../../src/engine/run-snapshot.ts';
import { spec } from '../spec.ts';
import { bodiesByHand, lateEngine, rest, watched } from '../support/late-store.ts';

const test = spec('what is shown while an append is under way');

type Shown = Pick<RunState, 'status' | 'value' | 'context' | 'output'>;

/** The state that goes with a view. */
function stateOf({ status, startedAt }: Shown['context']): string {
  if (startedAt !== null) return status;
  return { running: 'opening', paused: 'held' }[status as string] ?? status;
}

/** A run in one of the ways to have one. */
interface Way {
  snapshot(): Shown;
  persisted(): PersistedRun;
  send(type: 'run.pause' | 'run.resume' | 'run.cancel'): void;
}

function wayOf(actor: AnyActorRef): Way {
  return {
    snapshot: () => actor.getSnapshot() as Shown,
    persisted: () => (actor as unknown as { getPersistedSnapshot(): PersistedRun }).getPersistedSnapshot(),
    send: (type) => actor.send({ type }),
  };
}

type Flow = ReturnType<typeof flowOf>;

function flowOf({ perform }: ReturnType<typeof bodiesByHand>) {
  return createFlow('shown')
    .task('a', { perform })
    .task('b', { dependsOn: ['a'], perform });
}

/** Starts a run; its first append is under way. */
const ways: Record<string, (engine: Engine, flow: Flow) => Promise<() => Way>> = {
  'of a run, whose actor is made when it is looked at': async (engine, flow) => {
    void engine.start(flow, undefined, { id: 'r' });
    await rest();
    const run = (await engine.run('r')) as Run;
    return () => wayOf(run.actor as unknown as AnyActorRef);
  },
  'of `flow.logic`': async (engine, flow) => {
    const actor = createActor(engine.logic(flow) as AnyActorLogic).start();
    await rest();
    return () => wayOf(actor as AnyActorRef);
  },
  'of `flow.logic` under a parent': async (engine, flow) => {
    const parent = setup({ actors: { flow: engine.logic(flow) as FlowLogic } }).createMachine({
      invoke: { src: 'flow', id: 'child' },
    });
    const actor = createActor(parent).start();
    await rest();
    return () => wayOf(actor.getSnapshot().children.child as unknown as AnyActorRef);
  },
};

for (const [way, start] of Object.entries(ways)) {
  for (const isInspected of [false, true]) {
    test(`is what is kept ${way}${isInspected ? ', inspected' : ''}`, async () => {
      const { engine, store } = lateEngine(isInspected ? { inspect: () => {} } : {});
      const bodies = bodiesByHand();
      const at = await start(engine, flowOf(bodies));
      const check = (value: string, kept: number): void => {
        const { snapshot, persisted } = at();
        const shown = snapshot();
        const { id } = shown.context;
        assert.equal([shown.value, shown.status, shown.output], [value, 'active', undefined]);
        assert.is(stateOf(shown.context), value);
        assert.equal([store.memory.lastSeq(id), persisted().run.entries.length], [kept, kept]);
        assert.is(persisted().value, value);
        // Folded anew from what the store has.
        const { tasks } = shown.context;
        const types = store.memory.read(id).filter((entry) => 'taskId' in entry && entry.taskId === 'a');
        assert.is(
          tasks.a?.readyAt !== undefined,
          types.some(({ type }) => type === 'task.ready'),
        );
        assert.is(tasks.a?.attempts, types.filter(({ type }) => type === 'task.started').length);
        assert.is(tasks.a?.output, types.some(({ type }) => type === 'task.done') ? 'A' : undefined);
      };
      check('opening', 0);
      await store.landOne();
      check('running', 2);
      await store.landOne();
      check('running', 3);
      at().send('run.pause');
      await rest();
      check('running', 3);
      await store.landOne();
      check('paused', 4);
      at().send('run.resume');
      await rest();
      check('paused', 4);
      await bodies.end('a');
      await store.landOne();
      check('running', 5);
      // The output of `a`, and `b` that is ready.
      await store.landOne();
      check('running', 7);
      await store.landOne();
      at().send('run.cancel');
      await rest();
      check('running', 8);
      await store.landOne();
      check('cancelling', 9);
      await bodies.end('b');
      assert.equal(store.flights[0]?.types, ['task.cancelled', 'run.cancelled']);
      check('cancelling', 9);
      const actor = at();
      await store.landOne();
      const { status, value, context, output } = actor.snapshot();
      assert.equal([status, value, context.status], ['done', 'cancelled', 'cancelled']);
      assert.is((output as { readonly status: string }).status, 'cancelled');
    });
  }
}

test('is what is kept before the run has started, paused and cancelled', async () => {
  const { engine, store } = lateEngine();
  const { perform, calls } = bodiesByHand();
  const actor = createActor(
    engine.logic(createFlow('early').task('a', { perform })) as AnyActorLogic,
  ).start();
  const shown = () => {
    const { status, value, context } = actor.getSnapshot() as Shown;
    assert.is(stateOf(context), value);
    return [status, value];
  };
  for (const type of ['run.pause', 'run.cancel']) actor.send({ type });
  await rest();
  assert.equal(shown(), ['active', 'opening']);
  await store.landOne();
  // A command is appended with all before it.
  assert.equal(shown(), ['active', 'paused']);
  assert.equal((await store.landOne()).types, ['run.cancelling', 'task.cancelled', 'run.cancelled']);
  assert.equal([shown(), calls], [['done', 'cancelled'], []]);
});

test('is told once it is kept: to listeners, readers of events and observers', async () => {
  const { engine, store } = lateEngine();
  const bodies = bodiesByHand();
  const run = await store.landUntil(engine.start(flowOf(bodies), undefined, { id: 'r', paused: true }));
  const told: Record<string, number[]> = { run: [], actor: [], events: [], snapshots: [] };
  const check = (seq: number): void => {
    const kept = store.memory.lastSeq('r');
    assert.ok(seq <= run.seq && run.seq === kept, `told ${seq}, \`seq\` ${run.seq}, kept ${kept}`);
    const { value, context } = run.actor.getSnapshot();
    assert.is(stateOf(context), value);
    assert.equal(context.tasks, run.view().tasks);
  };
  run.on('*', ({ seq }) => {
    check(seq);
    told.run?.push(seq);
  });
  run.actor.on('*', ({ seq }: Entry) => {
    check(seq);
    told.actor?.push(seq);
  });
  run.actor.subscribe(({ value, context }) => {
    assert.is(stateOf(context), value);
    told.snapshots?.push(store.memory.lastSeq('r'));
  });
  const reading = (async () => {
    for await (const { seq } of run.events()) {
      check(seq);
      told.events?.push(seq);
    }
  })();
  run.resume();
  await rest();
  while (bodies.calls.length < 1) await store.landOne();
  await bodies.end('a');
  while (bodies.calls.length < 2) await store.landOne();
  await bodies.end('b');
  assert.is(told.run?.includes(9), false);
  await store.landUntil(run.settled());
  await reading;
  const all = store.memory.read('r').map(({ seq }) => seq);
  assert.equal(told.events, all);
  assert.equal(told.run, all.slice(3));
  assert.equal(told.actor, all.slice(3));
  assert.is(told.snapshots?.at(-1), all.length);
});

test('shows a listener of the end the snapshot that has it', async () => {
  for (const inspect of [undefined, () => {}]) {
    for (const wants of ['the actor', 'no actor']) {
      const { engine, store } = lateEngine({ inspect });
      const flow = createFlow('end').task('a', { perform: () => 1 });
      const run = await store.landUntil(engine.start(flow, undefined, { id: 'r', paused: true }));
      const seen: unknown[] = [];
      const look = (): void => {
        const { status, value, context, output } = run.actor.getSnapshot();
        seen.push([status, value, context.status, output?.status]);
      };
      if (wants === 'the actor') run.actor.on('run.done', look);
      run.on('run.done', look);
      run.resume();
      await store.landUntil(run.settled());
      const end = ['done', 'done', 'done', 'done'];
      assert.equal(seen, wants === 'the actor' ? [end, end] : [end]);
    }
  }
});

test('is still the former end while the first append of a rerun is under way', async () => {
  for (const inspect of [undefined, () => {}]) {
    const { engine, store } = lateEngine({ inspect });
    const { perform, fail, end } = bodiesByHand();
    const run = await store.landUntil(
      engine.start(createFlow('again').task('a', { perform }), undefined, { id: 'r' }),
    );
    await fail('a');
    assert.is((await store.landUntil(run.settled())).status, 'failed');
    run.rerun();
    await rest();
    assert.equal(store.flights[0]?.types, ['task.rerun', 'task.ready']);
    const way = wayOf(run.actor as unknown as AnyActorRef);
    const { status, value, context } = way.snapshot();
    assert.equal(
      [status, value, context.status, run.view().status],
      ['active', 'opening', 'failed', 'failed'],
    );
    assert.is(watched(run.settled()).value, undefined);
    await store.landOne();
    assert.equal([way.snapshot().value, run.view().status], ['running', 'running']);
    await end('a');
    assert.is((await store.landUntil(run.settled())).status, 'done');
  }
});

test('is not the end of a rerun before that is kept', async () => {
  for (const inspect of [undefined, () => {}]) {
    const { engine, store } = lateEngine({ inspect });
    const { perform, fail } = bodiesByHand();
    const run = await store.landUntil(
      engine.start(createFlow('again').task('a', { perform }), undefined, { id: 'r' }),
    );
    run.cancel();
    await rest();
    await fail('a');
    assert.is((await store.landUntil(run.settled())).status, 'cancelled');
    run.rerun();
    const ended: string[] = [];
    run.actor.subscribe({ complete: () => ended.push('complete') });
    await rest();
    run.cancel();
    await rest();
    const shown = () => {
      const { status, value, context } = run.actor.getSnapshot();
      return [status, value, context.status, ended];
    };
    assert.equal(shown(), ['active', 'opening', 'cancelled', []]);
    await store.landOne();
    assert.equal(shown(), ['active', 'running', 'running', []]);
    await store.landOne();
    assert.equal(shown(), ['done', 'cancelled', 'cancelled', ['complete']]);
  }
});

test('persists a rerun from its start, so that it can be restored', async () => {
  const { engine, store } = lateEngine();
  const { perform, fail } = bodiesByHand();
  const flow = createFlow('again').task('a', { perform });
  const run = await store.landUntil(engine.start(flow, undefined, { id: 'r' }));
  await fail('a');
  await store.landUntil(run.settled());
  run.rerun();
  const persisted = wayOf(run.actor as unknown as AnyActorRef).persisted();
  assert.equal([persisted.status, persisted.run.entries.at(-1)?.type], ['active', 'task.rerun']);
  // The process dies before the rerun is kept.
  const next = lateEngine();
  const restored = createActor(next.engine.logic(flow), { snapshot: persisted as never }).start();
  await rest();
  await next.store.landOne();
  assert.is(restored.getSnapshot().value, 'running');
});

test('is what is kept also of an actor that was stopped while its end was under way', async () => {
  const { engine, store } = lateEngine();
  const actor = createActor(engine.logic(createFlow('end').task('a', { perform: () => 1 })) as AnyActorLogic);
  actor.start();
  await rest();
  await store.landOne();
  assert.equal(store.flights[0]?.types, ['task.started', 'task.done', 'run.done']);
  actor.stop();
  const { status, value, context, output } = actor.getSnapshot() as Shown;
  assert.equal([status, value, context.status, output], ['stopped', 'running', 'running', undefined]);
  await store.landOne();
  const last = actor.getSnapshot() as Shown;
  assert.equal([last.status, last.value, last.context.status], ['stopped', 'done', 'done']);
});
