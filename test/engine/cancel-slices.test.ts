import {
  type Clock,
  createEngine,
  createFlow,
  createFlowFromGraph,
  createMemoryStore,
  type Run,
} from 'topple';
import * as assert from 'uvu/assert';
import { type AnyActorRef, createActor, type InspectionEvent } from 'xstate';
import { spec } from '../spec.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('slices of a cancel');

/** Each reading takes a millisecond of its time, so that a slice is a handful of tasks; what is due comes by hand. */
function slowClock(): Clock & { fire(): void } {
  let ms = 0;
  const timers = new Set<{ readonly callback: () => void }>();
  return {
    now: () => 0,
    monotonicNow: () => ms++,
    setTimeout: (callback) => {
      const timer = { callback };
      timers.add(timer);
      return timer;
    },
    clearTimeout: (timer) => void timers.delete(timer as { readonly callback: () => void }),
    fire: () => {
      ms += 1_000_000;
      for (const timer of [...timers]) {
        timers.delete(timer);
        timer.callback();
      }
    },
  };
}

const eventLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A body that waits for its signal. */
const heeds = ({ signal }: { readonly signal: AbortSignal }): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

/** `first`, and a hundred tasks of which each depends on these. */
function fan(dependsOn: readonly string[]) {
  const ids = Array.from({ length: 100 }, (_, index) => `t${index}`);
  const tasks = { first: {}, ...Object.fromEntries(ids.map((id) => [id, { dependsOn }])) };
  return createFlowFromGraph({ tasks }, heeds as never);
}

/** A run of it whose first attempts are under way, and what is told of it from then on. */
async function world(dependsOn: readonly string[], concurrency = 1) {
  const clock = slowClock();
  const store = createMemoryStore();
  const engine = createEngine({ clock, store, concurrency, logger: silent });
  const run = await engine.start(fan(dependsOn), undefined, { id: 'r' });
  await eventLoop();
  await eventLoop();
  const types = (): string[] => store.read('r').map(({ type }) => type);
  const before = types().length;
  return { clock, store, engine, run, told: () => types().slice(before) };
}

const countOf = (types: readonly string[], type: string): number =>
  types.filter((other) => other === type).length;

const statusesOf = (run: Run): string[] => [
  ...new Set(Object.values(run.view().tasks).map(({ status }) => status)),
];

for (const [what, dependsOn] of [
  ['for their dependency', ['first']],
  ['for a slot', []],
] as const) {
  test(`lets the event loop have its turn while tasks that wait ${what} are cancelled, and starts none`, async () => {
    const { run, told } = await world(dependsOn);
    const counts: number[] = [];
    run.cancel('enough');
    assert.is(run.view().status, 'cancelling');
    while (run.view().status === 'cancelling') {
      counts.push(Object.values(run.view().tasks).filter(({ status }) => status === 'cancelled').length);
      await eventLoop();
    }
    assert.ok(counts.length > 10, `${counts}`);
    assert.ok(
      counts.every((count, index) => count - (counts[index - 1] ?? 0) <= 12),
      `${counts}`,
    );
    const types = told();
    assert.equal([types.at(0), types.at(-1)], ['run.cancelling', 'run.cancelled']);
    assert.equal([countOf(types, 'task.cancelled'), types.length], [101, 103]);
    assert.equal(statusesOf(run as Run), ['cancelled']);
  });
}

test('starts nothing where the run was paused', async () => {
  const { run, told } = await world([]);
  run.pause();
  run.cancel();
  await run.settled();
  assert.is(countOf(told(), 'task.started'), 0);
  assert.is(countOf(told(), 'task.cancelled'), 101);
});

test('notify bodies under way first', async () => {
  const clock = slowClock();
  const engine = createEngine({ clock, logger: silent });
  let aborted = false;
  const tasks = Array.from({ length: 100 }, (_, index) => [`t${index}`, { pool: 'none' }] as const);
  const flow = createFlowFromGraph(
    { pools: { none: 1 }, tasks: { ...Object.fromEntries(tasks), last: {} } },
    (({ taskId, signal }: { taskId: string; signal: AbortSignal }) => {
      if (taskId === 'last') signal.addEventListener('abort', () => (aborted = true));
      return new Promise(() => {});
    }) as never,
  );
  const run = await engine.start(flow);
  await eventLoop();
  run.cancel();
  assert.is(aborted, true);
  await engine.stop();
});

test('goes on after a stop between two of them, in another engine, and starts none', async () => {
  for (const dependsOn of [[], ['first']]) {
    const { run, store, engine, told } = await world(dependsOn);
    run.cancel('enough');
    await eventLoop();
    await engine.stop();
    const cancelled = countOf(told(), 'task.cancelled');
    assert.ok(cancelled > 0 && cancelled < 50, `${cancelled}`);
    await eventLoop();
    await eventLoop();
    assert.is(countOf(told(), 'task.cancelled'), cancelled);

    const after = virtualEngine({ store });
    const [again] = (await after.engine.recover([fan(dependsOn)])) as [Run];
    const view = await after.clock.run(again.settled());
    assert.equal([view.status, view.reason], ['cancelled', 'enough']);
    assert.equal(
      ['task.started', 'run.cancelling', 'task.cancelled'].map((type) => countOf(told(), type)),
      [0, 1, 101],
    );
  }
});

test('ignore a second cancel between two of them', async () => {
  const { run, told } = await world(['first']);
  run.cancel('first');
  await eventLoop();
  run.cancel('second');
  assert.is((await run.settled()).reason, 'first');
  assert.is(countOf(told(), 'run.cancelling'), 1);
});

test('lets tasks that are under way settle meanwhile, each once, and tells these nothing', async () => {
  const clock = slowClock();
  let told = 0;
  const inspect = (event: InspectionEvent): void => {
    if (event.type === '@xstate.event' && event.event.type === 'task.cancel') told++;
  };
  const engine = createEngine({ clock, logger: silent, inspect });
  const resolvers: (() => void)[] = [];
  const ids = Array.from({ length: 100 }, (_, index) => `t${index}`);
  const flow = createFlowFromGraph(
    { tasks: Object.fromEntries(ids.map((id) => [id, {}])) },
    (() => new Promise<void>((resolve) => resolvers.push(resolve))) as never,
  );
  const run = await engine.start(flow);
  while (resolvers.length < 100) await eventLoop();
  run.cancel();
  await eventLoop();
  for (const resolve of resolvers) resolve();
  const view = await run.settled();
  const types: string[] = [];
  for await (const { type } of run.events()) types.push(type);
  const ended = ['task.done', 'task.cancelled'].map((type) => countOf(types, type));
  assert.is((ended[0] ?? 0) + (ended[1] ?? 0), 100);
  assert.ok(ended.every((count) => count > 0));
  await eventLoop();
  await eventLoop();
  assert.is(told, ended[1]);
  assert.is(view.status, 'cancelled');
});

test('has limits and retries that come due between two of them start and fail nothing', async () => {
  const clock = slowClock();
  const engine = createEngine({ clock, logger: silent });
  const flow = Array.from({ length: 100 }, (_, index) => `t${index}`).reduce(
    (grown, id) =>
      grown.task(id, {
        totalTimeoutMs: 5_000,
        retry: { maxAttempts: 5, backoff: 1_000 },
        perform: () => {
          throw new Error('again');
        },
      }) as never,
    createFlow('retries'),
  );
  const run = await engine.start(flow);
  while (run.view().tasks.t99?.status !== 'retrying') await eventLoop();
  run.cancel();
  await eventLoop();
  clock.fire();
  const { tasks } = await run.settled();
  assert.equal(
    [...new Set(Object.values(tasks).map(({ status, attempts }) => `${status} ${attempts}`))],
    ['cancelled 1'],
  );
});

test('are the same in the interpreted run', async () => {
  const clock = slowClock();
  const actor = createActor(fan(['first']).machine, { input: undefined, clock });
  const types: string[] = [];
  actor.on('*', ({ type }) => types.push(type));
  actor.start();
  await eventLoop();
  await eventLoop();
  types.length = 0;
  const ended = new Promise<void>((resolve) => actor.subscribe({ complete: resolve }));
  actor.send({ type: 'run.cancel', reason: 'enough' });
  await eventLoop();
  assert.ok(countOf(types, 'task.cancelled') < 50);
  await ended;
  assert.is(countOf(types, 'task.cancelled'), 101);
  assert.is((actor as unknown as AnyActorRef).getSnapshot().value, 'cancelled');
});

test('are a single one on a clock that stands still', async () => {
  const { clock, engine } = virtualEngine({ concurrency: 1 });
  const run = await engine.start(fan(['first']));
  await clock.advance(0);
  run.cancel();
  const { tasks } = run.view();
  assert.is(Object.values(tasks).filter(({ status }) => status === 'cancelled').length, 100);
  assert.is((await clock.run(run.settled())).status, 'cancelled');
});
