import {
  type AnyFlow,
  createFlow,
  createFlowFromGraph,
  createMemoryStore,
  type Engine,
  type Entry,
  type EntryOf,
  FlowError,
  JournalError,
  type MemoryStore,
  NotUnderWayError,
  type Run,
  RunFailedError,
  SkipTask,
} from 'topple';
import type { VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { createActor } from 'xstate';
import { spec } from '../spec.ts';
import { append, lateReadingStore, storeOver } from '../support/stores.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('a stored run');

const never = () => new Promise<never>(() => {});
const fails = (message: string) => () => Promise.reject(new Error(message));

/** What a promise comes to: its value, or an error as data. */
async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    if (!(error instanceof RunFailedError)) return error;
    const { name, message, flow, runId, status, failures, reason } = error;
    return { name, message, flow, runId, status, failures, reason };
  }
}

/** All that a settled run shows. */
async function shownBy(run: Run): Promise<unknown> {
  const events: Entry[] = [];
  for await (const event of run.events()) events.push(event);
  const { status, value, output, context } = run.actor.getSnapshot();
  return {
    id: run.id,
    seq: run.seq,
    view: run.view(),
    settled: await run.settled(),
    outputs: await outcomeOf(run.outputs()),
    events,
    snapshot: { status, value, output, context: structuredClone(context) },
  };
}

/** Each a flow, and how a run of it comes to its end. */
const endings: Record<
  string,
  (clock: VirtualClock) => { readonly flow: AnyFlow; readonly act?: (run: Run) => Promise<void> }
> = {
  'that is done': () => ({
    flow: createFlow('f')
      .task('a', { perform: ({ input }) => [input] })
      .task('b', { dependsOn: ['a'], skippable: true, perform: () => Promise.reject(new SkipTask('no')) })
      .task('c', { perform: () => undefined }),
  }),
  'that returns what its flow makes': () => ({
    flow: createFlow('f')
      .task('a', { perform: () => 20 })
      .output(({ deps }) => deps.a + 1),
  }),
  'that returns null': () => ({
    flow: createFlow('f')
      .task('a', { perform: () => 20 })
      .output(() => null),
  }),
  'that returns nothing': () => ({
    flow: createFlow('f')
      .task('a', { perform: () => 20 })
      .output(() => undefined),
  }),
  'whose output cannot be made': () => ({
    flow: createFlow('f')
      .task('a', { perform: () => 20 })
      .output(() => {
        throw new RangeError('no output');
      }),
  }),
  'of a flow without tasks': () => ({ flow: createFlow('f') }),
  'whose last task failed first': (clock) => ({
    flow: createFlow('f')
      .task('a', { perform: () => clock.sleep(30).then(fails('third')) })
      .task('b', { retry: { maxAttempts: 2, backoff: 15 }, perform: fails('second') })
      .task('c', { perform: fails('first') })
      .task('d', { perform: () => 'fell' }),
  }),
  'whose optional task kept another from running': () => ({
    flow: createFlow('f')
      .task('a', { optional: true, perform: fails('optional') })
      .task('b', { dependsOn: ['a'], perform: () => 1 })
      .task('c', { optional: true, perform: fails('does not count') }),
  }),
  'that was cancelled': (clock) => ({
    flow: createFlow('f')
      .task('a', { perform: () => 1 })
      .task('b', { dependsOn: ['a'], graceMs: 0, perform: never }),
    act: async (run) => {
      await clock.advance(5);
      run.cancel({ why: 'enough' });
    },
  }),
  'whose time was over': (clock) => ({
    flow: createFlow('f', { totalTimeoutMs: 50, graceMs: 0 })
      .task('a', { perform: () => clock.sleep(10).then(fails('in time')) })
      .task('b', { perform: never }),
  }),
  'that ran again after it failed twice over': (clock) => {
    let isBroken = true;
    const flaky = (waitMs: number) => () =>
      clock.sleep(waitMs).then(() => (isBroken ? Promise.reject(new Error(`${waitMs}`)) : waitMs));
    const flow = createFlow('f')
      .task('a', { perform: flaky(20) })
      .task('b', { perform: flaky(10) })
      .task('c', { perform: flaky(5) });
    const act = async (run: Run) => {
      await clock.run(run.settled());
      run.rerun(['a']);
      await clock.run(run.settled());
      isBroken = false;
      run.rerun(['c']);
    };
    return { flow, act };
  },
  'that ran again in part after it was cancelled': (clock) => ({
    flow: createFlow('f')
      .task('a', { graceMs: 0, perform: ({ attempt }) => clock.sleep(10 * attempt) })
      .task('b', { graceMs: 0, perform: never }),
    act: async (run) => {
      run.cancel();
      await clock.run(run.settled());
      run.rerun(['a']);
    },
  }),
};

for (const [which, make] of Object.entries(endings)) {
  test(`${which} is as it was where it settled`, async () => {
    const store = createMemoryStore();
    const here = virtualEngine({ store });
    const { flow, act } = make(here.clock);
    const run = await here.engine.start(flow, 'given', { id: 'r' });
    await act?.(run);
    await here.clock.run(run.settled());
    const there = virtualEngine({ store, flows: [flow] });
    const stored = await there.engine.run('r');
    assert.equal(await shownBy(stored as Run), await shownBy(run));
    assert.is(there.clock.pending, 0);
  });
}

/** Numbers from 0 to below 1 that are the same each time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('of any graph has the result and the failures that it had, in their order', async () => {
  const rules = ['all_success', 'all_settled', 'one_success', 'none_failed', 'one_failed'] as const;
  const statuses = new Set<string>();
  let failures = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const next = random(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
    const ids = Array.from({ length: 12 }, (_, at) => `t${at}`);
    const tasks = ids.map((id, at) => {
      const dependsOn = ids.slice(0, at).filter(() => next() < 0.2);
      return [id, { dependsOn, triggerRule: pick(rules), optional: next() < 0.3 }] as const;
    });
    const store = createMemoryStore();
    const { clock, engine } = virtualEngine({ store });
    const ends = new Map(ids.map((id) => [id, { ms: Math.floor(next() * 50), isBad: next() < 0.3 }]));
    const flow = createFlowFromGraph(
      { name: 'any', tasks: Object.fromEntries(tasks) },
      async ({ taskId }) => {
        const { ms, isBad } = ends.get(taskId) ?? { ms: 0, isBad: false };
        await clock.sleep(ms);
        if (isBad) throw new Error(taskId);
        return taskId;
      },
    );
    const run = await engine.start(flow, undefined, { id: 'r' });
    await clock.run(run.settled());
    if (next() < 0.5) {
      run.rerun(ids.filter((_, at) => at === 3 || next() < 0.3));
      await clock.advance(next() * 40);
      run.cancel('enough');
      await clock.run(run.settled());
      run.rerun(ids.filter((_, at) => at === 5 || next() < 0.3));
      await clock.run(run.settled());
    }
    const stored = await virtualEngine({ store, flows: [flow] }).engine.run('r');
    assert.equal(await shownBy(stored as Run), await shownBy(run), `seed ${seed}`);
    statuses.add(run.view().status);
    const output = run.actor.getSnapshot().output as { failures?: readonly unknown[] };
    failures = Math.max(failures, output.failures?.length ?? 0);
  }
  assert.equal([statuses, failures > 3], [new Set(['done', 'failed']), true]);
});

/** A store with the run `r`, settled or not, of a flow whose second task depends on the first. */
async function left(isSettled: boolean) {
  const store = createMemoryStore();
  const calls: string[] = [];
  const { clock, engine } = virtualEngine({ store });
  const flow = createFlow('left')
    .task('a', { perform: () => calls.push('a') })
    .task('b', { dependsOn: ['a'], perform: () => (isSettled ? calls.push('b') : never()) });
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.advance(1);
  await engine.stop();
  assert.is(run.view().tasks.b?.status, isSettled ? 'done' : 'running');
  return { store, flow, calls };
}

test('that has settled runs again, under its handle, which all callers share', async () => {
  const { store, flow, calls } = await left(true);
  const { clock, engine } = virtualEngine({ store, flows: [flow] });
  const [run, same] = (await Promise.all([engine.run('r'), engine.run('r')])) as [Run, Run];
  assert.is(run, same);
  assert.is(await engine.run('r'), run);
  const before = await run.settled();
  const heard: string[] = [];
  run.on('*', ({ type }) => heard.push(type));
  run.rerun(['b']);
  assert.throws(() => same.rerun(), /^Run r has not settled, it is `running`/);
  assert.is(await engine.run('r'), run);
  assert.equal([run.view().status, before.status], ['running', 'done']);
  await clock.run(run.settled());
  assert.equal(heard, ['task.rerun', 'task.ready', 'task.started', 'task.done', 'run.done']);
  assert.equal([calls, await run.outputs()], [['a', 'b', 'b'], { a: 1, b: 3 }]);
  assert.is(await engine.run('r'), run);
  assert.is(store.read('r').length, run.seq);
});

test('ignores commands once it has settled, as any run does', async () => {
  const { store, flow } = await left(true);
  const run = (await virtualEngine({ store, flows: [flow] }).engine.run('r')) as Run;
  const view = run.view();
  run.cancel();
  run.pause();
  run.resume();
  await run[Symbol.asyncDispose]();
  assert.equal([run.view(), store.read('r').length], [view, run.seq]);
});

test('that has not settled shows its entries, and refuses the rest', async () => {
  const { store, flow } = await left(false);
  const { clock, engine } = virtualEngine({ store, flows: [flow] });
  const run = (await engine.run('r')) as Run;
  const { status, tasks } = run.view();
  assert.equal([status, tasks.a?.status, tasks.b?.status], ['running', 'done', 'running']);
  const events: Entry[] = [];
  for await (const event of run.events()) events.push(event);
  assert.equal([events, run.seq], [store.read('r'), events.length]);
  const rest: Entry[] = [];
  for await (const event of run.events({ after: run.seq - 1 })) rest.push(event);
  assert.equal(rest, events.slice(-1));

  const text =
    'Run r of flow `left` has not settled, and is not under way on this engine, which only shows what the store has of ' +
    'it. Continue it with `engine.recover`, unless another engine runs it: then ask there';
  const refusals = [
    () => run.settled(),
    () => run.outputs(),
    () => run.cancel('why'),
    () => run.pause(),
    () => run.resume(),
    () => run.actor,
    () => run[Symbol.asyncDispose](),
  ];
  for (const refused of refusals) {
    const error = await (async () => refused())().catch((refusal: unknown) => refusal);
    if (!(error instanceof NotUnderWayError)) throw new Error(`${refused} was not refused: ${error}`);
    assert.equal([error.runId, error.flow, error.message], ['r', 'left', text]);
  }
  assert.throws(() => run.rerun(), /^Run r has not settled, it is `running`/);
  assert.equal([store.read('r'), clock.pending], [events, 0]);
});

test('that has not settled is under way again, for those who ask then, once it is recovered', async () => {
  const { store, flow } = await left(false);
  const { engine } = virtualEngine({ store });
  const refusal = await engine.run('r').catch((error: unknown) => error);
  assert.instance(refusal, FlowError);
  const [recovered] = await engine.recover([flow]);
  const found = await engine.run('r');
  assert.is(found, recovered);
  await engine.stop();
  // Then nobody runs it here any more.
  const again = (await engine.run('r')) as Run;
  assert.is.not(again, found);
  assert.instance(await again.settled().catch((error: unknown) => error), NotUnderWayError);
});

test('that goes on elsewhere is read anew, and its earlier handle stays as it was', async () => {
  const { store, flow } = await left(false);
  const elsewhere = virtualEngine({ store });
  const { engine } = virtualEngine({ store, flows: [flow] });
  const early = (await engine.run('r')) as Run;
  const [run] = await elsewhere.engine.recover([flow]);
  run?.cancel('elsewhere');
  await elsewhere.clock.advance(5_000);
  const late = (await engine.run('r')) as Run;
  assert.equal([early.view().status, late.view().status], ['running', 'cancelled']);
  assert.equal([early.seq < late.seq, late.seq], [true, run?.seq]);
  assert.is((await late.settled()).reason, 'elsewhere');
});

test('is still there after a rerun that the store could not keep', async () => {
  const { store, flow } = await left(true);
  const broken = new Error('disk full');
  const { clock, engine } = virtualEngine({
    flows: [flow],
    store: storeOver(store, {
      append: () => {
        throw broken;
      },
    }),
  });
  const run = (await engine.run('r')) as Run;
  run.rerun(['b']);
  const ended = run.settled().catch((error: unknown) => error);
  await clock.advance(1);
  assert.is(await ended, broken);
  const again = (await engine.run('r')) as Run;
  assert.equal([again === run, (await again.settled()).status, again.seq], [false, 'done', 8]);
});

test('does not run again under an old handle while it is under way', async () => {
  const { store, flow } = await left(true);
  const { clock, engine } = virtualEngine({ store, flows: [flow] });
  const old = (await engine.run('r')) as Run;
  const elsewhere = virtualEngine({ store, flows: [flow] });
  const other = (await elsewhere.engine.run('r')) as Run;
  other.rerun(['b']);
  await elsewhere.clock.run(other.settled());
  const run = (await engine.run('r')) as Run;
  run.rerun(['b']);
  assert.throws(
    () => old.rerun(['a']),
    (error: unknown) => error instanceof JournalError && error.code === 'under_way',
  );
  assert.is((await clock.run(run.settled())).status, 'done');
});

test('runs again only on an engine with the pools of its flow', async () => {
  const store = createMemoryStore();
  const flow = createFlow('pooled').task('a', { pool: 'api', perform: () => 1 });
  const first = virtualEngine({ store, pools: { api: 1 } });
  await first.clock.run((await first.engine.start(flow, undefined, { id: 'r' })).settled());
  const run = (await virtualEngine({ store, flows: [flow] }).engine.run('r')) as Run;
  assert.is(run.view().status, 'done');
  assert.throws(() => run.rerun(), /^`pool` of task `a` of flow `pooled` must be a pool/);
  assert.is(store.read('r').length, run.seq);
});

test('is told apart from none', async () => {
  const { store, flow } = await left(true);
  const { engine } = virtualEngine({ store, flows: [flow] });
  assert.is(await engine.run('nobody'), undefined);
  store.remove('r');
  assert.is(await engine.run('r'), undefined);
});

// Which flow it is of.

/** The error with which an engine refuses to show a run. */
async function refusalOf(engine: Engine, id = 'r'): Promise<unknown[]> {
  const error = await engine.run(id).catch((refusal: unknown) => refusal);
  if (error instanceof FlowError) return [error.code, error.flow, error.message];
  if (error instanceof JournalError) return [error.code, error.runId, error.place];
  throw new Error(`not refused: ${error}`);
}

const unknown =
  'Run r is in the store, but the engine does not know its flow `left`. Name the flow in `createEngine({ flows })`, ' +
  'or start or recover a run of it first.';

const ways: Record<string, (engine: Engine, flow: AnyFlow) => unknown> = {
  started: (engine, flow) => engine.start(flow, undefined, { paused: true }),
  recovered: (engine, flow) => engine.recover([flow]),
  'made into logic': (engine, flow) => engine.logic(flow),
};

for (const [how, use] of Object.entries(ways)) {
  test(`is read once a flow of its name was ${how}`, async () => {
    const { store, flow } = await left(true);
    const { engine } = virtualEngine({ store });
    assert.equal(await refusalOf(engine), ['unknown_flow', 'left', unknown]);
    await use(engine, flow as never);
    assert.is((await engine.run('r'))?.view().status, 'done');
  });
}

test('is read with the version of its flow with which it was started, among those that the engine knows', async () => {
  const { store, flow } = await left(true);
  const changed = createFlow('left').task('a', { perform: () => 1 });
  const message =
    'Run r was started with another version of flow `left`: `b` was removed. Continue it with the flow with which it ' +
    "was started, or with this one by `engine.recover(flows, { onFlowChange: 'adopt' })`.";
  const { engine } = virtualEngine({ store, flows: [changed] });
  assert.equal(await refusalOf(engine), ['flow_changed', 'left', message]);
  engine.logic(flow);
  assert.is((await engine.run('r'))?.view().status, 'done');
  const other = virtualEngine({ store, flows: [flow] }).engine;
  other.logic(changed);
  assert.is((await other.run('r'))?.view().status, 'done');
});

test('runs again with the bodies of the flow that the engine was given', async () => {
  const { store, flow, calls } = await left(true);
  const better = flow.provide({ b: { perform: () => calls.push('better b') } } as never);
  const { clock, engine } = virtualEngine({ store, flows: [better] });
  engine.logic(flow);
  const run = (await engine.run('r')) as Run;
  run.rerun(['b']);
  await clock.run(run.settled());
  assert.equal(calls, ['a', 'b', 'better b']);
});

test('whose input was never accepted names no flow', async () => {
  const store = createMemoryStore();
  const first = virtualEngine({ store });
  const flow = createFlow('f', { input: { '~standard': refusing } as never }).task('a', { perform: () => 1 });
  const actor = createActor(first.engine.logic(flow as AnyFlow), { clock: first.clock, input: 1 }).start();
  await first.clock.advance(0);
  const { id, status } = actor.getSnapshot().context;
  assert.is(status, 'failed');
  const [code, name, message] = await refusalOf(virtualEngine({ store, flows: [flow] }).engine, id);
  assert.equal([code, name], ['unknown_flow', undefined]);
  assert.match(String(message), /its input was never accepted/);
});

const refusing = {
  version: 1,
  vendor: 'test',
  validate: () => ({ issues: [{ message: 'refused' }] }),
};

test('whose journal is none is refused, with the place', async () => {
  const { store, flow } = await left(true);
  const entries = store.read('r');
  const { engine } = virtualEngine({ store, flows: [flow] });
  append(store, 'cut', [{ ...(entries[0] as Entry), runId: 'cut' }, null as never], 0);
  assert.equal(await refusalOf(engine, 'cut'), ['malformed', 'cut', 'entries[1]']);
  append(store, 'other', entries, 0);
  assert.is((await refusalOf(engine, 'other'))[0], 'malformed');
});

// A store that takes its time.

/** An engine whose store answers a microtask, or an instant of its clock, later. */
function lateEngine(memory: MemoryStore, how: 'microtask' | 'macrotask', flows: readonly AnyFlow[]) {
  let wait = () => Promise.resolve();
  const made = virtualEngine({ store: lateReadingStore(memory, () => wait()), flows });
  if (how === 'macrotask') wait = () => made.clock.sleep(0);
  return made;
}

for (const how of ['microtask', 'macrotask'] as const) {
  test(`is found, with all others, in a store that answers a ${how} later`, async () => {
    const { store, flow } = await left(false);
    const { clock, engine } = lateEngine(store, how, [flow]);
    const quick = createFlow('quick').task('a', { perform: () => 1 });
    const live = await engine.start(flow, undefined, { id: 'live' });
    const settled = await engine.start(quick, undefined, { id: 'settled' });
    await clock.run(settled.settled());
    assert.equal([await engine.run('live'), await engine.run('settled')], [live, settled]);
    const asked = Promise.all([engine.run('r'), engine.run('r'), engine.run('nobody'), engine.runs()]);
    const [one, two, none, all] = await clock.run(asked);
    assert.is(one, two);
    assert.equal([one?.view().tasks.b?.status, none], ['running', undefined]);
    assert.equal(
      all.map(({ id }) => id),
      ['r', 'live', 'settled'],
    );
  });

  test(`is the live one if it started or was recovered while the store was read (${how})`, async () => {
    const { store, flow } = await left(false);
    const { clock, engine } = lateEngine(store, how, [flow]);
    const asked = [engine.run('new'), engine.run('r')];
    const recovered = engine.recover([flow]);
    const started = await engine.start(flow, undefined, { id: 'new' });
    const [fresh, old] = await clock.run(Promise.all(asked));
    assert.is(fresh, started);
    // Read before it was recovered, or found after.
    assert.is(old?.id, 'r');
    const [run] = await clock.run(recovered);
    assert.is(await clock.run(engine.run('r')), run);
  });
}

test('is not shown if the store cannot be read, and the error is told', async () => {
  const memory = createMemoryStore();
  const broken = new Error('disk on fire');
  for (const fail of [
    () => {
      throw broken;
    },
    () => Promise.reject(broken),
  ]) {
    const store = storeOver(memory, { read: fail as never, list: fail as never });
    const { engine } = virtualEngine({ store });
    assert.is(await engine.run('r').catch((error: unknown) => error), broken);
    assert.is(await engine.runs().catch((error: unknown) => error), broken);
  }
});

test('is forgotten by a store that takes its time, and its error goes to the logger', async () => {
  const memory = createMemoryStore();
  const errors: unknown[] = [];
  const logger = { ...silent, error: (...line: unknown[]) => errors.push(...line) };
  const broken = new Error('not now');
  let isBroken = false;
  const { clock, engine } = virtualEngine({
    keepSettled: 0,
    logger,
    store: storeOver(memory, {
      remove: (async (id: string) => {
        await clock.sleep(5);
        if (isBroken) throw broken;
        memory.remove(id);
      }) as never,
    }),
  });
  const flow = createFlow('f').task('a', { perform: () => 1 });
  for (const id of ['removed', 'stays']) {
    await clock.run((await engine.start(flow, undefined, { id })).settled());
    isBroken = id === 'stays';
    await clock.advance(5);
  }
  assert.equal(errors, ['The store could not forget run stays', broken]);
  assert.equal(
    (await engine.runs()).map(({ id }) => id),
    ['stays'],
  );
});

test('has types as any other', async () => {
  const run: Run | undefined = await virtualEngine().engine.run('nobody');
  const heard: EntryOf<'run.done'>[] = [];
  run?.on('run.done', (event) => heard.push(event));
  assert.equal([run, heard], [undefined, []]);
});
