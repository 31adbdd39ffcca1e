import {
  type Append,
  createEngine,
  createFlow,
  createMemoryStore,
  EngineStoppedError,
  type Entry,
  StoreConflictError,
} from 'topple';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { append, storeOver } from '../support/stores.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('stop and recover');

const never = () => new Promise<never>(() => {});

test('leaves unsettled runs in the store, and another engine takes them up', async () => {
  const store = createMemoryStore();
  const first = virtualEngine({ store });
  const calls: string[] = [];
  const flow = createFlow('recover')
    .task('a', {
      perform: () => {
        calls.push('a');
        return 'A';
      },
    })
    .task('b', {
      dependsOn: ['a'],
      perform: async ({ deps, attempt }) => {
        calls.push(`b${attempt} ${deps.a}`);
        if (calls.length < 4) await never();
        return 'B';
      },
    })
    .task('c', {
      retry: { maxAttempts: 3, backoff: 1_000 },
      perform: ({ attempt }) => {
        calls.push(`c${attempt}`);
        if (attempt === 1) throw new Error('once');
        return 'C';
      },
    })
    .task('d', { dependsOn: ['b', 'c'], perform: ({ deps, input }) => [deps, input] });
  const run = await first.engine.start(flow, { n: 1 }, { id: 'r' });
  await first.clock.advance(500);
  const ended = run.settled().catch((error: unknown) => error);
  await first.engine.stop();
  assert.instance(await ended, EngineStoppedError);
  const reason = await run.outputs().catch((error: unknown) => error);
  assert.instance(reason, EngineStoppedError);
  assert.instance(await first.engine.start(flow).catch((error: unknown) => error), EngineStoppedError);
  assert.is(first.clock.pending, 0);

  const second = virtualEngine({ store });
  await second.clock.advance(700);
  const [taken, ...more] = await second.engine.recover([flow]);
  assert.equal([taken?.id, more], ['r', []]);
  assert.equal(await second.engine.recover([flow]), []);
  const view = await second.clock.run((taken as typeof run).settled());
  assert.is(view.status, 'done');
  assert.equal(calls, ['a', 'c1', 'b1 A', 'b1 A', 'c2']);
  assert.equal(view.tasks.d?.output, [{ b: 'B', c: 'C' }, { n: 1 }]);
  assert.equal([view.tasks.c?.attempts, view.tasks.c?.endedAt], [2, 1_000]);
  const entries = store.read('r');
  assert.equal(
    entries.map((entry) => entry.seq),
    Array.from(entries, (_, i) => i + 1),
  );
  assert.is(entries.filter((entry) => entry.type === 'task.ready').length, 4);
});

test('lets attempts go on for the grace, and keeps what they return', async () => {
  const store = createMemoryStore();
  const { clock, engine } = virtualEngine({ store });
  const aborted: string[] = [];
  const flow = createFlow('grace')
    .task('short', { perform: () => clock.sleep(50).then(() => 'kept') })
    .task('after', { dependsOn: ['short'], perform: () => 'not yet' })
    .task('long', {
      perform: ({ signal }) => {
        signal.addEventListener('abort', () => aborted.push(signal.reason.name));
        return never();
      },
    });
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.advance(0);
  const stopped = engine.stop({ graceMs: 100 });
  await clock.advance(99);
  assert.equal(aborted, []);
  await clock.advance(1);
  await stopped;
  assert.equal(aborted, ['EngineStoppedError']);
  const { tasks } = run.view();
  assert.equal(
    [tasks.short?.output, tasks.after?.status, tasks.long?.status],
    ['kept', 'pending', 'running'],
  );
  assert.is(clock.pending, 0);
});

test('stops as soon as no attempt is under way', async () => {
  const { clock, engine } = virtualEngine();
  await engine.start(createFlow('idle').task('a', { perform: () => clock.sleep(50) }));
  await clock.advance(0);
  const stopped = engine.stop({ graceMs: 10_000 });
  await clock.advance(50);
  await stopped;
  assert.is(clock.now(), 50);
});

test('goes on with a paused and with a cancelled run as it was left', async () => {
  const store = createMemoryStore();
  const first = virtualEngine({ store });
  const flow = createFlow('left')
    .task('a', { graceMs: 1_000, perform: never })
    .task('b', { dependsOn: ['a'], perform: () => 1 });
  const paused = await first.engine.start(flow, undefined, { id: 'paused' });
  const cancelled = await first.engine.start(flow, undefined, { id: 'cancelled' });
  await first.clock.advance(1);
  paused.pause();
  cancelled.cancel('why');
  await first.clock.advance(1);
  await first.engine.stop();
  const second = virtualEngine({ store });
  await second.engine.recover([flow]);
  await second.clock.advance(10);
  assert.is((await second.engine.run('paused'))?.view().status, 'paused');
  assert.is((await second.engine.run('paused'))?.view().tasks.a?.attempts, 1);
  const view = (await second.engine.run('cancelled'))?.view();
  assert.equal([view?.status, view?.reason, view?.tasks.a?.status], ['cancelled', 'why', 'cancelled']);
  const attempts = store
    .read('cancelled')
    .flatMap((entry) => (entry.type === 'task.cancelled' && entry.taskId === 'a' ? [entry.attempt] : []));
  assert.equal(attempts, [1]);
});

/** Stops the run of a task with a limit during its second attempt, 50 ms after its first start. */
async function leftWithLimit() {
  const store = createMemoryStore();
  const calls: number[] = [];
  const flow = createFlow('limited').task('a', {
    totalTimeoutMs: 100,
    retry: { maxAttempts: 3, backoff: 20 },
    perform: ({ attempt }) => {
      calls.push(attempt);
      if (attempt === 2) return never();
      throw new Error('once');
    },
  });
  const { clock, engine } = virtualEngine({ store });
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.advance(50);
  run.pause();
  await clock.advance(0);
  await engine.stop();
  const next = virtualEngine({ store });
  return { flow, store, calls, ...next };
}

const outOfTime = {
  type: 'task.failed',
  attempt: 2,
  error: { name: 'TimeoutError', message: 'Task `a` took longer than its `totalTimeoutMs` of 100 ms' },
  cause: 'timeout',
};

/** How a task failed, without what each entry has. */
function failureOf(entries: readonly Entry[]) {
  return entries.flatMap((entry) => {
    if (entry.type !== 'task.failed') return [];
    const { type, at, attempt, error, cause } = entry;
    return [{ at, type, attempt, error: { name: error.name, message: error.message }, cause }];
  });
}

for (const isInspected of [false, true]) {
  const how = isInspected ? ', inspected' : '';
  const inspect = isInspected ? () => {} : undefined;

  test(`fails a task whose time is over while it waits for its slot again${how}`, async () => {
    const { flow, store, calls, clock } = await leftWithLimit();
    const engine = createEngine({ clock, store, logger: silent, inspect });
    await clock.advance(70);
    const [run] = await engine.recover([flow]);
    await clock.advance(29);
    assert.equal(failureOf(store.read('r')), []);
    await clock.advance(1);
    assert.equal(failureOf(store.read('r')), [{ at: 100, ...outOfTime }]);
    assert.equal([run?.view().status, run?.view().tasks.a?.attempts], ['failed', 2]);
    assert.equal([calls, clock.pending], [[1, 2], 0]);
  });

  test(`fails a task whose time was over before its run was recovered, and calls no body${how}`, async () => {
    const { flow, store, calls, clock } = await leftWithLimit();
    const engine = createEngine({ clock, store, logger: silent, inspect });
    await clock.advance(170);
    const [run] = await engine.recover([flow]);
    run?.resume();
    await clock.advance(0);
    assert.equal(failureOf(store.read('r')), [{ at: 170, ...outOfTime }]);
    assert.equal([calls, clock.pending], [[1, 2], 0]);
  });
}

test('shows a task that waits for its slot again as pending, from the first view on', async () => {
  const { flow, clock, engine } = await leftWithLimit();
  const [run] = await engine.recover([flow]);
  const shown = () => {
    const { status, attempts, startedAt } = run?.view().tasks.a ?? {};
    return { status, attempts, startedAt };
  };
  const waiting = { status: 'pending', attempts: 2, startedAt: 0 };
  assert.equal([shown(), run?.actor.getSnapshot().context.tasks.a?.status], [waiting, 'pending']);
  await clock.advance(10);
  assert.equal(shown(), waiting);
  run?.resume();
  assert.equal(shown(), waiting);
  await clock.advance(0);
  assert.equal(shown(), { ...waiting, status: 'running' });
});

test('cancels an attempt that waits to be made again under its number', async () => {
  const { flow, store, clock, engine } = await leftWithLimit();
  const [run] = await engine.recover([flow]);
  run?.cancel('why');
  await clock.advance(0);
  const attempts = store
    .read('r')
    .flatMap((entry) => (entry.type === 'task.cancelled' ? [entry.attempt] : []));
  assert.equal(attempts, [2]);
});

test('adds nothing to the journal of a run that is recovered paused, or being cancelled, however often', async () => {
  const store = createMemoryStore();
  const flow = createFlow('quiet').task('a', { graceMs: 1_000, perform: never });
  const first = virtualEngine({ store });
  for (const id of ['paused', 'cancelling']) await first.engine.start(flow, undefined, { id });
  await first.clock.advance(1);
  (await first.engine.run('paused'))?.pause();
  (await first.engine.run('cancelling'))?.cancel('why');
  await first.clock.advance(1);
  await first.engine.stop();
  const before = store.read('paused');
  for (let life = 0; life < 10; life++) {
    const { engine, clock } = virtualEngine({ store, inspect: life % 2 === 0 ? undefined : () => {} });
    const taken = await engine.recover([flow]);
    const paused = taken.find(({ id }) => id === 'paused');
    assert.equal([paused?.view().status, paused?.actor.getSnapshot().value], ['paused', 'paused']);
    await clock.advance(1);
    await engine.stop();
  }
  assert.equal(store.read('paused'), before);
  assert.equal(
    store.read('cancelling').map(({ type }) => type),
    ['run.started', 'task.ready', 'task.started', 'run.cancelling', 'task.cancelled', 'run.cancelled'],
  );
  const { engine, clock } = virtualEngine({ store });
  const [run] = await engine.recover([flow]);
  run?.resume();
  run?.pause();
  await clock.advance(0);
  assert.equal(
    store
      .read('paused')
      .slice(before.length)
      .map(({ type }) => type),
    ['run.resumed', 'run.paused'],
  );
});

test('leaves a run alone whose flow has changed, and says so', async () => {
  const store = createMemoryStore();
  const first = virtualEngine({ store });
  await first.engine.start(createFlow('changed').task('a', { perform: never }), undefined, { id: 'r' });
  await first.clock.advance(0);
  await first.engine.stop();
  const errors: unknown[] = [];
  const second = virtualEngine({ store, logger: { ...silent, error: (...line) => errors.push(...line) } });
  assert.equal(await second.engine.recover([createFlow('changed').task('b', { perform: never })]), []);
  assert.is(errors[0], 'Run r of flow `changed` cannot be recovered; it stays in the store as it is');
  assert.match(String(errors[1]), /another version of flow `changed`/);
  assert.is(store.read('r').length, 3);
});

test('does not go on with a run that another engine has taken over', async () => {
  const store = createMemoryStore();
  const first = virtualEngine({ store });
  const flow = createFlow('fence')
    .task('a', { perform: () => first.clock.sleep(100) })
    .task('b', { dependsOn: ['a'], perform: () => 1 });
  const run = await first.engine.start(flow, undefined, { id: 'r' });
  await first.clock.advance(0);
  const ended = run.settled().catch((error: unknown) => error);
  const seq = store.read('r').length;
  append(store, 'r', [{ type: 'run.paused', at: 0, seq: seq + 1, runId: 'r' } as Entry], seq);
  await first.clock.advance(200);
  assert.instance(await ended, StoreConflictError);
  assert.is(store.read('r').length, seq + 1);
  const left = await first.engine.run('r');
  assert.equal([left === run, left?.seq, left?.view().status], [false, seq + 1, 'paused']);
});

test('goes on with the limits that the run was started with', async () => {
  const store = createMemoryStore();
  const first = virtualEngine({ store });
  const flow = createFlow('limits')
    .task('a', { graceMs: 0, perform: never })
    .task('b', { graceMs: 0, perform: never });
  await first.engine.start(flow, undefined, { id: 'r', concurrency: 1, totalTimeoutMs: 100 });
  await first.clock.advance(40);
  await first.engine.stop();
  const second = virtualEngine({ store });
  await second.clock.advance(60);
  const [run] = await second.engine.recover([flow]);
  await second.clock.advance(10);
  assert.equal([run?.view().tasks.a?.status, run?.view().tasks.b?.status], ['running', 'pending']);
  await second.clock.advance(30);
  assert.equal([run?.view().status, run?.view().cause], ['failed', 'timeout']);
});

for (const inspect of [undefined, () => {}]) {
  const how = inspect === undefined ? '' : ', inspected';
  test(`keeps what was recorded in the turn in which it stops${how}`, async () => {
    const store = createMemoryStore();
    const first = virtualEngine({ store, inspect });
    const flow = createFlow('sudden').task('a', { perform: never });
    const run = await first.engine.start(flow, undefined, { id: 'r' });
    await first.clock.advance(0);
    run.pause();
    await first.engine.stop();
    assert.is(store.read('r').at(-1)?.type, 'run.paused');
    const [taken] = await virtualEngine({ store, inspect }).engine.recover([flow]);
    assert.is(taken?.view().status, 'paused');
  });

  test(`calls no body of a run whose time is over before it is recovered${how}`, async () => {
    const store = createMemoryStore();
    const first = virtualEngine({ store, inspect });
    let calls = 0;
    const count = () => {
      calls++;
      return never();
    };
    const flow = createFlow('late', { totalTimeoutMs: 100 }).task('a', { graceMs: 0, perform: count });
    await first.engine.start(flow, undefined, { id: 'r' });
    await first.clock.advance(50);
    await first.engine.stop();
    const second = virtualEngine({ store, inspect });
    await second.clock.advance(100);
    const [run] = await second.engine.recover([flow]);
    await second.clock.advance(0);
    assert.equal([calls, run?.view().status, run?.view().cause], [1, 'failed', 'timeout']);
    assert.equal([run?.view().tasks.a?.status, second.clock.pending], ['cancelled', 0]);
  });
}

test('ends with the error of a store that cannot keep the last of it', async () => {
  const broken = new Error('disk full');
  const memory = createMemoryStore();
  let isBroken = false;
  const append = (given: Append) => {
    if (isBroken) throw broken;
    memory.append(given);
  };
  const store = storeOver(memory, { append, read: () => [], list: () => [], remove: () => {} });
  const { engine, clock } = virtualEngine({ store });
  const run = await engine.start(createFlow('broken').task('a', { perform: never }));
  await clock.advance(0);
  const ended = run.settled().catch((error: unknown) => error);
  isBroken = true;
  run.pause();
  await engine.stop();
  assert.is(await ended, broken);
});

test('refuses two flows of one name', async () => {
  const { engine } = virtualEngine();
  const flows = [createFlow('f'), createFlow('f')];
  const refusal = await engine.recover(flows).catch((error: unknown) => error);
  assert.match(String(refusal), /Two flows are named `f`/);
  assert.throws(() => createEngine({ flows }), /Two flows are named `f`/);
  assert.throws(
    () => createEngine({ flows: flows[0] as never }),
    /^`flows` of `createEngine` must be a list of flows/,
  );
  assert.throws(() => createEngine({ flows: ['f' as never] }), /^Expected a flow, made by `createFlow`/);
});

test('runs an attempt that never came to its end again under its number, however often', async () => {
  const store = createMemoryStore();
  const attempts: number[] = [];
  const flow = createFlow('crash').task('a', {
    retry: { maxAttempts: 2 },
    perform: ({ attempt }) => {
      attempts.push(attempt);
      return never();
    },
  });
  const first = virtualEngine({ store });
  await first.engine.start(flow);
  await first.clock.advance(0);
  for (let life = 0; life < 3; life++) {
    const next = virtualEngine({ store });
    await next.engine.recover([flow]);
    await next.clock.advance(0);
  }
  assert.equal(attempts, [1, 1, 1, 1]);
});

test('refuses a store, a clock or a logger without its methods', () => {
  const text = /of `createEngine` must be an object with a method/;
  assert.throws(() => createEngine({ store: {} as never }), text);
  assert.throws(() => createEngine({ clock: { setTimeout } as never }), text);
  assert.throws(() => createEngine({ logger: 'console' as never }), text);
});

test('fails the run when a store takes its time without saying so, or cannot be read', async () => {
  const store = createMemoryStore();
  const late = virtualEngine({ store: storeOver(store, { append: (async () => {}) as never }) });
  const error = await late.engine
    .start(createFlow('late').task('a', { perform: () => 1 }))
    .catch((refusal: unknown) => refusal);
  assert.match(String(error), /its store must say `isAsync: true`/);
  const errors: string[] = [];
  const { clock, engine } = virtualEngine({
    keepSettled: 0,
    logger: { ...silent, error: (message) => errors.push(message) },
    store: storeOver(store, {
      remove: () => {
        throw new Error('no remove');
      },
    }),
  });
  const run = await engine.start(createFlow('kept').task('a', { perform: () => 1 }), undefined, {
    id: 'kept',
  });
  assert.is((await clock.run(run.settled())).status, 'done');
  assert.equal(errors, ['The store could not forget run kept']);
});

test('refuses an id that is taken', async () => {
  const { clock, engine } = virtualEngine();
  const flow = createFlow('ids').task('a', { perform: () => 1 });
  await clock.run((await engine.start(flow, undefined, { id: 'r' })).settled());
  assert.instance(
    await engine.start(flow, undefined, { id: 'r' }).catch((error: unknown) => error),
    StoreConflictError,
  );
});

test('keeps as many settled runs as it is told, in the store too', async () => {
  const store = createMemoryStore();
  const { clock, engine } = virtualEngine({ store, keepSettled: 2 });
  const flow = createFlow('keep').task('a', { perform: () => 1 });
  for (const id of ['r1', 'r2', 'r3'])
    await clock.run((await engine.start(flow, undefined, { id })).settled());
  assert.equal(
    (await engine.runs()).map(({ id }) => id),
    ['r2', 'r3'],
  );
  assert.equal([await engine.run('r1'), (await engine.run('r3'))?.id], [undefined, 'r3']);
  assert.equal(await engine.runs({ settled: false }), []);
  assert.equal(await engine.runs({ flow: 'other' }), []);
});

test('fails the run, and only it, when the store does', async () => {
  const store = createMemoryStore();
  let isFull = false;
  const full = storeOver(store, {
    append: (given) => {
      if (isFull) throw new Error('disk full');
      store.append(given);
    },
  });
  const { clock, engine } = virtualEngine({ store: full });
  const run = await engine.start(
    createFlow('full')
      .task('a', { perform: () => clock.sleep(10) })
      .task('b', { dependsOn: ['a'], perform: never }),
  );
  const ended = run.settled().catch((error: unknown) => error);
  await clock.advance(0);
  isFull = true;
  await clock.advance(100);
  assert.is(((await ended) as Error).message, 'disk full');
  const refused = await engine
    .start(createFlow('next').task('a', { perform: () => 1 }))
    .catch((error: unknown) => error);
  assert.is((refused as Error).message, 'disk full');
  isFull = false;
  assert.is(
    (await clock.run((await engine.start(createFlow('next').task('a', { perform: () => 1 }))).settled()))
      .status,
    'done',
  );
});
