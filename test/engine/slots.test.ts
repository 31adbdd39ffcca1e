import { createEngine, createFlow, createFlowFromGraph, FlowError, type GraphTask } from 'topple';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { simulate, virtualEngine } from '../support/virtual.ts';

const test = spec('slots');

/** Runs a graph and gives which task started when. */
async function startsOf(tasks: Record<string, GraphTask>, options: object = {}): Promise<string[]> {
  const view = await simulate({ tasks, ...options });
  return Object.entries(view.tasks)
    .map(([id, { startedAt = 0 }]) => ({ id, startedAt }))
    .sort((a, b) => a.startedAt - b.startedAt)
    .map(({ id, startedAt }) => `${startedAt} ${id}`);
}

test('starts the higher priority first, then who was ready first, then by definition', async () => {
  const starts = await startsOf(
    {
      first: { duration: 10 },
      late: { needs: ['first'], duration: 10, priority: -1 },
      b: { duration: 10 },
      a: { duration: 10 },
      urgent: { duration: 10, priority: 5 },
    },
    { concurrency: 1 },
  );
  assert.equal(starts, ['0 urgent', '10 first', '20 b', '30 a', '40 late']);
});

test('queues a retry by when it became due', async () => {
  const starts: string[] = [];
  const { clock, engine } = virtualEngine({ concurrency: 1 });
  const perform = async ({ taskId, attempt }: { taskId: string; attempt: number }) => {
    starts.push(`${clock.now()} ${taskId}#${attempt}`);
    await clock.sleep(10);
    if (taskId === 'a' && attempt === 1) throw new Error('once');
  };
  const flow = createFlowFromGraph(
    { tasks: { a: { retry: { maxAttempts: 2, backoff: 15 } }, b: {}, c: {}, d: { needs: ['b'] } } },
    perform,
  );
  await clock.run((await engine.start(flow)).settled());
  assert.equal(starts, ['0 a#1', '10 b#1', '20 c#1', '30 d#1', '40 a#2']);
});

test('queues a retry that became due during a pause behind what was ready before it', async () => {
  const { clock, engine } = virtualEngine();
  const starts: string[] = [];
  const flow = createFlowFromGraph(
    {
      pools: { p: 1 },
      tasks: {
        a: { pool: 'p', retry: { maxAttempts: 2, backoff: 0 } },
        gate: {},
        b: { pool: 'p', needs: ['gate'] },
      },
    },
    async ({ taskId, attempt }) => {
      if (taskId === 'gate') return clock.sleep(5);
      starts.push(`${clock.now()} ${taskId}${attempt}`);
      await clock.sleep(10);
      if (taskId === 'a' && attempt === 1) throw new Error('once');
    },
  );
  const run = await engine.start(flow);
  await clock.advance(1);
  run.pause();
  await clock.advance(40);
  run.resume();
  await clock.run(run.settled());
  assert.equal(starts, ['0 a1', '41 b1', '51 a2']);
});

test('keeps the limits of engine, run and pools at once', async () => {
  const { clock, engine } = virtualEngine({ concurrency: 4, pools: { mail: 2 } });
  const under = { all: 0, mail: 0, db: 0, r1: 0 };
  const most = { ...under };
  const perform = async ({ taskId, runId }: { taskId: string; runId: string }) => {
    const kinds = ['all', taskId.split('-')[0], runId].filter(
      (kind): kind is keyof typeof under => (kind ?? '') in under,
    );
    for (const kind of kinds) most[kind] = Math.max(most[kind], ++under[kind]);
    await clock.sleep(10);
    for (const kind of kinds) under[kind]--;
  };
  const tasks = Object.fromEntries(
    ['mail', 'db', 'free'].flatMap((kind) =>
      Array.from({ length: 8 }, (_, i) => [`${kind}-${i}`, kind === 'free' ? {} : { pool: kind }]),
    ),
  );
  const flow = createFlowFromGraph({ tasks, pools: { db: 1 } }, perform);
  const r1 = await engine.start(flow, undefined, { id: 'r1', concurrency: 3 });
  const r2 = await engine.start(flow, undefined, { id: 'r2' });
  await clock.run(Promise.all([r1.settled(), r2.settled()]));
  assert.equal(most, { all: 4, mail: 2, db: 2, r1: 3 });
  assert.equal(under, { all: 0, mail: 0, db: 0, r1: 0 });
});

test('lets a full pool hold up no other task', async () => {
  const starts = await startsOf(
    { m1: { pool: 'mail', duration: 10 }, m2: { pool: 'mail', duration: 10 }, free: { duration: 10 } },
    { concurrency: 2, pools: { mail: 1 } },
  );
  assert.equal(starts, ['0 m1', '0 free', '10 m2']);
});

test('refuses a pool that nobody names, when the run starts', async () => {
  const flow = createFlow('mail').task('a', { pool: 'mial', perform: () => 1 });
  const { engine } = virtualEngine({ pools: { mail: 1 } });
  const error = await engine.start(flow).catch((refusal: unknown) => refusal);
  assert.instance(error, FlowError);
  assert.match(
    (error as Error).message,
    /`pool` of task `a` of flow `mail` must be a pool that the flow or the engine names \(`mail`\)/,
  );
});

test('never loses a slot, whatever a task does', async () => {
  const { clock, engine } = virtualEngine({ concurrency: 2, pools: { p: 1 } });
  const deeds: ((scope: { signal: AbortSignal }) => unknown)[] = [
    () => {
      throw undefined;
    },
    () => Promise.reject(new Error('rejects')),
    () => new Promise(() => {}),
    ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    () => clock.sleep(500),
    () => ({
      then: () => {
        throw new Error('then');
      },
    }),
    () => 1,
  ];
  const tasks = new Map(
    Array.from({ length: 70 }, (_, i) => [
      `${i}`,
      {
        timeoutMs: 50,
        graceMs: i % 3 === 0 ? 0 : 20,
        pool: i % 2 === 0 ? 'p' : undefined,
        retry: { maxAttempts: 1 + (i % 3), backoff: i % 5 },
      } satisfies GraphTask,
    ]),
  );
  const wild = createFlowFromGraph({ tasks }, (scope) => deeds[Number(scope.taskId) % deeds.length]?.(scope));
  const run = await engine.start(wild);
  await clock.advance(333);
  const cancelled = await engine.start(wild);
  await clock.advance(100);
  cancelled.cancel();
  await clock.run(Promise.all([run.settled(), cancelled.settled()]));
  let most = 0;
  let now = 0;
  const count = createFlowFromGraph(
    { tasks: { a: {}, b: {}, c: { pool: 'p' }, d: { pool: 'p' }, e: {} } },
    async () => {
      most = Math.max(most, ++now);
      await clock.sleep(1);
      now--;
    },
  );
  await clock.run((await engine.start(count)).settled());
  assert.is(most, 2);
});

test("shares the engine's slots between runs, the earlier run first where all else is equal", async () => {
  const { clock, engine } = virtualEngine({ concurrency: 1 });
  const starts: string[] = [];
  const flow = createFlowFromGraph({ tasks: { a: {}, b: {} } }, async ({ runId, taskId }) => {
    starts.push(`${clock.now()} ${runId} ${taskId}`);
    await clock.sleep(10);
  });
  const runs = await Promise.all([
    engine.start(flow, undefined, { id: 'r1' }),
    engine.start(flow, undefined, { id: 'r2' }),
  ]);
  await clock.run(Promise.all(runs.map((run) => run.settled())));
  assert.equal(starts, ['0 r1 a', '10 r1 b', '20 r2 a', '30 r2 b']);
});

for (const concurrency of [0, -1, 1.5, Number.NaN, '2']) {
  test(`refuses a concurrency of ${JSON.stringify(concurrency)}`, () => {
    assert.throws(
      () => createEngine({ concurrency: concurrency as number }),
      /`concurrency` of `createEngine` must be an integer of at least 1, or Infinity, but is/,
    );
  });
}

test('lets what was started complete, and the event loop have its turn, when starting takes long', async () => {
  let now = 1_000;
  const clock = { now: () => now, setTimeout: () => 0, clearTimeout: () => {} };
  const order: string[] = [];
  const perform = ({ taskId }: { taskId: string }) => {
    if (order.length === 0) setImmediate(() => order.push('event loop'));
    order.push(taskId);
    // Works before it waits.
    now += 4;
    return Promise.resolve();
  };
  const tasks = Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map((id) => [id, {}]));
  const run = await createEngine({ clock }).start(createFlowFromGraph({ tasks }, perform));
  run.on('task.done', ({ taskId }) => order.push(`${taskId} done`));
  await run.settled();
  assert.equal(order, [
    ...['a', 'b', 'c', 'd'],
    'event loop',
    ...['a done', 'b done', 'c done', 'd done'],
    ...['e', 'f'],
    ...['e done', 'f done'],
  ]);
});
