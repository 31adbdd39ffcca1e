import { DatabaseSync } from 'node:sqlite';
import { createSqliteStore, type SqliteStoreOptions } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { open } from '../../../src/store/sqlite/open.ts';
import { checkOptions } from '../../../src/store/sqlite/options.ts';
import { Sweeper } from '../../../src/store/sqlite/sweeper.ts';
import { spec } from '../../spec.ts';
import { given, tempFile } from '../../support/sqlite.ts';

const test = spec('removal in the SQLite store');

const quick = { leaseMs: 60, synchronous: 'normal' } as const;
const started = { type: 'run.started' } as const;
const failed = { type: 'run.failed' } as const;

/** A file whose runs settled at these instants, or are unsettled. */
async function fileOf(runs: Readonly<Record<string, number | undefined>>): Promise<string> {
  const file = tempFile();
  await using store = await createSqliteStore(file, quick);
  for (const [id, at] of Object.entries(runs))
    await store.append(given(id, 0, started, ...(at === undefined ? [] : [{ ...failed, at }])));
  return file;
}

/** Waits until a store has left no more than these runs, and no rows of others. */
async function leaves(file: string, options: SqliteStoreOptions, expected: readonly string[]): Promise<void> {
  await using store = await createSqliteStore(file, { ...quick, ...options });
  let ids: string[];
  do ids = (await store.list()).map(({ id }) => id);
  while (ids.length > expected.length);
  assert.equal(ids, expected);
  const db = new DatabaseSync(file, { readOnly: true });
  const orphans = db.prepare(`SELECT
    (SELECT count(*) FROM children WHERE root NOT IN (SELECT n FROM runs)) +
    (SELECT count(*) FROM journal WHERE run & 4294967295 NOT IN (SELECT n FROM runs UNION SELECT n FROM children)) AS n`);
  let { n } = orphans.get() as { n: number };
  while (n > 0) {
    await store.lastSeq('');
    ({ n } = orphans.get() as { n: number });
  }
  assert.is(n, 0);
  db.close();
}

test('keeps the newest settled runs, and every unsettled one', async () => {
  const file = await fileOf({ a: 30, b: 10, c: undefined, d: 20, e: 40 });
  await leaves(file, { keepSettled: 3 }, ['a', 'c', 'd', 'e']);
  await leaves(file, { keepSettled: { count: 3 } }, ['a', 'c', 'd', 'e']);
  await leaves(file, { keepSettled: 0 }, ['c']);
  await leaves(file, { keepSettled: 0 }, ['c']);
});

test('keeps the settled runs of an age', async () => {
  const now = Date.now();
  const file = await fileOf({ a: now - 10_000, b: now - 5_000_000, c: now, d: undefined });
  await leaves(file, {}, ['a', 'b', 'c', 'd']);
  await leaves(file, { keepSettled: { ageMs: 1_000_000, count: 9 } }, ['a', 'c', 'd']);
  await leaves(file, { keepSettled: { ageMs: 1_000_000, count: 1 } }, ['c', 'd']);
});

test('goes on as runs settle', async () => {
  const file = tempFile();
  await using store = await createSqliteStore(file, { ...quick, keepSettled: 2 });
  for (let run = 0; run < 130; run++)
    await store.append(given(`r${run}`, 0, started, { ...failed, at: 1_000 + run }));
  while ((await store.list()).length > 2);
  assert.equal(
    (await store.list()).map(({ id }) => id),
    ['r128', 'r129'],
  );
});

test('counts roots, and takes what is below them along', async () => {
  const file = tempFile();
  const store = await createSqliteStore(file, quick);
  for (const [id, at] of Object.entries({ a: 10, b: 20, c: 30 })) {
    await store.append(given(id, 0, started));
    for (const child of [`${id}/x#1`, `${id}/x#1/y#1`, `${id}/z#1`])
      await store.append(given(child, 0, started, { ...failed, at: 1 }));
    await store.append(given(id, 1, { ...failed, at }));
  }
  await store.close();
  await leaves(file, { keepSettled: 2 }, ['b', 'c']);
  await using left = await createSqliteStore(file, quick);
  assert.equal(
    (await left.list({ under: 'c' })).map(({ id }) => id),
    ['c/x#1', 'c/x#1/y#1', 'c/z#1'],
  );
  assert.is(await left.lastSeq('a/x#1'), 0);
  await left.remove('c/x#1');
  await leaves(file, { keepSettled: 2 }, ['b', 'c']);
  assert.equal(
    (await left.list({ under: 'c' })).map(({ id }) => id),
    ['c/z#1'],
  );
  await leaves(file, { keepSettled: 0 }, []);
});

test('of a large tree is done at once, and its rows go a step at a time', async () => {
  const settings = checkOptions(':memory:', {});
  const db = open(settings);
  db.exec(`INSERT INTO runs (id) VALUES ('r'), ('s');
    WITH RECURSIVE seqs (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM seqs WHERE seq < 1200)
    INSERT INTO children (id, root) SELECT 'r/a#' || seq, 1 FROM seqs;
    INSERT INTO children (id, root) VALUES ('s/a#1', 2);
    INSERT INTO journal (place, epoch, at, text) SELECT (n << 32) + 1, 1, 1, '[]' FROM children`);
  const rows = () =>
    ['journal', 'children', 'removed_runs'].map(
      (name) => db.get<{ n: number }>(`SELECT count(*) AS n FROM ${name}`)?.n,
    );
  const sweeper = new Sweeper(db, settings);
  sweeper.remove('r');
  const left = [rows()];
  for (let step = 0; step < 5; step++) {
    await new Promise(setImmediate);
    left.push(rows());
  }
  assert.equal(left, [
    [1_201, 1_201, 1],
    [701, 702, 1],
    [202, 203, 1],
    [1, 1, 0],
    [1, 1, 0],
    [1, 1, 0],
  ]);
  db.close();
});

test('of a long journal takes a step at a time, between which others have their turn', async () => {
  const settings = checkOptions(':memory:', {});
  const db = open(settings);
  db.exec(`INSERT INTO runs (id) VALUES ('long'), ('short');
    WITH RECURSIVE seqs (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM seqs WHERE seq < 1200)
    INSERT INTO journal (place, epoch, at, text) SELECT (1 << 32) + seq, 1, 1, '[]' FROM seqs;
    INSERT INTO journal (place, epoch, at, text) VALUES ((2 << 32) + 1, 1, 1, '[]')`);
  const rows = () => db.get<{ n: number }>('SELECT count(*) AS n FROM journal')?.n;
  const sweeper = new Sweeper(db, settings);
  sweeper.remove('long');
  sweeper.remove('unknown');
  const left = [rows()];
  while (left.length < 4) {
    await new Promise(setImmediate);
    left.push(rows());
  }
  assert.equal(left, [1_201, 701, 201, 1]);
  assert.is(db.get('SELECT 1 FROM removed_runs'), undefined);
  db.close();
});

test('that a process did not bring to an end is ended by the next', async () => {
  const file = await fileOf({ a: 10, b: undefined });
  const db = new DatabaseSync(file);
  db.exec("DELETE FROM runs WHERE id = 'a'; INSERT INTO removed_runs VALUES (1)");
  db.close();
  await leaves(file, {}, ['b']);
});
