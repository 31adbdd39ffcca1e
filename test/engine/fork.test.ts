import {
  createEngine,
  createFlow,
  createMemoryStore,
  FlowError,
  type ForkOptions,
  InputError,
  type MemoryStore,
  type Run,
  type RunView,
  StoreConflictError,
} from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { createActor } from 'xstate';
import { z } from 'zod';
import { spec } from '../spec.ts';
import { withEndedRuns } from '../support/ended-runs.ts';
import { runEndings } from '../support/random-runs.ts';
import { tempFile } from '../support/sqlite.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('a fork');

const numRuns = Number(process.env.TOPPLE_SEEDS ?? 200);
const seed = Number(process.env.TOPPLE_SEED ?? 16);

const kept: ReadonlySet<string> = new Set(['done', 'failed', 'skipped', 'upstream_failed']);

/** What a view says of tasks, without instants, and without failed attempts that others followed. */
function outcomes(view: RunView | undefined, ids: readonly string[]): unknown {
  return ids.map((id) => {
    const { status, attempts, output, error, cause } = view?.tasks[id] ?? {};
    return { id, status, attempts, output, error: status === 'failed' ? error : undefined, cause };
  });
}

async function refusalOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => assert.unreachable('it was not refused') as never,
    (error: Error) => error,
  );
}

test('takes over what had settled by an entry, and runs the rest under keys of its own, however the run ended', async () => {
  await withEndedRuns({ numRuns, seed }, async ({ flow, clock, memory, engine, random, calls, ...ended }) => {
    const { entries } = ended;
    for (const seq of [undefined, Math.floor(random() * (entries.length + 1))]) {
      calls.length = 0;
      const source = await engine.run('r0');
      const then = (source as Run).view({ seq: seq ?? entries.length });
      const ids = Object.keys(then.tasks).filter((id) => kept.has(then.tasks[id]?.status as string));
      const fork = await engine.fork('r0', seq === undefined ? {} : { seq });
      const view = await clock.run(fork.settled());
      assert.equal(outcomes(view, ids), outcomes(then, ids));
      for (const { taskId, runId, idempotencyKey, deps } of calls) {
        assert.is(ids.includes(taskId), false, `${taskId} is performed again`);
        assert.is(runId, fork.id);
        assert.is(idempotencyKey, `${fork.id}/${taskId}`);
        for (const [id, output] of Object.entries(deps)) assert.is(view.tasks[id]?.output, output);
      }
      // Its journal is one that a run can have written.
      const read = (await createEngine({ store: memory, flows: [flow], logger: silent }).run(fork.id)) as Run;
      assert.equal(read.view(), view);
      assert.ok(runEndings.has(memory.read(fork.id).at(-1)?.type as string));
      assert.is(read.view({ seq: 1 }).startedAt, memory.read(fork.id)[0]?.at);
    }
    assert.equal(memory.read('r0'), entries);
  });
});

function world() {
  const store = createMemoryStore();
  const { engine, clock } = virtualEngine({ store });
  return { store, engine, clock };
}

async function started(store: MemoryStore, id: string): Promise<unknown> {
  return store.read(id)[0];
}

test('of a run under way leaves that alone, and begins now', async () => {
  const { engine, clock } = world();
  const flow = createFlow('f', { totalTimeoutMs: 100 })
    .task('a', { perform: () => clock.sleep(60).then(() => 'a') })
    .task('b', { dependsOn: ['a'], perform: ({ runId }) => clock.sleep(30).then(() => runId) });
  const run = await engine.start(flow, undefined, { id: 'one' });
  await clock.advance(70);
  const fork = await engine.fork('one', { id: 'two' });
  await clock.run(Promise.all([run.settled(), fork.settled()]));
  assert.equal(await run.outputs(), { a: 'a', b: 'one' });
  assert.equal(await fork.outputs(), { a: 'a', b: 'two' });
  const { startedAt, endedAt } = fork.view();
  assert.equal(
    [startedAt, endedAt].map((at) => (at as number) - (run.view().startedAt as number)),
    [70, 100],
  );
});

test('of a cancelled run runs what was cancelled; of a failed one it has failed, until it runs again', async () => {
  const { engine, clock } = world();
  const flow = createFlow('f', { input: z.number() })
    .task('a', { perform: ({ input }) => input })
    .task('b', {
      dependsOn: ['a'],
      graceMs: 0,
      perform: ({ input, runId }) => {
        if (input < 0) return new Promise<string>(() => {});
        if (input === 0) throw new Error('zero');
        return runId;
      },
    });
  const stuck = await engine.start(flow, -1, { id: 'stuck' });
  await clock.advance(1);
  await stuck.cancel();
  await clock.run(stuck.settled());
  const loose = await engine.fork('stuck', { id: 'loose', input: 1 });
  assert.equal(await clock.run(loose.outputs()), { a: -1, b: 'loose' });

  const failed = await engine.start(flow, 0, { id: 'failed' });
  await clock.run(failed.settled());
  const mended = await engine.fork('failed', { id: 'mended', input: 7 });
  assert.is((await clock.run(mended.settled())).status, 'failed');
  mended.rerun();
  assert.equal(await clock.run(mended.outputs()), { a: 0, b: 'mended' });
});

test('of a paused run runs, and has the options of the run', async () => {
  const { engine, clock, store } = world();
  const flow = createFlow('f').task('a', { perform: ({ runId }) => runId });
  await engine.start(flow, undefined, { id: 'held', paused: true, concurrency: 3, totalTimeoutMs: 50 });
  const fork = await engine.fork('held', { id: 'free' });
  assert.equal(await clock.run(fork.outputs()), { a: 'free' });
  assert.equal(((await started(store, 'free')) as { settings?: unknown }).settings, {
    concurrency: 3,
    totalTimeoutMs: 50,
  });
});

test('counts only the last time that a task ran', async () => {
  const { engine, clock } = world();
  let count = 0;
  const flow = createFlow('f')
    .task('a', { perform: () => ++count })
    .task('b', { dependsOn: ['a'], perform: ({ deps }) => deps.a * 10 });
  const run = await engine.start(flow, undefined, { id: 'one' });
  await clock.run(run.settled());
  const { seq } = run;
  run.rerun(['a']);
  await clock.run(run.settled());
  const outputsAt = async (at: number) => {
    const fork = await engine.fork('one', { seq: at });
    return clock.run(fork.outputs());
  };
  assert.equal(await outputsAt(seq), { a: 1, b: 10 });
  assert.equal(await outputsAt(run.seq), { a: 2, b: 20 });
  // Both were to run again by then.
  assert.equal(await outputsAt(seq + 2), { a: 3, b: 30 });
  assert.equal(await outputsAt(0), { a: 4, b: 40 });
});

test('checks another input, and needs one where the run to fork never had any', async () => {
  const { engine, clock } = world();
  const flow = createFlow('f', { input: z.string().transform((text) => text.length) }).task('a', {
    perform: ({ input }) => input,
  });
  const run = await engine.start(flow, 'four', { id: 'one' });
  await clock.run(run.settled());
  const same = await engine.fork('one', { seq: 0 });
  assert.equal(await clock.run(same.outputs()), { a: 4 });
  assert.instance(await refusalOf(engine.fork('one', { input: 7, id: 'two' })), InputError);
  assert.is(await engine.run('two'), undefined);
});

test('of a run whose input was refused begins with another input, and needs one', async () => {
  const { engine, clock } = world();
  const flow = createFlow('f', { input: z.number() }).task('a', { perform: ({ input }) => input });
  createActor(engine.logic(flow), { clock, input: 'none' as never }).start();
  const { id } = (await engine.runs())[0] as { readonly id: string };
  const error = await refusalOf(engine.fork(id));
  assert.instance(error, FlowError);
  assert.is(
    error.message,
    '`input` of `engine.fork` must be given, since the run to fork never started: its input was refused, but is undefined',
  );
  const fork = await engine.fork(id, { input: 7 });
  assert.equal(await clock.run(fork.outputs()), { a: 7 });
});

test('is refused without a trace', async () => {
  const { engine, clock, store } = world();
  const flow = createFlow('f').task('a', { perform: () => 1 });
  for (const id of ['one', 'two']) await clock.run((await engine.start(flow, undefined, { id })).settled());
  const handle = await engine.run('two');
  const before = [store.read('one'), store.read('two')];
  for (const [id, options, message] of [
    ['none', {}, 'There is no run "none" to fork: `engine.runs()` lists those that there are'],
    [7, {}, '`id` of `engine.fork` must be the id of a run, as `run.id` has it, but is 7'],
    [
      'one',
      { seq: 6 },
      "`seq` of `engine.fork` must be an integer from 0 to 5, the run's last `seq`, but is 6",
    ],
    [
      'one',
      { seq: -1 },
      "`seq` of `engine.fork` must be an integer from 0 to 5, the run's last `seq`, but is -1",
    ],
    [
      'one',
      { id: 'a/b' },
      '`id` of `engine.fork` must be a string without `/`, which separates it from the id of a task in `runId/taskId`, but is "a/b"',
    ],
    ['one', { sec: 1 }, '`options` of `engine.fork` does not take `sec`. Did you mean `seq`?'],
  ] as const) {
    const error = await refusalOf(engine.fork(id as string, options as ForkOptions));
    assert.instance(error, FlowError);
    assert.is(error.message, message);
  }
  assert.instance(await refusalOf(engine.fork('one', { id: 'two' })), StoreConflictError);
  assert.is(await engine.run('two'), handle);
  assert.equal([store.read('one'), store.read('two')], before);
  await engine.stop();
  assert.match((await refusalOf(engine.fork('one'))).message, 'starts no more runs');
});

test('is kept in one append, and recovers like any other run', async () => {
  const path = tempFile();
  const release = Promise.withResolvers<void>();
  const flow = createFlow('f')
    .task('a', { perform: () => new Date(7) })
    .task('b', { dependsOn: ['a'], perform: ({ deps, runId }) => `${runId} ${deps.a.getTime()}` })
    .task('c', { dependsOn: ['b'], perform: () => release.promise });
  const first = await createSqliteStore(path);
  const before = createEngine({ store: first, logger: silent });
  const run = await before.start(flow, undefined, { id: 'one' });
  for await (const event of run.events()) if (event.type === 'task.done' && event.taskId === 'a') break;
  const seq = (await first.read('one')).findIndex(({ type }) => type === 'task.done') + 1;
  await before.fork('one', { seq, id: 'two' });
  const types = (await first.read('two')).map(
    (entry) => entry.type + ('taskId' in entry ? ` ${entry.taskId}` : ''),
  );
  assert.equal(types.slice(0, 5), [
    'run.started',
    'task.ready a',
    'task.started a',
    'task.done a',
    'task.ready b',
  ]);
  await before.stop();
  await first.close();

  release.resolve();
  const second = await createSqliteStore(path);
  const after = createEngine({ store: second, logger: silent });
  const runs = await after.recover([flow]);
  const fork = runs.find(({ id }) => id === 'two') as Run;
  assert.equal(await fork.outputs(), { a: new Date(7), b: 'two 7', c: undefined });
  await after.stop();
  await second.close();
});
