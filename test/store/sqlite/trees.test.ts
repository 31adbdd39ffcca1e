import { DatabaseSync } from 'node:sqlite';
import { StoreConflictError } from 'topple';
import { createSqliteStore, type SqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { codesOf, crash, given, nextOf, refusal, tempFile } from '../../support/sqlite.ts';

const test = spec('trees in the SQLite store');

const quick = { leaseMs: 60, synchronous: 'normal' } as const;

const started = { type: 'run.started' } as const;
const ready = { type: 'task.ready' } as const;
const running = { type: 'task.started', attempt: 1 } as const;
const done = { type: 'task.done', attempt: 1, output: 1 } as const;
const ended = { type: 'run.done', output: 1 } as const;

async function two(): Promise<readonly [file: string, one: SqliteStore, other: SqliteStore]> {
  const file = tempFile();
  return [file, await createSqliteStore(file, quick), await createSqliteStore(file, quick)];
}

/** Begins runs in a store, with a task that is ready. */
async function begin(store: SqliteStore, ...runIds: readonly string[]): Promise<void> {
  await Promise.all(runIds.map((runId) => store.append(given(runId, 0, started, ready))));
}

async function closed(...stores: readonly SqliteStore[]): Promise<void> {
  await Promise.all(stores.map((store) => store.close()));
}

const ids = (runs: readonly { readonly id: string }[]): string[] => runs.map(({ id }) => id);

test('belong to the owner of the root', async () => {
  const [, one, other] = await two();
  await begin(one, 'r', 'r/a#1', 'r/a#1/b#1');
  for (const append of [
    given('r/a#1', 2, running),
    given('r/a#1/b#1', 2, running),
    given('r/c#1', 0, started),
    given('r/a#1/c#1', 0, started),
  ]) {
    const error = await refusal(other.append(append));
    assert.ok(error instanceof StoreConflictError && error.runId === append.runId);
    assert.match(error.message, 'belongs to another engine');
  }
  assert.is(await other.lastSeq('r/a#1'), 2);
  await one.append(given('r/a#1', 2, running));
  await closed(one, other);
});

test('are claimed by their root, whatever their flows are', async () => {
  const [, one, other] = await two();
  await begin(one, 'r', 'r/a#1', 'r/a#1/b#1', 's');
  await one.append(given('r/c#1', 0, { ...started, flow: 'g' }));
  await one.close();
  const claimed = await other.claim(['f', 'g']);
  assert.equal(claimed, [
    { id: 'r', flow: 'f', seq: 2, epoch: 3, losses: 0 },
    { id: 's', flow: 'f', seq: 2, epoch: 3, losses: 0 },
  ]);
  assert.equal(await other.claim(['f', 'g']), []);
  await other.append(given('r/a#1/b#1', 2, running));
  await other.append(given('r/c#1', 1, ready));
  await other.close();
});

test('are claimed by the id of a child too, if that is known', async () => {
  const [, one, other] = await two();
  await begin(one, 'r', 'r/a#1');
  assert.instance(await refusal(other.claimRun('r/a#1')), StoreConflictError);
  await one.close();
  assert.is(await other.claimRun('r/b#1'), undefined);
  assert.is(await other.claimRun('s/a#1'), undefined);
  const claimed = { id: 'r', flow: 'f', seq: 2, epoch: 3, losses: 0 };
  assert.equal(await other.claimRun('r/a#1'), claimed);
  assert.equal(await other.claimRun('r/a#1'), claimed);
  await other.release(['r/a#1']);
  await other.append(given('r/a#1', 2, running));
  assert.equal(await other.claimRun('r'), claimed, 'the release of a child is ignored');
  await other.close();
});

test('are taken over as a whole: nothing of an engine that was held dead is kept', async () => {
  const [file, one, other] = await two();
  await begin(one, 'r', 'r/a#1', 'r/a#1/b#1');
  const taken = nextOf(one, 'taken');
  end(file);
  assert.equal(ids(await other.claim(['f'])), ['r']);
  assert.equal((await taken)[0], ['r']);
  await other.append(given('r/a#1', 2, running));
  const refused = [
    one.append(given('r/a#1', 2, running)),
    one.append(given('r/a#1', 3, done)),
    one.append(given('r/a#1/b#1', 2, running)),
    one.append(given('r/c#1', 0, started)),
    one.lastSeq('r/a#1/b#1'),
  ];
  for (const error of await Promise.all(refused.map(refusal))) {
    assert.instance(error, StoreConflictError);
    assert.match(error?.message as string, 'has been taken over');
  }
  assert.is((await other.read('r/a#1')).length, 3);
  assert.equal(epochs(file, 'r/a#1'), [1, 3]);
  await other.release(['r']);
  await one.claimRun('r');
  await one.append(given('r/a#1', 3, done));
  assert.equal(epochs(file, 'r/a#1'), [1, 3, 5]);
  await closed(one, other);
});

test('go with their root, which an append to a child takes if nobody has it', async () => {
  const [, one, other] = await two();
  await begin(one, 'r', 'r/a#1');
  await one.release(['r']);
  await other.append(given('r/a#1', 2, running));
  assert.equal(
    await codesOf([
      one.append(given('r', 2, running)),
      one.append(given('r/a#1', 3, done)),
      one.lastSeq('r/a#1'),
      other.append(given('r', 2, running)),
      other.append(given('r/a#1', 3, done)),
    ]),
    ['conflict', 'conflict', 'conflict', 'ok', 'ok'],
  );
  await closed(one, other);
});

test('stay with the last owner of a root that has settled, and the root stays settled', async () => {
  const [, one, other] = await two();
  await begin(one, 'r', 'r/a#1', 'r/b#1');
  // In one transaction.
  const codes = await codesOf([
    one.append(given('r', 2, done, ended)),
    one.append(given('r/a#1', 2, done, ended)),
    one.append(given('r/b#1', 2, running)),
  ]);
  assert.equal(codes, ['ok', 'ok', 'ok']);
  await one.append(given('r/b#1', 3, done));
  await one.append(given('r/c#1', 0, started));
  assert.equal(
    (await one.list()).map(({ id, ending, seq }) => [id, ending, seq]),
    [['r', 'done', 4]],
  );
  assert.equal(
    (await one.list({ under: 'r' })).map(({ id, ending, seq }) => [id, ending, seq]),
    [
      ['r/a#1', 'done', 4],
      ['r/b#1', undefined, 4],
      ['r/c#1', undefined, 1],
    ],
  );
  const error = await refusal(other.append(given('r/b#1', 4, ended)));
  assert.instance(error, StoreConflictError);
  assert.match(error?.message as string, 'which has settled at another engine');
  await other.append(given('r', 4, { type: 'task.rerun' }));
  await other.append(given('r/b#1', 4, { type: 'task.rerun' }));
  assert.instance(await refusal(one.append(given('r/b#1', 5, ready))), StoreConflictError);
  await closed(one, other);
});

test('are read anew when another process has removed a part of them', async () => {
  const [, one, other] = await two();
  await begin(one, 'r', 'r/a#1', 'r/a#1/b#1', 'r/c#1');
  await other.remove('r/a#1');
  assert.equal(
    await codesOf([
      one.append(given('r/a#1', 2, running)),
      one.append(given('r/a#1/b#1', 2, running)),
      one.append(given('r/a#1/d#1', 0, started)),
      one.append(given('r/c#1', 2, running)),
      one.append(given('r', 2, running)),
    ]),
    ['conflict', 'conflict', 'conflict', 'ok', 'ok'],
  );
  await one.append(given('r/a#1', 0, started));
  assert.is(await one.lastSeq('r/a#1'), 1);
  await one.remove('r/a#1');
  await one.append(given('r/a#1', 0, started, ready));
  assert.is(await one.lastSeq('r/a#1'), 2);
  await other.remove('r');
  await begin(other, 'r', 'r/c#1');
  const codes = [one.append(given('r/c#1', 3, done)), one.append(given('r/c#1', 2, running))];
  assert.equal(await codesOf(codes), ['conflict', 'conflict']);
  await other.append(given('r/c#1', 2, running));
  await closed(one, other);
});

test('go on with what was kept when one append of a group fails', async () => {
  const store = await createSqliteStore(tempFile(), { ...quick, maxBytes: 160 * 1_024 });
  await begin(store, 'r', 'r/a#1', 'r/b#1');
  const big = { ...done, output: 'x'.repeat(200_000) };
  const codes = await codesOf([
    store.append(given('r/a#1', 2, running)),
    store.append(given('r/b#1', 2, big)),
    store.append(given('r/c#1', 0, started, big)),
    store.append(given('r/c#1/d#1', 0, started)),
    store.append(given('s', 0, started, big)),
    store.append(given('s/a#1', 0, started)),
    store.append(given('r', 2, running)),
  ]);
  assert.equal(codes, ['ok', 'full', 'full', 'conflict', 'full', 'conflict', 'ok']);
  assert.equal(ids(await store.list({ under: 'r' })), ['r/a#1', 'r/b#1']);
  assert.equal(ids(await store.list()), ['r']);
  assert.equal(
    await codesOf([
      store.append(given('r/a#1', 3, done, ended)),
      store.append(given('r/b#1', 2, running)),
      store.append(given('r/c#1', 0, started)),
    ]),
    ['ok', 'ok', 'ok'],
  );
  assert.equal(
    await Promise.all(['r', 'r/a#1', 'r/b#1', 'r/c#1'].map((id) => store.lastSeq(id))),
    [3, 5, 3, 1],
  );
  await store.close();
});

test('are imported as a whole or not at all, whatever fails', async () => {
  const store = await createSqliteStore(tempFile(), { ...quick, maxBytes: 160 * 1_024 });
  await begin(store, 's');
  const big = { ...done, output: 'x'.repeat(200_000) };
  const tree = [given('r', 0, started), given('r/a#1', 0, started), given('r/b#1', 0, started, big)];
  assert.is((await refusal(store.appendTree(tree)))?.code, 'full');
  assert.equal(ids(await store.list()), ['s']);
  assert.is(await store.lastSeq('r/a#1'), 0);
  await store.appendTree(tree.slice(0, 2));
  assert.instance(await refusal(store.appendTree(tree.slice(0, 2))), StoreConflictError);
  await store.append(given('r/a#1', 1, ready));
  assert.is(await store.lastSeq('r/a#1'), 2);
  await store.append(given('s', 2, running));
  await store.close();
});

test('show what they are in SQL, the children of removed roots not among them', async () => {
  const [file, one, other] = await two();
  await begin(one, 'r', 'r/a#1', 's', 's/a#1');
  const db = new DatabaseSync(file);
  db.exec("DELETE FROM runs WHERE id = 's'");
  const rows = db.prepare('SELECT run, seq, type FROM entries ORDER BY run, seq').all();
  db.close();
  assert.equal(
    rows.map((row) => Object.values(row)),
    [
      ['r', 1, 'run.started'],
      ['r', 2, 'task.ready'],
      ['r/a#1', 1, 'run.started'],
      ['r/a#1', 2, 'task.ready'],
    ],
  );
  assert.equal(await other.read('s/a#1'), []);
  assert.equal(await other.list({ under: 's' }), []);
  await closed(one, other);
});

/** What is claimed by a new store once the last has ended without a word. */
async function next(file: string) {
  const store = await createSqliteStore(file, quick);
  await nextOf(store, 'claimable');
  const runs = await store.claim(['f']);
  await store.watch(undefined);
  return { store, runs: runs.map(({ id, losses }) => [id, losses]) };
}

test('are lost with their process where a task without a child run is under way, at any depth', async () => {
  const file = tempFile();
  const store = await createSqliteStore(file, quick);
  const retrying = {
    type: 'task.retrying',
    attempt: 1,
    retryAt: 5_000,
    error: { name: 'Error', message: 'no' },
  } as const;
  for (const [id, ...facts] of [
    // Its body is under way, two runs below.
    ['deep', running],
    ['deep/a#1', running],
    ['deep/a#1/a#1', running],
    // They wait.
    ['waits', running],
    ['waits/a#1', running],
    ['waits/a#1/a#1', running, retrying],
    // The child run has settled, and its task not yet.
    ['over', running],
    ['over/a#1', running, done, ended],
    // The second life waits; what the first says is of old.
    ['lives', running],
    ['lives/a#1', running, done, ended],
    ['lives/a#1/a#1', running],
    ['lives/a#10', running, done, { type: 'task.ready', taskId: 'b' }],
    ['lives/a#10/b#1', running, retrying],
    // Task `a` has a child run, and task `a/b` has none.
    ['names', running, { ...running, taskId: 'a/b' }],
    ['names/a#1', done],
    // What it did is being undone.
    ['undone', done, { type: 'run.compensating', ending: 'failed', tasks: ['a'] }],
    ['undone/#undo#1', running],
  ] as const)
    await store.append(given(id, 0, started, ...facts));
  await crash(store);
  const { store: second, runs } = await next(file);
  assert.equal(runs, [
    ['deep', 1],
    ['waits', 0],
    ['over', 0],
    ['lives', 0],
    ['names', 1],
    ['undone', 1],
  ]);
  await second.close();
});

test('clear their root when a task settles in any run', async () => {
  const file = tempFile();
  const store = await createSqliteStore(file, quick);
  for (const id of ['r', 'r/a#1']) await store.append(given(id, 0, started, running));
  await crash(store);
  const second = await next(file);
  assert.equal(second.runs, [['r', 1]]);
  await second.store.append(given('r/a#1', 2, done));
  await second.store.append(given('r/a#1', 3, { ...ready, taskId: 'b' }));
  await crash(second.store);
  const third = await next(file);
  assert.equal(third.runs, [['r', 1]], 'lost once since then');
  await third.store.append(given('r/a#1', 4, { ...running, taskId: 'b' }));
  await crash(third.store);
  const fourth = await next(file);
  assert.equal(fourth.runs, [['r', 2]]);
  await fourth.store.append(given('r/a#1', 5, { ...done, taskId: 'b' }));
  await fourth.store.append(given('r/a#1', 6, { ...running, taskId: 'c' }));
  await crash(fourth.store);
  const fifth = await next(file);
  assert.equal(fifth.runs, [['r', 1]]);
  await fifth.store.close();
});

test('are set aside as a whole', async () => {
  const file = tempFile();
  const store = await createSqliteStore(file, quick);
  for (const id of ['r', 'r/a#1']) await store.append(given(id, 0, started, running));
  await crash(store);
  const lives = [await next(file)];
  await crash(lives[0]?.store as SqliteStore);
  lives.push(await next(file));
  await crash(lives[1]?.store as SqliteStore);
  const other = await createSqliteStore(file, quick);
  await other.append(given('other', 0, started));
  while ((await other.list())[0]?.status !== 'lost') assert.equal(await other.claim(['f']), []);
  assert.equal(
    lives.map(({ runs }) => runs),
    [[['r', 1]], [['r', 2]]],
  );
  assert.equal((await other.list({ under: 'r' }))[0]?.status, undefined);
  const error = await refusal(other.append(given('r/a#1', 2, done)));
  assert.match(error?.message as string, 'Run r/a#1 was set aside');
  assert.is((await other.claimRun('r/a#1'))?.id, 'r');
  await other.append(given('r/a#1', 2, done));
  await other.close();
});

/** Under which epochs the rows of a child were written. */
function epochs(file: string, runId: string): unknown[] {
  const db = new DatabaseSync(file, { readOnly: true });
  const rows = db
    .prepare(
      `SELECT journal.epoch FROM journal JOIN children
       ON place BETWEEN children.n << 32 AND (children.n << 32) + 4294967295 WHERE children.id = ? ORDER BY place`,
    )
    .all(runId);
  db.close();
  return rows.map(({ epoch }) => epoch);
}

/** Ends the oldest engine, as another does that holds it dead. */
function end(file: string): void {
  const db = new DatabaseSync(file);
  const { n } = db.prepare('SELECT min(n) AS n FROM engines WHERE ended_at IS NULL').get() as { n: number };
  db.exec(`BEGIN IMMEDIATE; UPDATE engines SET ended_at = 1, ended_by = 99 WHERE n = ${n};
    UPDATE runs SET owner = NULL, epoch = epoch + 1 WHERE owner = ${n} AND ended_at IS NULL; COMMIT`);
  db.close();
}
