import { DatabaseSync } from 'node:sqlite';
import { StoreConflictError } from 'topple';
import { createSqliteStore, type SqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { codesOf, crash, given, nextOf, refusal, tempFile } from '../../support/sqlite.ts';

const test = spec('ownership in the SQLite store');

const quick = { leaseMs: 60, synchronous: 'normal' } as const;

const started = { type: 'run.started' } as const;
const ready = { type: 'task.ready' } as const;
const done = { type: 'task.done', attempt: 1, output: 1 } as const;

async function two(): Promise<readonly [file: string, one: SqliteStore, other: SqliteStore]> {
  const file = tempFile();
  return [file, await createSqliteStore(file, quick), await createSqliteStore(file, quick)];
}

const ids = (runs: readonly { readonly id: string }[]): string[] => runs.map(({ id }) => id);

test('is with the store that began a run, while it is unsettled', async () => {
  const [, one, other] = await two();
  await one.append(given('r', 0, started));
  const error = await refusal(other.append(given('r', 1, ready)));
  assert.instance(error, StoreConflictError);
  assert.match(error?.message as string, 'belongs to another engine');
  assert.is(await other.lastSeq('r'), 1);
  assert.equal(await other.claim(['f']), []);
  assert.instance(await refusal(other.claimRun('r')), StoreConflictError);
  await one.append(given('r', 1, { type: 'run.done', output: 1 }));
  await other.append(given('r', 2, { type: 'task.rerun' }));
  assert.instance(await refusal(one.append(given('r', 3, ready))), StoreConflictError);
  await Promise.all([one.close(), other.close()]);
});

test('ends when the store is closed or releases the run', async () => {
  const [, one, other] = await two();
  await one.append(given('a', 0, started, ready));
  await one.append(given('b', 0, started));
  assert.equal(await other.claim(['f']), []);
  await one.release(['a', 'unknown']);
  assert.equal(await other.claim(['f']), [{ id: 'a', flow: 'f', seq: 2, epoch: 3, losses: 0 }]);
  assert.equal(await codesOf([one.append(given('a', 2, ready)), other.append(given('a', 2, ready))]), [
    'conflict',
    'ok',
  ]);
  await one.close();
  assert.equal(await other.claim(['f']), [{ id: 'b', flow: 'f', seq: 1, epoch: 3, losses: 0 }]);
  await other.close();
});

test('is taken of some flows, oldest first, up to a limit', async () => {
  const [, one, other] = await two();
  for (const [id, flow] of Object.entries({ a: 'f', b: 'g', c: 'h', d: 'f', e: 'g' }))
    await one.append(given(id, 0, { type: 'run.started', flow }));
  await one.append(given('settled', 0, started, { type: 'run.failed' }));
  await one.close();
  assert.equal(ids(await other.claim(['g', 'f'], { limit: 3 })), ['a', 'b', 'd']);
  assert.equal(ids(await other.claim(['g', 'f'], { limit: 3 })), ['e']);
  assert.equal(await other.claim(['g', 'f', 'unknown']), []);
  await other.close();
});

test('moves from an engine that shows no life for its lease', async () => {
  const [, one, other] = await two();
  await one.append(given('r', 0, started, ready));
  await other.append(given('own', 0, started));
  await crash(one);
  await nextOf(other, 'claimable');
  assert.equal(await other.claim(['f']), [{ id: 'r', flow: 'f', seq: 2, epoch: 3, losses: 1 }]);
  await other.append(given('r', 2, done));
  await other.append(given('own', 1, ready));
  await other.close();
});

test('is refused to an engine that others held dead, which goes on as a new one', async () => {
  const [file, one, other] = await two();
  await one.append(given('r', 0, started));
  await one.append(given('s', 0, started));
  const taken = nextOf(one, 'taken');
  end(file);
  assert.equal(ids(await other.claim(['f'])), ['r', 's']);
  assert.equal([...(await taken)[0]].sort(), ['r', 's']);
  await other.append(given('r', 1, ready));
  const errors = await Promise.all(
    [one.append(given('r', 1, ready)), one.append(given('r', 2, ready)), one.lastSeq('s')].map(refusal),
  );
  for (const error of errors) {
    assert.instance(error, StoreConflictError);
    assert.match(error?.message as string, 'has been taken over');
  }
  await one.append(given('new', 0, started));
  assert.is((await other.read('r')).length, 2);
  await other.release(['s']);
  assert.is((await one.claimRun('s'))?.id, 's');
  await one.append(given('s', 1, ready));
  await Promise.all([one.close(), other.close()]);
});

test('tells of it by the next append or `lastSeq`, if that comes first', async () => {
  const file = tempFile();
  for (const call of ['append', 'lastSeq'] as const) {
    const store = await createSqliteStore(file, { ...quick, leaseMs: 60_000 });
    await store.append(given(call, 0, started));
    end(file);
    const calls = { append: () => store.append(given(call, 1, ready)), lastSeq: () => store.lastSeq(call) };
    assert.instance(await refusal(calls[call]()), StoreConflictError);
    await store.close();
  }
});

test('of a removed run ends, and of one that comes after it nothing is mixed up', async () => {
  const [, one, other] = await two();
  await one.append(given('r', 0, started));
  await other.remove('r');
  assert.instance(await refusal(one.append(given('r', 1, ready))), StoreConflictError);
  await other.append(given('r', 0, started));
  assert.equal(await codesOf([one.append(given('r', 1, ready)), other.append(given('r', 1, ready))]), [
    'conflict',
    'ok',
  ]);
  await Promise.all([one.close(), other.close()]);
});

test('is taken of one run by its id, unless it is settled or unknown', async () => {
  const [, one, other] = await two();
  await one.append(given('r', 0, started));
  await one.append(given('s', 0, started, { type: 'run.failed' }));
  await one.close();
  assert.is(await other.claimRun('unknown'), undefined);
  assert.equal(await other.claimRun('s'), { id: 's', flow: 'f', seq: 2, epoch: 1, losses: 0 });
  const claimed = { id: 'r', flow: 'f', seq: 1, epoch: 3, losses: 0 };
  assert.equal(await other.claimRun('r'), claimed);
  assert.equal(await other.claimRun('r'), claimed);
  await other.close();
});

test('is looked at anew in each transaction: a takeover between two appends refuses the second', async () => {
  const [file, one, other] = await two();
  await one.append(given('r', 0, started));
  await one.append(given('r', 1, ready));
  await one.append(given('s', 0, started));
  end(file);
  // One transaction of runs that are taken, and of one that is new.
  assert.equal(
    await codesOf([
      one.append(given('r', 2, done)),
      one.append(given('s', 1, { type: 'run.failed' })),
      one.append(given('new', 0, started)),
    ]),
    ['conflict', 'conflict', 'ok'],
  );
  assert.equal(ids(await other.claim(['f'])), ['r', 's']);
  assert.equal(await codesOf([other.append(given('r', 2, done)), one.append(given('new', 1, ready))]), [
    'ok',
    'ok',
  ]);
  assert.equal(await epochs(file, 'r'), [1, 1, 3]);
  await Promise.all([one.close(), other.close()]);
});

test('comes back to a store that released a run, with what others appended meanwhile', async () => {
  const [file, one, other] = await two();
  await one.append(given('r', 0, started));
  await one.release(['r']);
  await other.claimRun('r');
  await other.append(given('r', 1, ready));
  assert.instance(await refusal(one.append(given('r', 1, ready))), StoreConflictError);
  await other.release(['r']);
  // What it remembers of the run is from before.
  assert.instance(await refusal(one.append(given('r', 1, ready))), StoreConflictError);
  assert.equal(await one.claimRun('r'), { id: 'r', flow: 'f', seq: 2, epoch: 5, losses: 0 });
  assert.equal(await codesOf([one.append(given('r', 1, done)), one.append(given('r', 2, done))]), [
    'conflict',
    'ok',
  ]);
  assert.equal(await epochs(file, 'r'), [1, 3, 5]);
  await Promise.all([one.close(), other.close()]);
});

test('goes to the command of another store, which releases the run: then the first may have it again', async () => {
  const [file, one, other] = await two();
  await one.append(given('r', 0, started));
  await one.append(given('s', 0, started));
  end(file);
  await other.claimRun('r');
  await other.append(given('r', 1, { type: 'run.cancelling', cause: 'cancelled' }));
  await other.release(['r']);
  assert.equal(
    await codesOf([one.append(given('r', 1, ready)), one.append(given('r', 2, ready)), one.lastSeq('r')]),
    ['conflict', 'conflict', 'conflict'],
  );
  assert.is((await one.claimRun('r'))?.seq, 2);
  await one.append(given('r', 2, ready));
  assert.instance(await refusal(one.append(given('s', 1, ready))), StoreConflictError);
  await Promise.all([one.close(), other.close()]);
});

/** Under which epochs the rows of a run were written. */
async function epochs(file: string, runId: string): Promise<unknown[]> {
  const db = new DatabaseSync(file, { readOnly: true });
  const rows = db
    .prepare(
      'SELECT journal.epoch FROM journal JOIN runs ON runs.n = journal.run WHERE runs.id = ? ORDER BY place',
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
