import { createFlow, createMemoryStore, type Engine, type Entry, type Run } from 'topple';
import type { VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { type AnyActorRef, createActor, setup } from 'xstate';
import { spec } from '../spec.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('commands in listeners');

/** A flow whose task `b` fails in the first run, after which it may go well. */
function flaky(clock: VirtualClock, calls: string[] = []) {
  let isBroken = true;
  return createFlow('flaky')
    .task('a', { perform: () => clock.sleep(10).then(() => calls.push('a')) })
    .task('b', {
      dependsOn: ['a'],
      perform: async () => {
        await clock.sleep(10);
        calls.push('b');
        if (!isBroken) return 'made';
        isBroken = false;
        throw new Error('once');
      },
    });
}

async function entriesOf(
  engine: Engine,
  store: ReturnType<typeof createMemoryStore>,
): Promise<readonly string[]> {
  const [run] = await engine.runs();
  return store.read(run?.id as string).map(({ type }) => type);
}

/** Where a run may be run again as it ends. */
const places: Record<string, (run: Run, rerun: () => void) => void> = {
  'run.on(run.failed)': (run, rerun) => void run.on('run.failed', rerun),
  'actor.on(run.failed)': (run, rerun) => void run.actor.on('run.failed', rerun),
  "an actor's subscriber, with the last snapshot": (run, rerun) =>
    void run.actor.subscribe(({ status }) => {
      if (status === 'done') rerun();
    }),
  "an actor's subscriber, on completion": (run, rerun) => void run.actor.subscribe({ complete: rerun }),
  'settled()': (run, rerun) => void run.settled().then(rerun),
};

for (const [place, listen] of Object.entries(places)) {
  test(`a failed run runs again from ${place}`, async () => {
    const store = createMemoryStore();
    const errors: unknown[] = [];
    const logger = { ...silent, error: (_: string, error: unknown) => errors.push(error) };
    const { clock, engine } = virtualEngine({ store, logger });
    const calls: string[] = [];
    const run = await engine.start(flaky(clock, calls), undefined, { id: 'r' });
    const seqs: number[] = [];
    const failed: unknown[] = [];
    let again: Promise<unknown> | undefined;
    listen(run as Run, () => {
      assert.is(run.view().status, 'failed');
      run.rerun();
      assert.is(run.view().status, 'running');
      assert.throws(() => run.rerun(), /^Run r has not settled, it is `running`: it can run again once/);
      again = run.settled();
    });
    run.on('*', ({ seq }) => seqs.push(seq));
    const first = run.settled();
    run.outputs().catch((error) => failed.push(error));
    assert.is((await clock.run(first)).status, 'failed');
    assert.equal(String(failed[0]).includes('failed'), true);
    assert.is(await engine.run('r'), run);
    assert.is(
      ((await clock.run(again as Promise<Run['view']>)) as unknown as { status: string }).status,
      'done',
    );
    assert.is(run.view().status, 'done');
    assert.equal(calls, ['a', 'b', 'b']);
    assert.equal(await run.outputs(), { a: 1, b: 'made' });
    assert.equal(
      (await entriesOf(engine, store)).filter((type) => /run\.|rerun/.test(type)),
      ['run.started', 'run.failed', 'task.rerun', 'run.done'],
    );
    assert.equal(
      seqs,
      [...seqs].sort((x, y) => x - y),
    );
    assert.is(seqs.length, new Set(seqs).size);
    assert.equal(errors, []);
  });
}

for (const way of ['plain', 'inspected'] as const) {
  test(`runs that are done or cancelled run again from a listener, too (engine ${way})`, async () => {
    const { clock, engine } = virtualEngine(way === 'inspected' ? { inspect: () => {} } : {});
    const flow = createFlow('slow').task('a', { perform: ({ signal }) => clock.sleep(10, signal) });
    for (const end of ['run.done', 'run.cancelled'] as const) {
      const run = await engine.start(flow);
      let times = 0;
      run.on(end, () => {
        if (times++ < 3) run.rerun();
      });
      await clock.advance(1);
      if (end === 'run.cancelled') run.cancel();
      await clock.run(run.settled());
      await clock.advance(100);
      const ends = [];
      for await (const { type } of run.events()) if (/^run\.(done|cancelled)$/.test(type)) ends.push(type);
      // What was cancelled is done the next time.
      assert.equal(ends, end === 'run.done' ? Array(4).fill('run.done') : ['run.cancelled', 'run.done']);
      assert.is(run.view().status, 'done');
    }
  });
}

test('a run runs again from the onDone action of a parent that invoked it', async () => {
  const { clock, engine } = virtualEngine();
  let again: Run | undefined;
  const parent = setup({
    actors: { flow: engine.logic(flaky(clock)) },
    actions: {
      rerun: ({ self }) => {
        const run = (self.getSnapshot() as { children: Record<string, AnyActorRef> }).children
          .run as AnyActorRef;
        void engine.run(run.getSnapshot().context.id).then((found) => {
          again = found;
          again?.rerun();
        });
      },
    },
  }).createMachine({
    initial: 'running',
    states: {
      running: {
        invoke: { id: 'run', src: 'flow', input: undefined, onDone: { target: 'over', actions: 'rerun' } },
      },
      over: {},
    },
  });
  const actor = createActor(parent, { clock: clock as never }).start();
  await clock.advance(20);
  assert.is(actor.getSnapshot().value, 'over');
  assert.is((await clock.run((again as Run).settled())).status, 'done');
});

test('the second of two listeners that run it again is told that it runs already', async () => {
  const errors: unknown[] = [];
  const logger = { ...silent, error: (_: string, error: unknown) => errors.push(error) };
  const { clock, engine } = virtualEngine({ logger });
  const run = await engine.start(flaky(clock));
  run.on('run.failed', () => run.rerun());
  run.on('run.failed', () => run.rerun());
  await clock.run(run.settled());
  assert.is((await clock.run(run.settled())).status, 'done');
  assert.match(
    String(errors),
    /^Error: Run .+ has not settled, it is `running`: it can run again once it is `done`/,
  );
});

test('an inspector that hears of a rerun cannot have another one under way', async () => {
  let again: (() => void) | undefined;
  const errors: unknown[] = [];
  const inspect = () => {
    const rerun = again;
    again = undefined;
    try {
      rerun?.();
    } catch (error) {
      errors.push((error as Error).message);
    }
  };
  const { clock, engine } = virtualEngine({ inspect });
  const run = await engine.start(flaky(clock));
  await clock.run(run.settled());
  again = () => run.rerun();
  run.rerun();
  assert.is((await clock.run(run.settled())).status, 'done');
  assert.match(String(errors), /has not settled, it is `running`/);
});

test('a rerun from a listener is kept before a body is called', async () => {
  const store = createMemoryStore();
  const { clock, engine } = virtualEngine({ store });
  const kept: string[][] = [];
  const flow = createFlow('kept').task('a', {
    perform: () => {
      kept.push(store.read('r').map(({ type }) => type));
    },
  });
  const run = await engine.start(flow, undefined, { id: 'r' });
  const subscription = run.on('run.done', () => {
    subscription.unsubscribe();
    run.rerun();
  });
  await clock.run(run.settled());
  await clock.run(run.settled());
  assert.equal(kept.at(1)?.slice(-3), ['run.done', 'task.rerun', 'task.ready']);
});

test('who follows a run hears it to its end, and from there on what a listener had run again', async () => {
  const { clock, engine } = virtualEngine();
  const run = await engine.start(flaky(clock));
  const first: Entry[] = [];
  const reading = (async () => {
    for await (const entry of run.events()) first.push(entry);
  })();
  run.on('run.failed', () => run.rerun());
  await clock.run(reading);
  assert.is(first.at(-1)?.type, 'run.failed');
  await clock.run(run.settled());
  const rest: string[] = [];
  for await (const { type } of run.events({ after: first.length })) rest.push(type);
  assert.equal(rest, ['task.rerun', 'task.ready', 'task.started', 'task.done', 'run.done']);
});

test('a listener of a task cancels or pauses the run: nothing starts any more', async () => {
  for (const command of ['cancel', 'pause'] as const) {
    const { clock, engine } = virtualEngine();
    const calls: string[] = [];
    const run = await engine.start(flaky(clock, calls));
    run.on('task.done', () => run[command]());
    await clock.advance(100);
    assert.equal([calls, run.view().status], [['a'], command === 'cancel' ? 'cancelled' : 'paused']);
    assert.is(run.view().tasks.b?.status, command === 'cancel' ? 'cancelled' : 'pending');
  }
});

test('a listener of the end may cancel, pause or stop all: the run has settled', async () => {
  const commands: Record<string, (run: Run, engine: Engine) => unknown> = {
    cancel: (run) => run.cancel('late'),
    pause: (run) => run.pause(),
    resume: (run) => run.resume(),
    stop: (_, engine) => engine.stop(),
    'stop where there is an actor': ({ actor }, engine) => actor && engine.stop(),
    'stop the actor': (run) => (run.actor as unknown as { stop(): void }).stop(),
  };
  for (const [name, command] of Object.entries(commands)) {
    for (const inspect of [undefined, () => {}]) {
      const { clock, engine } = virtualEngine({ inspect });
      const run = await engine.start(createFlow('end').task('a', { perform: () => 1 }));
      run.on('run.done', () => void command(run as Run, engine));
      assert.is((await clock.run(run.settled())).status, 'done', name);
      assert.equal(await run.outputs(), { a: 1 });
      // An actor that is stopped within the last step has not seen the end.
      const last = name === 'stop the actor' && inspect === undefined ? 'stopped' : 'done';
      assert.is(run.actor.getSnapshot().status, last, name);
      assert.is((await engine.run(run.id))?.view().status, 'done', name);
    }
  }
});

test('a listener of a task stops the engine: all hear what was kept, in order, and nothing starts', async () => {
  const store = createMemoryStore();
  const { clock, engine } = virtualEngine({ store });
  const calls: string[] = [];
  const flow = createFlow('stopped')
    .task('a', { perform: () => void calls.push('a') })
    .task('b', { perform: () => void calls.push('b') })
    .task('c', { dependsOn: ['a', 'b'], perform: () => void calls.push('c') })
    .task('d', { perform: () => clock.sleep(1_000) });
  const run = await engine.start(flow, undefined, { id: 'r' });
  const seen: string[] = [];
  run.on('task.done', () => {
    run.cancel('over');
    void engine.stop();
  });
  run.on('*', ({ seq, type }) => seen.push(`${seq} ${type}`));
  const settled = run.settled().catch((error: Error) => error.name);
  assert.is(await clock.run(settled as Promise<string>), 'EngineStoppedError');
  await clock.advance(10);
  assert.equal(calls, ['a', 'b']);
  assert.equal(
    seen,
    store
      .read('r')
      .slice(4)
      .map(({ seq, type }) => `${seq} ${type}`),
  );
  assert.ok(seen.at(-1)?.endsWith('task.cancelled') && seen.some((line) => line.endsWith('run.cancelling')));
});

test('a listener of a task cancels the run while nothing is under way: that ends it, and a stop comes too late', async () => {
  const store = createMemoryStore();
  const { clock, engine } = virtualEngine({ store });
  const calls: string[] = [];
  const flow = createFlow('ended')
    .task('a', { perform: () => void calls.push('a') })
    .task('b', { dependsOn: ['a'], perform: () => void calls.push('b') });
  const run = await engine.start(flow, undefined, { id: 'r' });
  const seen: string[] = [];
  run.on('task.done', () => {
    run.cancel('over');
    void engine.stop();
  });
  run.on('*', ({ seq, type }) => seen.push(`${seq} ${type}`));
  const { status, reason, tasks } = await clock.run(run.settled());
  assert.equal([status, reason, tasks.b?.status], ['cancelled', 'over', 'cancelled']);
  await clock.advance(10);
  assert.equal(calls, ['a']);
  const kept = store.read('r').map(({ seq, type }) => `${seq} ${type}`);
  assert.equal(seen, kept.slice(2));
  assert.ok(kept.at(-1)?.endsWith('run.cancelled'));
});

for (const inspect of [undefined, () => {}]) {
  const how = inspect === undefined ? '' : ', with an inspector';

  test(`a listener of a task's start lets tasks of another run start at that instant${how}`, async () => {
    const commands: Record<string, (engine: Engine, other: Run) => unknown> = {
      resume: (_, other) => other.resume(),
      rerun: (_, other) => other.rerun(),
      start: (engine) => engine.start(quick),
    };
    const startedAt: number[] = [];
    const quick = createFlow('quick').task('b', { perform: ({ log }) => void log('b') });
    for (const [name, command] of Object.entries(commands)) {
      const logger = { ...silent, info: () => startedAt.push(clock.now()) };
      const { clock, engine } = virtualEngine({ inspect, logger });
      const other = await engine.start(quick, undefined, { paused: name === 'resume' });
      if (name !== 'resume') await clock.run(other.settled());
      startedAt.length = 0;
      const run = await engine.start(createFlow('slow').task('a', { perform: () => clock.sleep(100) }));
      run.on('task.started', () => void command(engine, other));
      await clock.run(run.settled());
      assert.equal([name, startedAt], [name, [0]]);
    }
  });
}
