import { createFlow, type Entry, type RunResult } from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import {
  type AnyActorRef,
  assign,
  createActor,
  fromCallback,
  fromPromise,
  type InspectionEvent,
  setup,
  toPromise,
  waitFor,
} from 'xstate';
import { z } from 'zod';
import { spec } from '../spec.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('run as an actor');

const never = () => new Promise<never>(() => {});
const double = createFlow('double', { input: z.number() })
  .task('twice', { perform: ({ input }) => input * 2 })
  .task('again', { dependsOn: ['twice'], perform: async ({ deps }) => deps.twice * 2 });

test('is created with the input of the run, and its output is the result', async () => {
  const actor = createActor(double.logic, { input: 3 });
  actor.start();
  assert.equal(await toPromise(actor), { status: 'done', outputs: { twice: 6, again: 12 } });
});

test('has the RunView as its context, and keeps earlier ones as they were', async () => {
  const actor = createActor(double.logic, { input: 3 });
  const values: string[] = [];
  actor.subscribe((snapshot) =>
    values.push(`${snapshot.value} ${Object.values(snapshot.context.tasks).map((task) => task.status)}`),
  );
  actor.start();
  const before = actor.getSnapshot();
  const snapshot = await waitFor(actor, (state) => state.matches('done'));
  assert.is(snapshot.context.tasks.again?.output, 12);
  assert.is(before.context.tasks.again?.status, 'pending');
  assert.is(values.at(-1), 'done done,done');
});

test('shows what its tasks do in its next snapshot, and leaves the last one as it was', async () => {
  const clock = createVirtualClock();
  const flow = createFlow('live').task('a', {
    retry: { maxAttempts: 2, backoff: 100 },
    perform: ({ attempt }) => {
      if (attempt === 1) throw new Error('once');
      return 1;
    },
  });
  const actor = createActor(flow.logic, { input: undefined, clock }).start();
  await clock.advance(50);
  const waiting = actor.getSnapshot();
  assert.is(waiting.context.tasks.a?.status, 'retrying');
  await clock.run(toPromise(actor));
  assert.is(waiting.context.tasks.a?.status, 'retrying');
  assert.is(actor.getSnapshot().context.tasks.a?.status, 'done');
  assert.is(waiting.context.status, 'running');
});

test("is invoked in a user's machine, with onDone for each ending", async () => {
  const clock = createVirtualClock(5_000);
  const flow = createFlow('ending', { input: z.enum(['done', 'failed', 'cancelled']) }).task('a', {
    graceMs: 0,
    perform: ({ input }) => {
      if (input === 'failed') throw new Error('no');
      return input === 'cancelled' ? never() : clock.sleep(10).then(() => 'A');
    },
  });
  const parent = setup({
    types: {
      context: {} as { result: RunResult | undefined; ending: 'done' | 'failed' | 'cancelled' },
      input: {} as 'done' | 'failed' | 'cancelled',
    },
    actors: { flow: flow.logic },
  }).createMachine({
    context: ({ input }) => ({ result: undefined, ending: input }),
    initial: 'working',
    states: {
      working: {
        invoke: {
          id: 'flow',
          src: 'flow',
          input: ({ context }) => context.ending,
          onDone: { target: 'over', actions: assign({ result: ({ event }) => event.output }) },
        },
        after: {
          20: {
            actions: ({ self }) =>
              self.getSnapshot().children.flow?.send({ type: 'run.cancel', reason: 'slow' }),
          },
        },
      },
      over: { type: 'final' },
    },
    output: ({ context }) => context.result,
  });
  const endings: Record<string, unknown> = {};
  for (const input of ['done', 'failed', 'cancelled'] as const) {
    const actor = createActor(parent, { input, clock }).start();
    endings[input] = await clock.run(toPromise(actor));
  }
  assert.equal(endings.done, { status: 'done', outputs: { a: 'A' } });
  assert.equal(endings.cancelled, { status: 'cancelled', reason: 'slow', outputs: {} });
  const failed = endings.failed as RunResult & { status: 'failed' };
  assert.equal(
    [failed.status, failed.outputs, failed.failures[0]?.taskId, failed.failures[0]?.error.message],
    ['failed', {}, 'a', 'no'],
  );
});

test('ends failed, cause input, where the schema refuses its input', async () => {
  const actor = createActor(double.logic, { input: 'three' as never });
  actor.start();
  const result = await toPromise(actor);
  assert.is(result.status, 'failed');
  const { context } = actor.getSnapshot();
  assert.equal(
    [
      context.status,
      context.cause,
      context.startedAt,
      context.tasks.twice?.status,
      context.tasks.twice?.cause,
    ],
    ['failed', 'input', null, 'cancelled', 'input'],
  );
  assert.match(String(context.reason), /Input of flow `double` is not valid/);
});

test('accepts pause and cancel while its input is being checked', async () => {
  let accept = (): void => {};
  const waiting = new Promise<void>((resolve) => {
    accept = resolve;
  });
  const flow = createFlow('slow', {
    input: z.string().refine(async () => {
      await waiting;
      return true;
    }),
  }).task('a', { perform: () => 1 });
  const cancelled = createActor(flow.logic, { input: 'x' }).start();
  const paused = createActor(flow.logic, { input: 'x' }).start();
  cancelled.send({ type: 'run.cancel', reason: 'too soon' });
  paused.send({ type: 'run.pause' });
  accept();
  assert.equal(await toPromise(cancelled), { status: 'cancelled', reason: 'too soon', outputs: {} });
  await waitFor(paused, (snapshot) => snapshot.context.startedAt !== null);
  assert.equal(
    [paused.getSnapshot().value, paused.getSnapshot().context.tasks.a?.status],
    ['paused', 'pending'],
  );
  paused.send({ type: 'run.resume' });
  assert.equal(await toPromise(paused), { status: 'done', outputs: { a: 1 } });
});

test("is driven by its parent's clock, and tells its events to the parent when it is to", async () => {
  const clock = createVirtualClock(1_000);
  const flow = createFlow('events', { forwardEvents: true }).task('a', {
    retry: { maxAttempts: 2, backoff: 250 },
    perform: ({ attempt }) => {
      if (attempt === 1) throw new Error('once');
      return 1;
    },
  });
  const seen: string[] = [];
  const parent = setup({ actors: { flow: flow.logic }, types: { events: {} as Entry } }).createMachine({
    invoke: { src: 'flow', input: undefined, onDone: { actions: () => seen.push('onDone') } },
    on: {
      'task.*': { actions: ({ event }) => seen.push(`${event.at} ${event.type}`) },
      'run.*': { actions: ({ event }) => seen.push(`${event.at} ${event.type}`) },
    },
  });
  const actor = createActor(parent, { clock }).start();
  await clock.advance(1_000);
  actor.stop();
  assert.equal(seen, [
    '1000 run.started',
    '1000 task.ready',
    '1000 task.started',
    '1000 task.retrying',
    '1250 task.started',
    '1250 task.done',
    '1250 run.done',
    'onDone',
  ]);
});

test('tells its parent what is said of the run, whatever its flow says', async () => {
  const heardOf = async (ofFlow: boolean, ofRun: boolean | undefined): Promise<number> => {
    const { engine, clock } = virtualEngine();
    const flow = createFlow('events', { forwardEvents: ofFlow }).task('a', { perform: () => 1 });
    let heard = 0;
    const parent = setup({
      actors: { flow: engine.logic(flow, { forwardEvents: ofRun }) },
      types: { events: {} as Entry },
    }).createMachine({
      invoke: { src: 'flow', input: undefined },
      on: { 'run.*': { actions: () => heard++ } },
    });
    const actor = createActor(parent, { clock: clock as never }).start();
    await clock.advance(0);
    actor.stop();
    return heard;
  };
  assert.equal(
    [await heardOf(true, undefined), await heardOf(true, false), await heardOf(false, true)],
    [2, 0, 2],
  );
});

test('gives its snapshots to a parent that syncs them', async () => {
  const seen: string[] = [];
  const parent = setup({ actors: { double: double.logic } }).createMachine({
    initial: 'on',
    states: {
      on: {
        invoke: {
          src: 'double',
          input: 1,
          onSnapshot: { actions: ({ event }) => seen.push(String(event.snapshot.context.status)) },
          onDone: 'off',
        },
      },
      off: { type: 'final' },
    },
  });
  await toPromise(createActor(parent).start());
  assert.ok(seen.length > 1);
  assert.is(seen[0], 'running');
});

test('is spawned twice in one system, its tasks found by run and task id', async () => {
  const { engine } = virtualEngine();
  const flow = createFlow('twice').task('a', { graceMs: 0, perform: never });
  const parent = setup({ actors: { flow: engine.logic(flow) } }).createMachine({
    entry: [
      assign(({ spawn }) => {
        spawn('flow', { id: 'one', systemId: 'first' });
        spawn('flow', { id: 'two', systemId: 'second' });
        return {};
      }),
    ],
  });
  const actor = createActor(parent).start();
  const first = actor.system.get('first') as { getSnapshot(): { context: { id: string } } };
  await new Promise((resolve) => setImmediate(resolve));
  const { id } = first.getSnapshot().context;
  const task = actor.system.get(`${id}/a`) as { getSnapshot(): { value: string } };
  assert.is(task.getSnapshot().value, 'running');
  actor.stop();
  assert.is(actor.system.get(`${id}/a`), undefined);
});

test('ends every attempt and leaves no actor running when its parent is stopped', async () => {
  const clock = createVirtualClock();
  const aborted: string[] = [];
  let cleaned = 0;
  const callback = fromCallback(() => () => {
    cleaned++;
  });
  const flow = createFlow('stopped')
    .task('body', {
      perform: ({ signal }) => {
        signal.addEventListener('abort', () => aborted.push(signal.reason.name));
        return never();
      },
    })
    .task('actor', { actor: callback })
    .task('retrying', {
      retry: { maxAttempts: 2, backoff: 1_000 },
      perform: () => {
        throw new Error('once');
      },
    })
    .task('waiting', { dependsOn: ['body'], perform: () => 1 });
  for (const logic of [flow.logic, flow.machine]) {
    aborted.length = 0;
    cleaned = 0;
    const alive = new Set<unknown>();
    const parent = setup({ actors: { flow: logic as typeof flow.logic } }).createMachine({
      initial: 'on',
      states: { on: { invoke: { src: 'flow' }, on: { leave: 'off' } }, off: {} },
    });
    const actor = createActor(parent, {
      clock,
      inspect: (event) => {
        if (event.type === '@xstate.actor') alive.add(event.actorRef);
      },
    }).start();
    await clock.advance(1);
    actor.send({ type: 'leave' });
    await clock.advance(0);
    assert.equal(aborted, ['EngineStoppedError']);
    assert.is(cleaned, 1);
    alive.delete(actor);
    const states = [...alive].map(
      (ref) => (ref as { getSnapshot(): { status: string } }).getSnapshot().status,
    );
    assert.equal(
      states,
      states.map(() => 'stopped'),
    );
    assert.is(states.length, 5);
    actor.stop();
    assert.is(clock.pending, 0);
  }
});

test('goes on from a persisted snapshot, which carries the journal', async () => {
  const clock = createVirtualClock();
  const calls: string[] = [];
  let isHeld = true;
  const flow = createFlow('persist', { input: z.object({ n: z.number() }) })
    .task('a', {
      perform: ({ input }) => {
        calls.push('a');
        return input.n;
      },
    })
    .task('b', {
      dependsOn: ['a'],
      perform: ({ deps }) => {
        calls.push('b');
        return isHeld ? never() : deps.a + 1;
      },
    })
    .task('c', {
      retry: { maxAttempts: 2, backoff: 500 },
      perform: ({ attempt }) => {
        calls.push(`c${attempt}`);
        if (attempt === 1) throw new Error('once');
        return 'C';
      },
    });
  const actor = createActor(flow.logic, { input: { n: 1 }, clock }).start();
  await clock.advance(100);
  const persisted = JSON.parse(JSON.stringify(actor.getPersistedSnapshot()));
  actor.stop();
  isHeld = false;
  const restored = createActor(flow.logic, {
    snapshot: persisted,
    input: undefined as never,
    clock,
  }).start();
  assert.is(restored.getSnapshot().context.id, actor.getSnapshot().context.id);
  assert.equal(await clock.run(toPromise(restored)), { status: 'done', outputs: { a: 1, b: 2, c: 'C' } });
  assert.equal(calls, ['a', 'c1', 'b', 'b', 'c2']);
  assert.is(clock.now(), 500);
  const done = JSON.parse(JSON.stringify(restored.getPersistedSnapshot()));
  const settled = createActor(flow.logic, { snapshot: done, input: undefined as never }).start();
  assert.equal(
    [settled.getSnapshot().status, settled.getSnapshot().context.status, settled.getSnapshot().output],
    ['done', 'done', { status: 'done', outputs: { a: 1, b: 2, c: 'C' } }],
  );
});

test('goes on from a snapshot that was taken before its input was checked', async () => {
  const schema = z.string().transform(async (text) => text.toUpperCase());
  const flow = createFlow('early', { input: schema }).task('a', { perform: ({ input }) => input });
  const actor = createActor(flow.logic, { input: 'ada' }).start();
  const persisted = actor.getPersistedSnapshot();
  actor.stop();
  const restored = createActor(flow.logic, { snapshot: persisted, input: undefined as never }).start();
  assert.equal(await toPromise(restored), { status: 'done', outputs: { a: 'ADA' } });
});

for (const commands of [['run.pause'], ['run.pause', 'run.resume']] as const) {
  test(`goes on from a snapshot that was taken after ${commands.join(', ')}, and before its input was checked`, async () => {
    const schema = z.string().transform(async (text) => text.toUpperCase());
    const flow = createFlow('held', { input: schema }).task('a', { perform: ({ input }) => input });
    const actor = createActor(flow.logic, { input: 'ada' }).start();
    for (const type of commands) actor.send({ type });
    const persisted = JSON.parse(JSON.stringify(actor.getPersistedSnapshot()));
    actor.stop();
    const restored = createActor(flow.logic, { snapshot: persisted, input: undefined as never });
    const types: string[] = [];
    restored.on('*', ({ type }) => types.push(type));
    restored.start();
    const isPaused = commands.length === 1;
    assert.is(restored.getSnapshot().value, isPaused ? 'held' : 'opening');
    if (isPaused) restored.send({ type: 'run.resume' });
    assert.equal(await toPromise(restored), { status: 'done', outputs: { a: 'ADA' } });
    assert.equal(types.slice(isPaused ? 1 : 0), [
      'run.started',
      'task.ready',
      'task.started',
      'task.done',
      'run.done',
    ]);
  });
}

test('refuses to restore an interpreted run, which has no journal in its snapshot', () => {
  const flow = createFlow('machine').task('a', { perform: never });
  const actor = createActor(flow.machine, { input: undefined }).start();
  const persisted = actor.getPersistedSnapshot();
  actor.stop();
  const restored = createActor(flow.machine, { snapshot: persisted, input: undefined });
  assert.match(
    String((restored.getSnapshot() as { error: unknown }).error),
    /persist the actor of `flow.logic` instead/,
  );
});

test('takes commands without an instant when it is interpreted, too', async () => {
  const flow = createFlow('machine').task('a', { graceMs: 0, perform: never });
  const actor = createActor(flow.machine, { input: undefined });
  const seen: string[] = [];
  actor.on('*', ({ type, at }) => seen.push(`${type} ${typeof at}`));
  actor.start();
  actor.send({ type: 'run.cancel', reason: 'enough' });
  assert.equal(await toPromise(actor), { status: 'cancelled', reason: 'enough', outputs: {} });
  assert.ok(seen.includes('run.cancelling number'));
});

test('refuses a persisted snapshot of another version of the flow', async () => {
  const flow = createFlow('version').task('a', { perform: never });
  const actor = createActor(flow.logic, { input: undefined }).start();
  const persisted = actor.getPersistedSnapshot();
  actor.stop();
  const other = createActor(createFlow('version').task('b', { perform: never }).logic, {
    snapshot: persisted,
    input: undefined,
  });
  assert.is(other.getSnapshot().status as string, 'error');
  assert.match(
    String((other.getSnapshot() as { error: unknown }).error),
    /another version of flow `version`/,
  );
});

test('shows an inspector every actor and every transition', async () => {
  const events: InspectionEvent[] = [];
  const { clock, engine } = virtualEngine({ inspect: (event) => events.push(event) });
  const machine = setup({}).createMachine({ initial: 'x', states: { x: { type: 'final' } }, output: 'X' });
  const flow = createFlow('inspect')
    .task('a', { perform: () => 1 })
    .task('b', { dependsOn: ['a'], actor: machine });
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.run(run.settled());
  const actors = events.flatMap((event) => (event.type === '@xstate.actor' ? [idOf(event)] : []));
  assert.equal(actors, ['r', 'a', 'b', 'body']);
  const steps = events.flatMap((event) =>
    event.type === '@xstate.microstep' && idOf(event) === 'a'
      ? event._transitions.map((taken) => taken.eventType)
      : [],
  );
  assert.equal(steps, ['task.ready', 'attempt.start', 'attempt.done']);
  assert.ok(
    events.some(
      (event) =>
        event.type === '@xstate.snapshot' &&
        idOf(event) === 'r' &&
        (event.snapshot as { value?: string }).value === 'done',
    ),
  );
});

test("keeps what an engine's inspect throws to the logger", async () => {
  const errors: string[] = [];
  const { clock, engine } = virtualEngine({
    logger: { ...silent, error: (message) => errors.push(message) },
    inspect: () => {
      throw new Error('inspect');
    },
  });
  const run = await engine.start(createFlow('inspect').task('a', { perform: () => 1 }));
  assert.is((await clock.run(run.settled())).status, 'done');
  assert.ok(errors.length > 10 && errors.every((message) => message === "The engine's `inspect` threw"));
});

test('emits its events as XState does, on the actor', async () => {
  const { clock, engine } = virtualEngine();
  const run = await engine.start(createFlow('emits').task('a', { perform: () => clock.sleep(1) }));
  const seen: string[] = [];
  run.actor.on('*', (event) => seen.push(`${event.seq} ${event.type}`));
  run.actor.on('task.done', (event) => seen.push(event.taskId));
  await clock.run(run.settled());
  assert.equal(seen, ['3 task.started', 'a', '4 task.done', '5 run.done']);
});

test("runs any XState logic as a body: its output is the task's, its error the attempt's", async () => {
  const clock = createVirtualClock();
  let tries = 0;
  const promise = fromPromise(async ({ input }: { input: number }) => {
    if (++tries === 1) throw new Error('first');
    return input + 1;
  });
  const machine = setup({ types: { input: {} as { n: number }, output: {} as string } }).createMachine({
    context: ({ input }: { input: { n: number } }) => input,
    initial: 'wait',
    states: { wait: { after: { 100: 'over' } }, over: { type: 'final' } },
    output: ({ context }) => `n=${(context as { n: number }).n}`,
  });
  const flow = createFlow('bodies', { input: z.number() })
    .task('promise', { actor: promise, input: ({ input }) => input, retry: { maxAttempts: 2, backoff: 0 } })
    .task('machine', { dependsOn: ['promise'], actor: machine, input: ({ deps }) => ({ n: deps.promise }) })
    .task('slow', { actor: machine, input: () => ({ n: 0 }), timeoutMs: 50, optional: true })
    .task('broken', {
      actor: promise,
      input: () => {
        throw new Error('no input');
      },
      optional: true,
    });
  for (const logic of [flow.logic, flow.machine]) {
    tries = 0;
    const actor = createActor(logic as typeof flow.logic, { input: 1, clock }).start();
    const result = (await clock.run(toPromise(actor))) as RunResult;
    assert.equal([result.status, result.outputs], ['done', { promise: 2, machine: 'n=2' }]);
    assert.is(tries, 2);
  }
});

test('gives the same events and view interpreted', async () => {
  const clock = createVirtualClock();
  const flow = createFlow('same')
    .task('a', {
      retry: { maxAttempts: 2, backoff: 10 },
      perform: ({ attempt }) => {
        if (attempt === 1) throw new Error('once');
        return 1;
      },
    })
    .task('b', { dependsOn: ['a'], perform: ({ deps }) => deps.a + 1 })
    .task('c', { dependsOn: ['a'], triggerRule: 'all_failed', perform: () => 1 });
  const logs: string[][] = [];
  for (const logic of [flow.logic, flow.machine]) {
    const log: string[] = [];
    const at = clock.now();
    const actor = createActor(logic as typeof flow.logic, { input: undefined, clock });
    actor.on('*', (event) =>
      log.push(
        JSON.stringify({ ...event, runId: '', at: event.at - at, retryAt: undefined }, (key, value) =>
          key === 'stack' ? undefined : value,
        ),
      ),
    );
    actor.start();
    assert.equal(await clock.run(toPromise(actor)), { status: 'done', outputs: { a: 1, b: 2 } });
    logs.push(log);
  }
  assert.equal(logs[0], logs[1]);
  assert.is(logs[0]?.length, 11);
});

function idOf({ actorRef }: InspectionEvent): string {
  return (actorRef as AnyActorRef).id;
}
