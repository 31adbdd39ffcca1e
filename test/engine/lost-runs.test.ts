// Runs that were set aside, and others that an engine leaves alone, in a store that engines share.

import { createEngine, createFlow, type Engine, type Entry, type Run } from 'topple';
import { createSqliteStore, type SqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { crash, nextOf, tempFile } from '../support/sqlite.ts';
import { silent } from '../support/virtual.ts';

const test = spec('runs that are left alone');

const sqlite = { leaseMs: 60, synchronous: 'normal', maxLosses: 1 } as const;

function waiting() {
  const told = Promise.withResolvers<string>();
  const flow = createFlow('f')
    .task('first', { perform: () => 'kept' })
    .task('second', { dependsOn: ['first'], perform: () => told.promise });
  return { flow, tell: told.resolve };
}

type Flow = ReturnType<typeof waiting>['flow'];

async function open(file: string, flow: Flow, errors: unknown[] = []) {
  const store = await createSqliteStore(file, sqlite);
  const logger = { ...silent, error: (...line: unknown[]) => errors.push(...line) };
  return { store, engine: createEngine({ store, logger, flows: [flow] }) };
}

async function close(...parties: { store: SqliteStore; engine: Engine }[]): Promise<void> {
  for (const { engine, store } of parties) {
    await engine.stop();
    await store.close();
  }
}

/** A file whose runs were set aside, and an engine on it. */
async function lost(...ids: string[]) {
  const file = tempFile();
  const { flow, tell } = waiting();
  const one = await open(file, flow);
  for (const id of ids) {
    await one.engine.start(flow, undefined, { id });
    // Until the store is idle: the start of `second` is the last entry.
    while ((await one.store.lastSeq(id)) < 6);
  }
  await crash(one.store);
  const errors: unknown[] = [];
  const { store, engine } = await open(file, flow, errors);
  const statuses = async () => (await engine.runs()).map(({ status, ending }) => status ?? ending);
  while (!(await statuses()).includes('lost')) assert.equal(await engine.recover([flow]), []);
  return { file, flow, tell, store, engine, statuses, errors };
}

const ids = (runs: readonly { readonly id: string }[]) => runs.map(({ id }) => id);

test('stay set aside when they are paused, which is recorded', async () => {
  const { flow, store, engine, statuses } = await lost('r');
  await (await engine.run('r'))?.pause();
  assert.is((await store.read('r')).at(-1)?.type, 'run.paused');
  assert.equal([await statuses(), await engine.recover([flow])], [['lost'], []]);
  await close({ store, engine });
});

test('end when they are cancelled, and are like any other from then on', async () => {
  const { flow, tell, store, engine, statuses } = await lost('r');
  await (await engine.run('r'))?.cancel();
  assert.equal([await statuses(), await engine.recover([flow])], [['cancelled'], []]);
  const run = (await engine.run('r')) as Run;
  run.rerun();
  while ((await statuses())[0] === 'cancelled');
  assert.equal(await statuses(), [undefined]);
  tell('done');
  assert.is((await run.settled()).status, 'done');
  await close({ store, engine });
});

test('go on when they are recovered by their ids, and no others', async () => {
  const { flow, tell, store, engine, statuses, errors } = await lost('r', 's', 't');
  const handed: string[] = [];
  const onRecovered = ({ id }: Run) => void handed.push(id);
  const recovered = await engine.recover([flow], { ids: ['s', 'unknown', 'r', 's'], onRecovered });
  assert.equal(
    [ids(recovered), handed, await statuses()],
    [
      ['s', 'r'],
      ['s', 'r'],
      [undefined, undefined, 'lost'],
    ],
  );
  assert.is(errors[0], 'Run unknown cannot be recovered: the store does not know it');
  tell('done');
  assert.equal(await Promise.all(recovered.map(async (run) => (await run.settled()).status)), [
    'done',
    'done',
  ]);
  assert.equal(await engine.recover([flow], { ids: ['s'] }), []);
  await close({ store, engine });
});

test('are not recovered by their ids from an engine that continues them', async () => {
  const { file, flow, store, engine } = await lost('r');
  await engine.recover([flow], { ids: ['r'] });
  const errors: unknown[] = [];
  const other = await open(file, flow, errors);
  assert.equal(await other.engine.recover([flow], { ids: ['r'] }), []);
  assert.equal([errors[0], (errors[1] as Error).name], ['Run r cannot be recovered', 'StoreConflictError']);
  await close(other, { store, engine });
});

test('are claimed once by an engine that has another version of their flow, until it is asked again', async () => {
  const file = tempFile();
  const { flow } = waiting();
  const one = await open(file, flow);
  await one.engine.start(flow, undefined, { id: 'r', paused: true });
  await close(one);
  const changed = createFlow('f').task('first', { perform: () => 'changed' });
  const errors: unknown[] = [];
  const other = await open(file, changed as never, errors);
  let claims = 0;
  const { claim } = other.store;
  other.store.claim = async (...given) => {
    const claimed = await claim.apply(other.store, given);
    claims += claimed.length;
    return claimed;
  };
  assert.equal(await other.engine.recover([changed], { watch: true }), []);
  const watching = await createSqliteStore(file, sqlite);
  await nextOf(watching, 'claimable');
  assert.equal([claims, errors.length], [1, 2]);
  // Its watch does not find it, and a claim neither.
  assert.equal(await other.store.claim(['f']), []);
  await other.engine.recover([changed]);
  assert.equal([claims, errors.length], [2, 2], 'tried again, and logged once');
  // Another engine has had it.
  const third = await open(file, flow);
  assert.equal(ids(await third.engine.recover([flow])), ['r']);
  await close(third);
  assert.equal(ids(await other.store.claim(['f'])), ['r']);
  await watching.close();
  await close(other);
});

test('are handed over that a watch takes up', async () => {
  const file = tempFile();
  const { flow } = waiting();
  const [one, other] = [await open(file, flow), await open(file, flow)];
  await one.engine.start(flow, undefined, { id: 'r' });
  const handed = Promise.withResolvers<readonly [Run, string[]]>();
  const onRecovered = (run: Run): void => {
    const told: string[] = [];
    run.on('*', ({ type }: Entry) => told.push(type));
    handed.resolve([run, told]);
    throw new Error('of the embedder');
  };
  assert.equal(await other.engine.recover([flow], { watch: true, onRecovered }), []);
  // A watch alone does not keep the process alive.
  const alive = setInterval(() => {}, 1_000);
  await close(one);
  const [run, told] = await handed.promise;
  clearInterval(alive);
  assert.is(await other.engine.run('r'), run);
  while (!told.includes('task.started')) await other.store.lastSeq('r');
  await close(other);
});

test('that settled here and run again elsewhere are in conflict', async () => {
  const file = tempFile();
  const { flow, tell } = waiting();
  tell('done');
  const [one, other] = [await open(file, flow), await open(file, flow)];
  const run = (await one.engine.start(flow, undefined, { id: 'r' })) as Run;
  await run.settled();
  const seq = await one.store.lastSeq('r');
  assert.ok(seq > 0);
  const again = (await other.engine.run('r')) as Run;
  again.rerun(['second']);
  await again.settled();
  assert.ok((await other.store.lastSeq('r')) > seq);
  assert.is(await one.store.lastSeq('r').catch((error: Error) => error.name), 'StoreConflictError');
  await close(one, other);
});
