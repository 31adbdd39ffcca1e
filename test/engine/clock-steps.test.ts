import { mock } from 'node:test';
import {
  type Clock,
  createEngine,
  createFlow,
  createFlowFromGraph,
  createMemoryStore,
  type Entry,
  type Run,
  type Store,
} from 'topple';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('clock-steps');

const hourMs = 3_600_000;

/** So that a step back goes below no instant of the run's own. */
const begunAt = 1_000 * hourMs;

/** An engine whose time of day is far from where its monotonic clock begins. */
function steppedEngine(store: Store = createMemoryStore()) {
  const { clock, engine } = virtualEngine({ store });
  clock.stepWall(begunAt);
  return { clock, engine };
}

/** How a task and its run ended, and after how much time. */
async function endOf({ clock }: ReturnType<typeof steppedEngine>, run: Run, taskId = 'a') {
  const view = await clock.run(run.settled());
  const { status, cause } = view.tasks[taskId] ?? {};
  return { run: view.status, task: status, cause, afterMs: clock.monotonicNow() };
}

async function entriesOf(run: Run): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of run.events()) entries.push(entry);
  return entries;
}

function neverDecreases(entries: readonly Entry[]): boolean {
  return entries.every(({ at }, index) => at >= (entries[index - 1]?.at ?? at));
}

for (const stepMs of [hourMs, -hourMs]) {
  const stepped = stepMs > 0 ? 'an hour ahead' : 'an hour back';

  test(`an attempt that takes less than its limit is done where the time of day is set ${stepped}`, async () => {
    const world = steppedEngine();
    const flow = createFlow('f').task('a', {
      timeoutMs: 10_000,
      perform: async () => {
        await world.clock.sleep(50);
        world.clock.stepWall(stepMs);
        await world.clock.sleep(50);
      },
    });
    const run = await world.engine.start(flow);
    assert.equal(await endOf(world, run), { run: 'done', task: 'done', cause: undefined, afterMs: 100 });
    assert.ok(neverDecreases(await entriesOf(run)));
  });

  test(`a limit and its grace end an attempt in time where the time of day is set ${stepped}`, async () => {
    const world = steppedEngine();
    const flow = createFlow('f').task('a', {
      timeoutMs: 1_000,
      graceMs: 200,
      perform: () => new Promise(() => {}),
    });
    const run = await world.engine.start(flow);
    await world.clock.advance(900);
    world.clock.stepWall(stepMs);
    await world.clock.advance(200);
    world.clock.stepWall(stepMs);
    assert.equal(await endOf(world, run), {
      run: 'failed',
      task: 'failed',
      cause: 'timeout',
      afterMs: 1_200,
    });
  });

  test(`a task's and a run's total time are as long where the time of day is set ${stepped}`, async () => {
    for (const option of ['task', 'run']) {
      const world = steppedEngine();
      const flow = createFlow('f', option === 'run' ? { totalTimeoutMs: 1_000 } : {}).task('a', {
        ...(option === 'task' ? { totalTimeoutMs: 1_000 } : {}),
        perform: ({ signal }) => world.clock.sleep(hourMs, signal),
      });
      const run = await world.engine.start(flow);
      await world.clock.advance(500);
      world.clock.stepWall(stepMs);
      await world.clock.advance(499);
      assert.is(run.view().tasks.a?.status, 'running');
      const task = option === 'task' ? 'failed' : 'cancelled';
      assert.equal(await endOf(world, run), { run: 'failed', task, cause: 'timeout', afterMs: 1_000 });
    }
  });

  test(`a retry waits as long where the time of day is set ${stepped}`, async () => {
    const world = steppedEngine();
    const starts: number[] = [];
    const flow = createFlow('f').task('a', {
      retry: { maxAttempts: 3, backoff: 1_000 },
      perform: () => {
        starts.push(world.clock.monotonicNow());
        if (starts.length < 3) throw new Error('again');
      },
    });
    const run = await world.engine.start(flow);
    await world.clock.advance(500);
    world.clock.stepWall(stepMs);
    assert.equal(await endOf(world, run), { run: 'done', task: 'done', cause: undefined, afterMs: 2_000 });
    assert.equal(starts, [0, 1_000, 2_000]);
    assert.ok(neverDecreases(await entriesOf(run)));
  });

  test(`elapsed time of retries is measured where the time of day is set ${stepped}`, async () => {
    const world = steppedEngine();
    const elapsed: number[] = [];
    const flow = createFlow('f').task('a', {
      retry: {
        maxAttempts: 10,
        backoff: 1_000,
        maxElapsedMs: 3_500,
        retryIf: (_, { elapsedMs }) => elapsed.push(elapsedMs) > 0,
      },
      perform: () => {
        world.clock.stepWall(stepMs);
        throw new Error('again');
      },
    });
    const run = await world.engine.start(flow);
    const end = { run: 'failed', task: 'failed', cause: 'exhausted', afterMs: 3_000 };
    assert.equal(await endOf(world, run), end);
    assert.equal(elapsed, [0, 1_000, 2_000, 3_000]);
  });

  test(`an engine that is stopped gives its grace where the time of day is set ${stepped}`, async () => {
    const world = steppedEngine();
    const flow = createFlow('f').task('a', { perform: () => new Promise(() => {}) });
    await world.engine.start(flow);
    await world.clock.advance(0);
    const stopped = world.engine.stop({ graceMs: 1_000 });
    await world.clock.advance(500);
    world.clock.stepWall(stepMs);
    await world.clock.run(stopped);
    assert.is(world.clock.monotonicNow(), 1_000);
  });

  test(`a run that is recovered waits for what is left where the time of day is set ${stepped} after`, async () => {
    const store = createMemoryStore();
    const before = steppedEngine(store);
    const starts: number[] = [];
    const flow = createFlow('f', { totalTimeoutMs: 5_000 })
      .task('a', {
        retry: { maxAttempts: 2, backoff: 1_000 },
        perform: ({ attempt }) => {
          if (attempt === 1) throw new Error('again');
        },
      })
      .task('b', {
        dependsOn: ['a'],
        perform: ({ signal }) => world.clock.sleep(hourMs, signal),
      });
    await before.engine.start(flow, undefined, { id: 'r' });
    await before.clock.advance(400);
    await before.engine.stop();

    const world = steppedEngine(store);
    world.clock.stepWall(400);
    const [run] = (await world.engine.recover([flow])) as [Run];
    run.on('task.started', () => starts.push(world.clock.monotonicNow()));
    await world.clock.advance(100);
    world.clock.stepWall(stepMs);
    const end = { run: 'failed', task: 'cancelled', cause: 'timeout', afterMs: 4_600 };
    assert.equal(await endOf(world, run, 'b'), end);
    assert.equal(starts, [600, 600]);
    assert.ok(neverDecreases(store.read('r')));
  });
}

test('a run is placed by the time of day when it is recovered, and never before its last entry', async () => {
  for (const [stepMs, waitMs] of [
    [-hourMs, 1_000],
    [600, 400],
    [hourMs, 0],
  ] as const) {
    const store = createMemoryStore();
    const before = steppedEngine(store);
    const flow = createFlow('f').task('a', {
      retry: { maxAttempts: 2, backoff: 1_000 },
      perform: ({ attempt }) => {
        if (attempt === 1) throw new Error('again');
      },
    });
    await before.engine.start(flow, undefined, { id: 'r' });
    await before.clock.advance(400);
    await before.engine.stop();

    const world = steppedEngine(store);
    world.clock.stepWall(stepMs);
    const [run] = (await world.engine.recover([flow])) as [Run];
    assert.equal(await endOf(world, run), { run: 'done', task: 'done', cause: undefined, afterMs: waitMs });
    assert.ok(neverDecreases(store.read('r')));
  }
});

test('a new run is stamped with the time of day that was set back', async () => {
  const { clock, engine } = steppedEngine();
  const flow = createFlow('f').task('a', { perform: () => {} });
  await clock.run((await engine.start(flow)).settled());
  clock.stepWall(-hourMs);
  const view = await clock.run((await engine.start(flow)).settled());
  assert.is(view.startedAt, begunAt - hourMs);
});

test('a clock with `now` alone is read for both', async () => {
  const { clock } = steppedEngine();
  let nowMs = 5_000;
  const timers: { readonly at: number; readonly callback: () => void }[] = [];
  const alone: Clock = {
    setTimeout: (callback, timeoutMs) => timers.push({ at: nowMs + timeoutMs, callback }),
    clearTimeout: () => {},
    now: () => nowMs,
    whenIdle: (callback) => clock.whenIdle(callback),
  };
  const engine = createEngine({ clock: alone, logger: silent });
  const flow = createFlow('f').task('a', {
    timeoutMs: 100,
    graceMs: 0,
    perform: () => new Promise(() => {}),
  });
  const run = await engine.start(flow);
  await clock.advance(0);
  for (const ms of [100, 0]) {
    nowMs += ms;
    for (const { at, callback } of timers.splice(0)) if (at <= nowMs) callback();
    await clock.advance(0);
  }
  const { startedAt, endedAt, status } = (await run.settled()).tasks.a ?? {};
  assert.equal([startedAt, endedAt, status], [5_000, 5_100, 'failed']);
});

for (const stepMs of [hourMs, -hourMs]) {
  test(`on the real clock nothing follows a \`Date.now\` that is ${stepMs} ms off`, async () => {
    const engine = createEngine({ logger: silent });
    const began = performance.now();
    const flow = createFlow('f', { totalTimeoutMs: 60_000 })
      .task('a', {
        timeoutMs: 60_000,
        retry: { maxAttempts: 2, backoff: 1, maxElapsedMs: 60_000 },
        perform: ({ attempt }) => {
          step(stepMs);
          if (attempt === 1) throw new Error('again');
        },
      })
      .task('late', {
        dependsOn: ['a'],
        timeoutMs: 1,
        graceMs: 1,
        perform: () => {
          step(-stepMs);
          return new Promise(() => {});
        },
      });
    const { now } = Date;
    const step = (ms: number): void => {
      const read = Date.now;
      Date.now = () => read() + ms;
    };
    try {
      const run = await engine.start(flow);
      const { tasks } = await run.settled();
      assert.equal(
        [tasks.a?.status, tasks.a?.attempts, tasks.late?.cause, tasks.late?.error?.name],
        ['done', 2, 'timeout', 'TimeoutError'],
      );
      assert.ok(neverDecreases(await entriesOf(run)));
      assert.ok(performance.now() - began < 30_000);
    } finally {
      Date.now = now;
    }
  });
}

test('the event loop gets its turn among tasks that never wait where the time of day is set back', async () => {
  let nowMs = begunAt;
  const clock: Clock = {
    setTimeout: () => undefined,
    clearTimeout: () => {},
    now: () => nowMs++,
    monotonicNow: () => 0,
  };
  const ids = Array.from({ length: 200 }, (_, index) => `t${index}`);
  const tasks = ids.map((id, index) => [id, { dependsOn: ids.slice(Math.max(index - 1, 0), index) }]);
  let turns = 0;
  let isOver = false;
  const takeTurn = (): void => {
    turns++;
    if (!isOver) setImmediate(takeTurn);
  };
  const flow = createFlowFromGraph({ tasks: Object.fromEntries(tasks) }, ({ taskId }) => {
    // One of them is in the middle of a slice.
    if (/^t10\d$/.test(taskId)) nowMs -= hourMs;
    if (taskId === 't110') takeTurn();
  });
  const run = await createEngine({ clock, logger: silent }).start(flow);
  await run.settled();
  isOver = true;
  assert.ok(turns > 10, `${turns}`);
});

test('waits go by timers that test tools have replaced, though the monotonic clock knows nothing of them', async () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  try {
    const engine = createEngine({ logger: silent });
    const flow = createFlow('f').task('a', {
      retry: { maxAttempts: 3, backoff: hourMs },
      perform: ({ attempt }) => {
        if (attempt < 3) throw new Error('again');
      },
    });
    const run = await engine.start(flow);
    for (const attempt of [1, 2]) {
      await new Promise<void>((resolve) => {
        if (run.view().tasks.a?.status === 'retrying') resolve();
        else run.on('task.retrying', () => resolve());
      });
      assert.is(run.view().tasks.a?.attempts, attempt);
      // The turn that set the timer is over with the next macrotask.
      await new Promise((resolve) => setImmediate(resolve));
      mock.timers.tick(hourMs);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.is((await run.settled()).status, 'done');
  } finally {
    mock.timers.reset();
  }
});
