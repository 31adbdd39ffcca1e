import { DatabaseSync } from 'node:sqlite';
import { createSqliteStore, type SqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { codesOf, crash, given, refusal, tempFile } from '../../support/sqlite.ts';

const test = spec('requests in the SQLite store');

const quick = { leaseMs: 60, synchronous: 'normal' } as const;
const started = { type: 'run.started' } as const;

async function two(): Promise<readonly [file: string, owner: SqliteStore, asker: SqliteStore]> {
  const file = tempFile();
  const owner = await createSqliteStore(file, quick);
  await owner.append(given('r', 0, started));
  return [file, owner, await createSqliteStore(file, quick)];
}

test('reach the owner of the run, and return when it has answered', async () => {
  const [file, owner, asker] = await two();
  const seen: unknown[] = [];
  const answer = Promise.withResolvers<void>();
  await owner.watch({
    flows: [],
    requested: async (...args) => {
      seen.push(args);
      await answer.promise;
    },
  });
  const cancel = { type: 'cancel', reason: { by: 'Ada' } } as const;
  const rerun = { type: 'rerun', taskIds: ['a'] } as const;
  let isDone = false;
  const asked = Promise.all([asker.request('r', cancel), asker.request('r', rerun)]).then(() => {
    isDone = true;
  });
  while (seen.length < 2) await owner.lastSeq('r');
  assert.equal(seen, [
    ['r', cancel],
    ['r', rerun],
  ]);
  assert.is(isDone, false);
  answer.resolve();
  await asked;
  const db = new DatabaseSync(file, { readOnly: true });
  assert.is((db.prepare('SELECT count(*) AS n FROM requests').get() as { n: number }).n, 0);
  db.close();
  await Promise.all([owner.close(), asker.close()]);
});

test('for a child run reach the owner of its root, with the id of the child', async () => {
  const [, owner, asker] = await two();
  await owner.append(given('r/a#1', 0, started));
  await owner.append(given('r/b#1', 0, started, { type: 'run.failed' }));
  const seen: unknown[] = [];
  await owner.watch({
    flows: [],
    requested: (runId, { type }) => {
      seen.push([runId, type]);
      if (runId === 'r/b#1') throw new Error('It has settled');
    },
  });
  await asker.request('r/a#1', { type: 'cancel' });
  const pause = { type: 'pause' } as const;
  assert.match(
    (await refusal(asker.request('r/b#1', pause)))?.message as string,
    'The engine that owns run r/b#1 refused: It has settled',
  );
  assert.equal(seen, [
    ['r/a#1', 'cancel'],
    ['r/b#1', 'pause'],
  ]);
  const unknown = ['r/c#1', 's/a#1'].map((id) => asker.request(id, pause));
  assert.equal(await codesOf(unknown), ['unowned', 'unowned']);
  await owner.append(given('r', 1, { type: 'run.failed' }));
  assert.equal(await codesOf([asker.request('r/a#1', pause)]), ['unowned']);
  await Promise.all([owner.close(), asker.close()]);
});

test('for a child run end when it is removed, or nobody owns its root any more', async () => {
  for (const leave of [
    (store: SqliteStore) => store.remove('r/a#1'),
    (store: SqliteStore) => store.remove('r'),
    (store: SqliteStore) => store.release(['r']),
  ]) {
    const [, owner, asker] = await two();
    await owner.append(given('r/a#1', 0, started));
    const told = Promise.withResolvers<void>();
    await owner.watch({
      flows: [],
      requested: () => {
        told.resolve();
        return new Promise(() => {});
      },
    });
    const asked = refusal(asker.request('r/a#1', { type: 'resume' }));
    await told.promise;
    await leave(owner);
    assert.is((await asked)?.code, 'unowned');
    await Promise.all([owner.close(), asker.close()]);
  }
});

test('are refused in the words of the owner, or because it takes none', async () => {
  const [, owner, asker] = await two();
  const pause = { type: 'pause' } as const;
  const error = await refusal(asker.request('r', pause));
  assert.is(error?.code, 'refused');
  await owner.watch({
    flows: [],
    requested: () => {
      throw new Error('It has just ended');
    },
  });
  assert.match(
    (await refusal(asker.request('r', pause)))?.message as string,
    'The engine that owns run r refused: It has just ended',
  );
  await Promise.all([owner.close(), asker.close()]);
});

test('are refused at once for a run that nobody owns', async () => {
  const [, owner, asker] = await two();
  await owner.append(given('s', 0, started, { type: 'run.failed' }));
  await owner.release(['r']);
  const codes = await codesOf(['r', 's', 'unknown'].map((id) => asker.request(id, { type: 'resume' })));
  assert.equal(codes, ['unowned', 'unowned', 'unowned']);
  await Promise.all([owner.close(), asker.close()]);
});

test('end when the owner is gone', async () => {
  for (const leave of [
    crash,
    (store: SqliteStore) => store.close(),
    (store: SqliteStore) => store.release(['r']),
  ]) {
    const [, owner, asker] = await two();
    const told = Promise.withResolvers<void>();
    await owner.watch({
      flows: [],
      requested: () => {
        told.resolve();
        return new Promise(() => {});
      },
    });
    const asked = refusal(asker.request('r', { type: 'resume' }));
    const alive = setInterval(() => {}, 1_000);
    await told.promise;
    await leave(owner);
    const error = await asked;
    clearInterval(alive);
    assert.is(error?.code, 'unowned');
    assert.match(error?.message as string, 'may or may not have done');
    await Promise.all([owner.close(), asker.close()]);
  }
});

test('end with the store that asks', async () => {
  const [, owner, asker] = await two();
  await owner.watch({ flows: [], requested: () => new Promise(() => {}) });
  const asked = codesOf([asker.request('r', { type: 'resume' })]);
  await asker.close();
  assert.equal(await asked, ['closed']);
  await owner.close();
});

test('of askers that are gone are forgotten', async () => {
  const [file, owner, asker] = await two();
  const db = new DatabaseSync(file);
  const old = Date.now() - 120_000;
  db.exec(`INSERT INTO requests (run, owner, text, asked_at, answer) VALUES (1, 9, '{}', ${old}, NULL)`);
  const count = () => (db.prepare('SELECT count(*) AS n FROM requests').get() as { n: number }).n;
  while (count() > 0) await owner.lastSeq('r');
  assert.is(count(), 0);
  db.close();
  await Promise.all([owner.close(), asker.close()]);
});
