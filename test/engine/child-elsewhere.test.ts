import { createEngine, createFlow, type Engine, type Flow, type Run } from 'topple';
import { createSqliteStore, type SqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { tempFile } from '../support/sqlite.ts';
import { silent } from '../support/virtual.ts';

const test = spec('child runs of another engine');

interface Process {
  readonly engine: Engine;
  readonly store: SqliteStore;
  readonly flow: Flow;
  readonly calls: string[];
}

const child = 'r/middle#1/inner#1';

/** An engine on a file, with two levels of flows; the innermost body ends when its run does. */
async function processOn(file: string): Promise<Process> {
  const store = await createSqliteStore(file);
  const calls: string[] = [];
  const perform = ({ idempotencyKey, signal }: { idempotencyKey: string; signal: AbortSignal }) => {
    calls.push(idempotencyKey);
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const inner = createFlow('inner').task('x', { perform });
  const middle = createFlow('middle').flow('inner', { flow: inner });
  const flow = createFlow('root')
    .flow('middle', { flow: middle, optional: true })
    .task('last', { dependsOn: ['middle'], triggerRule: 'all_settled', perform: () => 'last' });
  const engine = createEngine({ store, logger: silent, flows: [flow as never] });
  return { engine, store, flow: flow as never as Flow, calls };
}

/** Starts a run; resolves once the innermost body is under way, and that is kept. */
async function started({ engine, flow }: Process): Promise<Run> {
  const run = (await engine.start(flow, undefined, { id: 'r' })) as Run;
  await new Promise<void>((resolve) => {
    run.on('task.started', ({ taskId }) => taskId === 'x' && resolve(), { deep: true });
  });
  return run;
}

async function lastOf({ store }: Process, runId: string): Promise<string | undefined> {
  return (await store.read(runId)).at(-1)?.type;
}

test('take commands from here', async () => {
  const file = tempFile();
  const [owner, asker] = [await processOn(file), await processOn(file)];
  const run = await started(owner);
  const found = (await asker.engine.run(child)) as Run;
  await found.pause();
  assert.is(await lastOf(asker, child), 'run.paused');
  await found.resume();
  await found.cancel('not this one');
  const view = await run.settled();
  assert.equal([view.status, view.tasks.middle?.status, view.tasks.last?.status], ['done', 'failed', 'done']);
  assert.match(
    view.tasks.middle?.error?.message ?? '',
    /inner#1 of flow `inner` ended cancelled: not this one/,
  );
  for (const { engine, store } of [owner, asker]) {
    await engine.stop();
    await store.close();
  }
});

test('take commands where nobody owns them, and leave their root to be recovered', async () => {
  const file = tempFile();
  const [owner, asker] = [await processOn(file), await processOn(file)];
  await started(owner);
  await owner.engine.stop();
  const found = (await asker.engine.run(child)) as Run;
  await found.pause();
  assert.is(await lastOf(asker, child), 'run.paused');
  await ((await asker.engine.run(child)) as Run).cancel('not this one');
  assert.equal([await lastOf(asker, child), await lastOf(asker, 'r')], ['run.cancelled', 'task.started']);
  const [run] = (await asker.engine.recover([asker.flow])) as Run[];
  const view = await (run as Run).settled();
  assert.equal([view.status, view.tasks.middle?.status, asker.calls], ['done', 'failed', []]);
  await asker.engine.stop();
  for (const { store } of [owner, asker]) await store.close();
});

test('end with their root, where nobody owns it', async () => {
  const file = tempFile();
  const [owner, asker] = [await processOn(file), await processOn(file)];
  await started(owner);
  await owner.engine.stop();
  await ((await asker.engine.run('r')) as Run).cancel('enough');
  const ids = ['r', 'r/middle#1', child];
  for (const id of ids) assert.is(await lastOf(asker, id), 'run.cancelled', id);
  assert.equal(asker.calls, []);
  await asker.engine.stop();
  for (const { store } of [owner, asker]) await store.close();
});
