import { createEngine, createFlow, createFlowFromGraph, type Engine, type EngineOptions } from 'topple';
import { createSqliteStore, type SqliteStore, type SqliteStoreOptions } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { rest } from '../support/late-store.ts';
import { crash, given, refusal, tempFile } from '../support/sqlite.ts';
import { silent } from '../support/virtual.ts';

const test = spec('runs in a store that engines share');

interface Party {
  readonly store: SqliteStore;
  readonly engine: Engine;
  close(): Promise<void>;
}

/** Nobody who lives is held dead, however busy the machine is. */
const calm: SqliteStoreOptions = { leaseMs: 3_600_000, silenceMs: 3_600_000, synchronous: 'normal' };

/** An engine with a store of its own on a file, as another process has it. */
async function open(file: string, options: EngineOptions & { readonly sqlite?: SqliteStoreOptions } = {}) {
  const { sqlite, ...others } = options;
  const store = await createSqliteStore(file, { ...calm, ...sqlite });
  const engine = createEngine({ store, logger: silent, ...others });
  const close = async (): Promise<void> => {
    await engine.stop();
    await store.close();
  };
  return { store, engine, close } satisfies Party;
}

/** Two tasks, of which the second waits to be told. */
function waiting() {
  const told = Promise.withResolvers<string>();
  const flow = createFlow('f')
    .task('first', { perform: () => 'kept' })
    .task('second', { dependsOn: ['first'], perform: () => told.promise });
  return { flow, tell: told.resolve };
}

const ids = (runs: readonly { readonly id: string }[]) => runs.map(({ id }) => id);

test('can be recovered by another engine as soon as theirs has stopped', async () => {
  const file = tempFile();
  const { flow, tell } = waiting();
  const [one, other] = [await open(file), await open(file)];
  await one.engine.start(flow, undefined, { id: 'r' });
  assert.equal(await other.engine.recover([flow]), []);
  const release = one.store.release.bind(one.store);
  one.store.release = async (runIds) => {
    await rest();
    await release(runIds);
  };
  await one.engine.stop();
  const [run] = await other.engine.recover([flow]);
  tell('done');
  assert.equal(await run?.outputs(), { first: 'kept', second: 'done' });
  await Promise.all([one.close(), other.close()]);
});

test('go back when their flow has changed, and another engine has the right one', async () => {
  const file = tempFile();
  const { flow } = waiting();
  const [one, other] = [await open(file), await open(file)];
  await one.engine.start(flow, undefined, { id: 'r' });
  await one.close();
  const changed = createFlow('f').task('first', { perform: () => 'changed' });
  assert.equal(await other.engine.recover([changed]), []);
  const third = await open(file);
  assert.equal(ids(await third.engine.recover([flow])), ['r']);
  await Promise.all([other.close(), third.close()]);
});

test('refuse a command from elsewhere without an unhandled rejection', async () => {
  const file = tempFile();
  const { flow } = waiting();
  const other = await open(file, { flows: [flow] });
  // A store without an engine: nobody answers for the run.
  const owner = await createSqliteStore(file, calm);
  await owner.append(given('r', 0, { type: 'run.started', flowHash: flow.definition.hash }));
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  const run = await other.engine.run('r');
  const cancelled = run?.cancel();
  // Asked later, and answered later.
  assert.is((await refusal(Promise.resolve(run?.pause())))?.code, 'refused');
  await rest();
  process.off('unhandledRejection', note);
  assert.equal(unhandled, []);
  assert.is((await refusal(Promise.resolve(cancelled)))?.code, 'refused');
  await Promise.all([owner.close(), other.close()]);
});

test('that were set aside are lost, until `resume` gives them another chance or `cancel` ends them', async () => {
  const file = tempFile();
  const { flow, tell } = waiting();
  const sqlite = { maxLosses: 1 };
  // It is dead before anybody looks, and then soon held so.
  const one = await open(file, { sqlite: { ...sqlite, leaseMs: 60 } });
  // Until the store is idle: the start of `second` is the last entry.
  for (const id of ['r', 's']) {
    await one.engine.start(flow, undefined, { id });
    while ((await one.store.lastSeq(id)) < 6);
  }
  await crash(one.store);
  const other = await open(file, { sqlite, flows: [flow] });
  const statuses = async () => (await other.engine.runs()).map(({ status, ending }) => status ?? ending);
  while (!(await statuses()).includes('lost')) assert.equal(await other.engine.recover([flow]), []);
  assert.equal(await statuses(), ['lost', 'lost']);
  await (await other.engine.run('r'))?.resume();
  await (await other.engine.run('s'))?.cancel();
  assert.equal(await statuses(), [undefined, 'cancelled']);
  const [run] = await other.engine.recover([flow]);
  tell('done');
  assert.equal(await run?.outputs(), { first: 'kept', second: 'done' });
  await other.close();
});

test('come to their end by a cancel from elsewhere that nobody owns, however many tasks they have', async () => {
  const file = tempFile();
  const flow = createFlowFromGraph(
    { name: 'many', tasks: Array.from({ length: 20_000 }, (_, index) => ({ id: `t${index}` })) },
    () => undefined,
  );
  const [one, other] = [await open(file), await open(file, { flows: [flow] })];
  await one.engine.start(flow, undefined, { id: 'r', paused: true });
  await one.close();
  const run = await other.engine.run('r');
  await run?.cancel('enough');
  assert.is((await other.store.read('r')).at(-1)?.type, 'run.cancelled');
  await other.close();
});
