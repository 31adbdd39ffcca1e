import { createFlow, type Entry, type Flow, type PerformScope, type Run } from 'topple';
import * as assert from 'uvu/assert';
import type { ItemScope } from '../../src/model/perform.ts';
import { spec } from '../spec.ts';
import { notingStore } from '../support/cut-store.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('child runs');

type Scope = PerformScope<never, never, never>;
type Options = Record<string, unknown>;
/** A flow whose types do not matter here. */
type Loose = {
  task(id: string, options: Options): Loose;
  map(id: string, options: Options): Loose;
  flow(id: string, options: Options): Loose;
} & Flow;

const flow = (name: string, options: Options = {}): Loose => createFlow(name, options) as never;

const typesOf = (entries: readonly Entry[], runId: string) =>
  entries
    .filter((entry) => entry.runId === runId)
    .map((entry) => ('taskId' in entry ? `${entry.type} ${entry.taskId}` : entry.type));

test('at a concurrency of 1 run at any depth, since their tasks hold no slot', async () => {
  const { clock, engine } = virtualEngine({ concurrency: 1 });
  let nested = flow('deepest', { concurrency: 1 }).task('leaf', { perform: () => 'leaf' });
  for (let depth = 0; depth < 50; depth++)
    nested = flow(`at ${depth}`, { concurrency: 1 })
      .flow('below', { flow: nested })
      .map('beside', { over: () => [1, 2], perform: (scope: ItemScope<number>) => scope.item });
  const run = await engine.start(nested, undefined, { id: 'r' });
  const view = await clock.run(run.settled());
  assert.is(view.status, 'done');
  assert.equal(view.tasks.beside?.output, [1, 2]);
});

test('take the limits of all runs above, and of the engine', async () => {
  for (const [limits, most] of [
    [{ engine: 3 }, 3],
    [{ root: 2 }, 2],
    [{ middle: 2, root: 5 }, 2],
    [{ map: 1, root: 5, engine: 4 }, 1],
  ] as const) {
    const given: { engine?: number; root?: number; middle?: number; map?: number } = limits;
    const { clock, engine } = virtualEngine(given.engine ? { concurrency: given.engine } : {});
    let under = 0;
    let seen = 0;
    const perform = async ({ signal }: Scope) => {
      seen = Math.max(seen, ++under);
      await clock.sleep(10, signal);
      under--;
    };
    const middle = flow('middle', { ...(given.middle && { concurrency: given.middle }) }).map('items', {
      over: () => [1, 2, 3, 4, 5, 6],
      perform,
      ...(given.map && { concurrency: given.map }),
    });
    const root = flow('root', { ...(given.root && { concurrency: given.root }) }).flow('middle', {
      flow: middle,
    });
    await clock.run(engine.start(root).then((run) => run.settled()));
    assert.is(seen, most, JSON.stringify(limits));
  }
});

test('find a pool by its name in their own flow, then above, then in the engine', async () => {
  const { clock, engine } = virtualEngine({ pools: { far: 2 } });
  const most: Record<string, number> = {};
  const under: Record<string, number> = {};
  const perform =
    (pool: string) =>
    async ({ signal }: Scope) => {
      under[pool] = (under[pool] ?? 0) + 1;
      most[pool] = Math.max(most[pool] ?? 0, under[pool] ?? 0);
      await clock.sleep(10, signal);
      under[pool] = (under[pool] ?? 0) - 1;
    };
  const items = (pool: string) => ({ over: () => [1, 2, 3, 4], pool, perform: perform(pool) });
  const inner = flow('inner', { pools: { own: 1 } })
    .map('a', items('own'))
    .map('b', items('above'))
    .map('c', items('far'));
  const root = flow('root', { pools: { own: 4, above: 3 } }).flow('inner', { flow: inner });
  await clock.run(engine.start(root).then((run) => run.settled()));
  assert.equal(most, { own: 1, above: 3, far: 2 });
  const lost = flow('root').flow('inner', {
    flow: flow('inner').task('t', { pool: 'none', perform: () => 1 }),
  });
  let refusal = '';
  await engine.start(lost).catch((error: Error) => (refusal = error.message));
  assert.match(refusal, /`inner`.*root.*pool.*none|pool/);
});

test('have the priority of their task, and that of their own tasks on top', async () => {
  const { clock, engine } = virtualEngine({ concurrency: 1 });
  const order: string[] = [];
  const perform = async ({ taskId, signal }: Scope) => {
    order.push(taskId);
    await clock.sleep(1, signal);
  };
  const inner = (ids: Record<string, number>) =>
    Object.entries(ids).reduce((all, [id, priority]) => all.task(id, { priority, perform }), flow('inner'));
  const root = flow('root')
    .task('first', { priority: 10, perform })
    .flow('low', { flow: inner({ low5: 6, low0: 0 }), priority: 0 })
    .flow('high', { flow: inner({ high1: 1, high0: 0 }), priority: 4 });
  await clock.run(engine.start(root).then((run) => run.settled()));
  assert.equal(order, ['first', 'low5', 'high1', 'high0', 'low0']);
});

test('repeat in a retry only what failed, under the same keys', async () => {
  const { clock, engine } = virtualEngine();
  const calls: string[] = [];
  const perform = async ({ taskId, idempotencyKey, attempt }: Scope) => {
    calls.push(`${idempotencyKey} ${attempt}`);
    if (taskId === 'b' && calls.length < 4) throw new Error('not yet');
    return taskId;
  };
  const inner = flow('inner')
    .task('a', { perform })
    .task('b', { dependsOn: ['a'], perform })
    .task('c', { dependsOn: ['b'], perform });
  const root = flow('root').flow('in/side', { flow: inner, retry: { maxAttempts: 5, backoff: 10 } });
  const run = await engine.start(root, undefined, { id: 'r' });
  const view = await clock.run(run.settled());
  assert.equal(calls, [
    'r/in%2Fside/a 1',
    'r/in%2Fside/b 1',
    'r/in%2Fside/b 1',
    'r/in%2Fside/b 1',
    'r/in%2Fside/c 1',
  ]);
  const task = view.tasks['in/side'];
  assert.equal([task?.status, task?.attempts], ['done', 3]);
  assert.equal(task?.child, {
    runId: 'r/in%2Fside#1',
    counts: { total: 3, done: 3, failed: 0, skipped: 0, upstream_failed: 0, cancelled: 0 },
  });
});

test('say which of their tasks failed, and their task decides what follows', async () => {
  const { clock, engine } = virtualEngine();
  const inner = flow('inner').task('bad', {
    perform: () => {
      throw new TypeError('no');
    },
  });
  const root = flow('root')
    .flow('must', { flow: inner, retry: { maxAttempts: 2, backoff: 0 } })
    .flow('may', { flow: inner, optional: true })
    .task('after', { dependsOn: ['may'], triggerRule: 'all_settled', perform: () => 'ran' });
  const run = await engine.start(root, undefined, { id: 'r' });
  const view = await clock.run(run.settled());
  assert.is(view.status, 'failed');
  assert.is(view.tasks.after?.output, 'ran');
  assert.match(
    view.tasks.must?.error?.message ?? '',
    'Run r/must#1 of flow `inner` ended failed: task `bad` failed with TypeError: no',
  );
  assert.equal([view.tasks.must?.cause, view.tasks.must?.attempts], ['exhausted', 2]);
  const thrown = (await run.outputs().then(
    () => assert.unreachable(),
    (error) => error,
  )) as Error;
  assert.match(thrown.message, /task `must` failed with RunFailedError/);
  const child = thrown.cause as Error;
  assert.equal([child.name, (child.cause as Error).name], ['RunFailedError', 'TypeError']);
});

test('are cancelled with their parent, or by themselves, which fails their task', async () => {
  const { clock, engine } = virtualEngine();
  const heard: unknown[] = [];
  const inner = flow('inner', { graceMs: 50 }).task('long', {
    perform: ({ signal }: Scope) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          heard.push([clock.now(), (signal.reason as Error).message]);
          void clock.sleep(20).then(() => reject(signal.reason));
        });
      }),
  });
  const root = flow('root').flow('child', { flow: inner, retry: { maxAttempts: 3 } });
  const run = await engine.start(root, undefined, { id: 'r' });
  await clock.advance(10);
  run.cancel('enough');
  const view = await clock.run(run.settled());
  assert.equal([view.status, view.tasks.child?.status, view.endedAt], ['cancelled', 'cancelled', 30]);
  assert.equal(heard, [[10, 'The run was cancelled: enough']]);
  const child = await engine.run('r/child#1');
  assert.equal([child?.view().status, child?.view().reason], ['cancelled', 'enough']);

  const other = await engine.start(root, undefined, { id: 's' });
  await clock.advance(10);
  await (await engine.run('s/child#1'))?.cancel('not this one');
  const end = await clock.run(other.settled());
  const task = end.tasks.child;
  assert.equal([end.status, task?.status, task?.cause, task?.attempts], ['failed', 'failed', 'cancelled', 1]);
});

test('are cancelled when the time of their task is over, and repeated as its policy says', async () => {
  const { clock, engine } = virtualEngine();
  let slow = true;
  const inner = flow('inner')
    .task('quick', { perform: () => 'quick' })
    .task('slow', {
      dependsOn: ['quick'],
      perform: ({ signal }: Scope) => (slow ? clock.sleep(1_000, signal) : 1),
    });
  const root = flow('root').flow('child', {
    flow: inner,
    timeoutMs: 100,
    retry: { maxAttempts: 2, backoff: 50 },
  });
  const run = await engine.start(root, undefined, { id: 'r' });
  await clock.advance(120);
  assert.equal(
    [run.view().tasks.child?.status, run.view().tasks.child?.error?.name],
    ['retrying', 'TimeoutError'],
  );
  slow = false;
  const view = await clock.run(run.settled());
  assert.equal([view.status, view.endedAt], ['done', 150]);
  const limited = flow('root').flow('child', { flow: inner, totalTimeoutMs: 100, retry: { maxAttempts: 9 } });
  slow = true;
  const late = await clock.run(engine.start(limited).then((started) => started.settled()));
  assert.equal([late.status, late.tasks.child?.cause], ['failed', 'timeout']);
});

test('are held with their parent, and say nothing of that', async () => {
  const { store, entries } = notingStore();
  const { clock, engine } = virtualEngine({ store });
  const perform = ({ signal }: Scope) => clock.sleep(10, signal);
  const inner = flow('inner')
    .task('a', { perform })
    .task('b', { dependsOn: ['a'], perform });
  const root = flow('root').flow('child', { flow: inner });
  const run = await engine.start(root, undefined, { id: 'r' });
  await clock.advance(5);
  run.pause();
  await clock.advance(100);
  const child = (await engine.run('r/child#1')) as Run;
  assert.equal(
    [child.view().status, child.view().tasks.a?.status, child.view().tasks.b?.status],
    ['running', 'done', 'pending'],
  );
  child.pause();
  run.resume();
  await clock.advance(100);
  assert.is(child.view().tasks.b?.status, 'pending');
  child.resume();
  await clock.run(run.settled());
  assert.equal(
    entries
      .filter(({ type }) => type === 'run.paused' || type === 'run.resumed')
      .map(({ type, runId }) => `${runId} ${type}`),
    ['r run.paused', 'r/child#1 run.paused', 'r run.resumed', 'r/child#1 run.resumed'],
  );
});

test('begin a new life in a rerun that names them or something upstream, and else keep what is done', async () => {
  const { store, entries } = notingStore();
  const { clock, engine } = virtualEngine({ store });
  let list = ['a', 'b', 'c'];
  let bad = 'b';
  const calls: string[] = [];
  const root = flow('root')
    .task('list', { perform: () => list })
    .map('each', {
      dependsOn: ['list'],
      over: ({ deps }: { deps: { list: string[] } }) => deps.list,
      perform: ({ item, idempotencyKey }: ItemScope<string>) => {
        calls.push(`${item} ${idempotencyKey}`);
        if (item === bad) throw new Error('bad');
        return item.toUpperCase();
      },
    });
  const run = await engine.start(root, undefined, { id: 'r' });
  const ended = () => clock.run(run.settled());
  const life = () => run.view().tasks.each?.child?.runId;
  await ended();
  assert.equal([run.view().status, life()], ['failed', 'r/each#1']);
  assert.equal(calls.splice(0), ['a r/each/0', 'b r/each/1', 'c r/each/2']);

  // Nothing upstream runs again: what is done stays.
  run.rerun();
  await ended();
  assert.equal([run.view().status, life()], ['failed', 'r/each#2']);
  assert.equal(calls.splice(0), ['b r/each/1']);
  bad = '';
  run.rerun();
  await ended();
  assert.equal([calls.splice(0), await run.outputs()], [['b r/each/1'], { list, each: ['A', 'B', 'C'] }]);
  assert.is(life(), 'r/each#3');

  // Upstream runs again, twice in a row.
  list = ['x', 'y'];
  bad = 'y';
  run.rerun(['list']);
  await ended();
  assert.equal([calls.splice(0), life()], [['x r/each/0', 'y r/each/1'], 'r/each#4']);
  bad = '';
  run.rerun();
  await ended();
  assert.equal([calls.splice(0), await run.outputs()], [['y r/each/1'], { list, each: ['X', 'Y'] }]);

  run.rerun(['each']);
  await ended();
  assert.equal(calls.splice(0), ['x r/each/0', 'y r/each/1']);
  const lives = new Set(entries.map(({ runId }) => runId));
  assert.equal([...lives], ['r', ...[1, 2, 3, 4, 5, 6].map((each) => `r/each#${each}`)]);
  assert.equal(typesOf(entries, 'r/each#2').slice(0, 3), ['run.started', 'task.ready 0', 'task.started 0']);
});

test('keep at any depth what is done, where the rerun changes nothing upstream', async () => {
  const { store } = notingStore();
  const { clock, engine } = virtualEngine({ store });
  const calls: string[] = [];
  let bad = true;
  const perform = ({ taskId }: Scope) => {
    calls.push(taskId);
    if (taskId === 'z' && bad) throw new Error('bad');
    return taskId;
  };
  const inmost = flow('inmost')
    .task('y', { perform })
    .task('z', { dependsOn: ['y'], perform });
  const inner = flow('inner')
    .task('x', { perform })
    .flow('inmost', { dependsOn: ['x'], flow: inmost });
  const root = flow('root')
    .task('w', { perform })
    .flow('inner', { dependsOn: ['w'], flow: inner });
  const run = await engine.start(root, undefined, { id: 'r' });
  await clock.run(run.settled());
  assert.equal(calls.splice(0), ['w', 'x', 'y', 'z']);
  run.rerun();
  await clock.run(run.settled());
  assert.equal(calls.splice(0), ['z']);
  bad = false;
  run.rerun();
  await clock.run(run.settled());
  assert.equal(calls.splice(0), ['z']);
  assert.equal(await run.outputs(), { w: 'w', inner: { x: 'x', inmost: { y: 'y', z: 'z' } } });
  // As another engine has it, which knows of none of these runs.
  const later = virtualEngine({ store, flows: [root] });
  const stored = (await later.engine.run('r')) as Run;
  stored.rerun(['inner']);
  await later.clock.run(stored.settled());
  assert.equal(calls.splice(0), ['x', 'y', 'z']);
});

test('end a map early once more items failed than it tolerates', async () => {
  const cases = [
    { tolerate: 0, fails: [3], calls: 5, status: 'failed', cause: 'tolerance' },
    { tolerate: 1, fails: [1, 3], calls: 5, status: 'failed', cause: 'tolerance' },
    { tolerate: 2, fails: [1, 3], calls: 10, status: 'done', cause: undefined },
    { tolerate: { share: 0.2 }, fails: [1, 3], calls: 10, status: 'done', cause: undefined },
    { tolerate: { share: 0.1 }, fails: [1, 3], calls: 5, status: 'failed', cause: 'tolerance' },
    { tolerate: undefined, fails: [1, 3], calls: 10, status: 'failed', cause: 'exhausted' },
    { tolerate: 1, fails: [8, 9], calls: 10, status: 'failed', cause: 'tolerance' },
  ];
  for (const { tolerate, fails, calls, status, cause } of cases) {
    const { clock, engine } = virtualEngine();
    let called = 0;
    const root = flow('root').map('each', {
      over: () => Array.from({ length: 10 }, (_, index) => index),
      concurrency: 2,
      tolerate,
      perform: async ({ item, signal }: ItemScope<number>) => {
        called++;
        await clock.sleep(item % 2 === 0 ? 15 : 10, signal);
        if (fails.includes(item)) throw new Error(`${item} fails`);
        return item;
      },
    });
    const run = await engine.start(root, undefined, { id: 'r' });
    const { tasks } = await clock.run(run.settled());
    const what = JSON.stringify({ tolerate, fails });
    assert.equal([tasks.each?.status, tasks.each?.cause], [status, cause], what);
    assert.ok(called >= Math.min(calls, 4) && called <= calls + 1, `${what}: ${called} calls`);
    const counts = tasks.each?.child?.counts;
    assert.is(counts?.failed, fails.length, what);
    if (cause === 'tolerance') assert.ok(counts?.cancelled === 10 - (counts?.done ?? 0) - fails.length, what);
    if (status === 'done')
      assert.equal(
        tasks.each?.output,
        Array.from({ length: 10 }, (_, index) => (fails.includes(index) ? undefined : index)),
      );
  }
});

test('of a map: an empty list is done, a list that cannot be made fails without a retry', async () => {
  const { clock, engine } = virtualEngine();
  const boom = () => {
    throw new Error('no list');
  };
  async function* pages() {}
  const over: Record<string, () => unknown> = {
    empty: () => [],
    set: () => new Set(['a', 'b']),
    late: async () => ['late'],
    throws: boom,
    rejects: async () => boom(),
    number: () => 7,
    text: () => 'text',
    stream: pages,
    endless: function* () {
      for (;;) yield 1;
    },
  };
  let root = flow('root');
  for (const [id, list] of Object.entries(over))
    root = root.map(id, { over: list, optional: true, perform: ({ item }: ItemScope) => item });
  const view = await clock.run(engine.start(root).then((run) => run.settled()));
  const { tasks } = view;
  assert.equal([tasks.empty?.output, tasks.set?.output, tasks.late?.output], [[], ['a', 'b'], ['late']]);
  for (const id of ['throws', 'rejects', 'number', 'text', 'stream', 'endless'])
    assert.equal([tasks[id]?.status, tasks[id]?.cause, tasks[id]?.attempts], ['failed', 'input', 1], id);
  assert.match(tasks.stream?.error?.message ?? '', /pages of a stream/);
  assert.match(tasks.endless?.error?.message ?? '', /more than 1,000,000 items/);
  assert.match(tasks.number?.error?.message ?? '', /`over` of map `number` of flow `root`.*but gave 7/);
});

test('of a map that is skipped upstream never start', async () => {
  const { clock, engine } = virtualEngine();
  let asked = 0;
  const root = flow('root')
    .task('bad', { perform: () => Promise.reject(new Error('bad')), optional: true })
    .map('all', { dependsOn: ['bad'], over: () => [++asked], perform: () => 1, optional: true })
    .map('rule', {
      dependsOn: ['bad'],
      triggerRule: 'none_failed',
      over: () => [++asked],
      perform: () => 1,
      optional: true,
    });
  const { tasks } = await clock.run(engine.start(root).then((run) => run.settled()));
  assert.equal([tasks.all?.status, tasks.rule?.status, asked], ['upstream_failed', 'upstream_failed', 0]);
});

test('refuse an input that their schema does not take, without a retry', async () => {
  const { clock, engine } = virtualEngine();
  const schema = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value: unknown) =>
        typeof value === 'number' ? { value: value + 1 } : { issues: [{ message: 'a number is needed' }] },
    },
  };
  const inner = flow('inner', { input: schema }).task('t', { perform: ({ input }: Scope) => input });
  const root = flow('root')
    .flow('good', { flow: inner, input: () => 1 })
    .flow('bad', { flow: inner, input: () => 'x', retry: { maxAttempts: 5 }, optional: true })
    .flow('throws', {
      flow: inner,
      input: () => {
        throw new Error('no input');
      },
      retry: { maxAttempts: 5 },
      optional: true,
    });
  const { tasks } = await clock.run(engine.start(root).then((run) => run.settled()));
  assert.equal(tasks.good?.output, { t: 2 });
  for (const [id, message] of [
    ['bad', /a number is needed/],
    ['throws', /no input/],
  ] as const) {
    assert.equal([tasks[id]?.status, tasks[id]?.cause, tasks[id]?.attempts], ['failed', 'input', 1], id);
    assert.match(tasks[id]?.error?.message ?? '', message);
  }
});

test('have actors that their system finds by name, with those of their tasks', async () => {
  const { clock, engine } = virtualEngine();
  const perform = ({ signal }: Scope) => clock.sleep(10, signal);
  const inner = flow('inner').task('a/b', { perform });
  const root = flow('root').flow('child', { flow: inner }).task('plain', { perform });
  const run = await engine.start(root, undefined, { id: 'r' });
  await clock.advance(1);
  const { system } = run.actor;
  const names = ['r/child', 'r/plain', 'r/child#1', 'r/child#1/a%2Fb'];
  for (const name of names) assert.ok(system.get(name as never), name);
  assert.is(
    (system.get('r/child#1' as never) as { getSnapshot(): { value: string } }).getSnapshot().value,
    'running',
  );
  assert.equal(Object.keys(system.getAll()).sort(), [...names].sort());
  for (const name of ['r/child#2', 'r/child#1/x', 'r/plain#1', 'r/child/a'])
    assert.is(system.get(name as never), undefined);
  await clock.run(run.settled());
});

test('can be looked at, settled or not, and run again only with their root', async () => {
  const { store } = notingStore();
  const { clock, engine } = virtualEngine({ store });
  const inner = flow('inner').task('a', { perform: ({ signal }: Scope) => clock.sleep(10, signal) });
  const root = flow('root').flow('child', { flow: inner });
  const run = await engine.start(root, { n: 1 }, { id: 'r' });
  await clock.advance(1);
  const live = (await engine.run('r/child#1')) as Run;
  assert.is(live.view().status, 'running');
  await clock.run(run.settled());
  assert.is(live.view().status, 'done');
  const settled = (await engine.run('r/child#1')) as Run;
  assert.equal([settled.view().status, settled.view().flow, settled.seq], ['done', 'inner', 5]);
  assert.throws(() => settled.rerun(), /child run.*have run r rerun, from task `child`/);
  const later = virtualEngine({ store, flows: [root] });
  const stored = (await later.engine.run('r/child#1')) as Run;
  assert.equal(stored.view(), settled.view());
  assert.equal(
    (await later.engine.runs()).map(({ id }) => id),
    ['r'],
  );
  assert.is(await later.engine.run('r/child#2'), undefined);
});

test('end with the engine, which leaves them in the store', async () => {
  const { store, entries } = notingStore();
  const { clock, engine } = virtualEngine({ store, logger: silent });
  const inner = flow('inner').task('a', { perform: ({ signal }: Scope) => clock.sleep(1_000, signal) });
  const root = flow('root').flow('child', { flow: inner });
  const run = await engine.start(root, undefined, { id: 'r' });
  await clock.advance(1);
  await engine.stop();
  let stopped = '';
  await run.settled().catch((error: Error) => (stopped = error.name));
  assert.is(stopped, 'EngineStoppedError');
  assert.is(entries.at(-1)?.type, 'task.started');
});
