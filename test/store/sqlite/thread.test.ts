import { DatabaseSync } from 'node:sqlite';
import { createSqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { codesOf, given, refusal, tempFile, threadOf } from '../../support/sqlite.ts';

const test = spec('thread of the SQLite store');

test('that dies fails what waits and what comes, and the file can be opened again', async () => {
  const file = tempFile();
  const store = await createSqliteStore(file, { busyTimeoutMs: 100 });
  await store.append(given('a', 0, { type: 'task.ready' }));
  // The thread waits for this lock when it ends.
  const other = new DatabaseSync(file);
  other.exec('BEGIN IMMEDIATE');
  const thread = await threadOf(store);
  const waiting = codesOf([
    store.append(given('a', 1, { type: 'task.ready' })),
    store.read('a'),
    store.list(),
  ]);
  await thread.terminate();
  other.close();
  assert.equal(await waiting, ['worker_died', 'worker_died', 'worker_died']);
  const error = await refusal(store.append(given('a', 2, { type: 'task.ready' })));
  assert.is(error?.code, 'worker_died');
  assert.match(error?.message as string, 'Nothing that was acknowledged is lost');
  await store.close();
  await using again = await createSqliteStore(file);
  assert.is((await again.read('a')).length, 1);
});

test('takes all appends that wait as one transaction, of which each stands or falls alone', async () => {
  await using store = await createSqliteStore(tempFile());
  const appends = Array.from({ length: 100 }, (_, run) =>
    store.append(given(`r${run % 90}`, 0, { type: 'run.started' })),
  );
  const codes = await codesOf(appends);
  assert.equal(
    codes.map((code) => (code === 'ok' ? 0 : code)),
    [...Array(90).fill(0), ...Array(10).fill('conflict')],
  );
  assert.is((await store.list()).length, 90);
});

test('takes nothing of an append whose second statement fails, and all of the others', async () => {
  const file = tempFile();
  await using store = await createSqliteStore(file);
  await store.append(given('ending', 0, { type: 'run.started' }));
  await store.append(given('going', 0, { type: 'run.started' }));
  const db = new DatabaseSync(file);
  db.exec(`CREATE TRIGGER no_row BEFORE INSERT ON journal WHEN new.text LIKE '%poison%'
      BEGIN SELECT raise(ABORT, 'no row'); END;
    CREATE TRIGGER no_end BEFORE UPDATE OF ending ON runs WHEN new.id = 'ending' AND new.ending = 'failed'
      BEGIN SELECT raise(ABORT, 'no end'); END;`);
  db.close();
  const codes = await codesOf([
    store.append(given('before', 0, { type: 'run.started' })),
    store.append(given('new', 0, { type: 'run.started', input: 'poison' })),
    store.append(given('going', 1, { type: 'task.done', attempt: 1, output: 'poison' })),
    store.append(given('ending', 1, { type: 'run.failed' })),
    store.append(given('before', 0, { type: 'run.started' })),
    store.append(given('after', 0, { type: 'run.started' }, { type: 'run.done', output: 1 })),
  ]);
  assert.equal(codes, ['ok', 'failed', 'failed', 'failed', 'conflict', 'ok']);
  const list = (await store.list()).map(({ id, seq, ending }) => [id, seq, ending]);
  assert.equal(list, [
    ['ending', 1, undefined],
    ['going', 1, undefined],
    ['before', 1, undefined],
    ['after', 2, 'done'],
  ]);
  // Each goes on from there.
  assert.equal(
    await codesOf([
      store.append(given('new', 0, { type: 'run.started' })),
      store.append(given('going', 1, { type: 'task.ready' })),
      store.append(given('ending', 1, { type: 'run.done', output: 1 })),
    ]),
    ['ok', 'ok', 'ok'],
  );
});

test('gets many appends in groups, and settles each', async () => {
  await using store = await createSqliteStore(tempFile());
  const codes = await codesOf(
    Array.from({ length: 1_000 }, (_, run) =>
      store.append(given(`r${run}`, run % 100 === 7 ? 5 : 0, { type: 'run.started' })),
    ),
  );
  assert.equal(
    codes,
    Array.from({ length: 1_000 }, (_, run) => (run % 100 === 7 ? 'conflict' : 'ok')),
  );
});

test('keeps the order of appends and other calls', async () => {
  await using store = await createSqliteStore(tempFile());
  const first = store.append(given('r', 0, { type: 'task.ready' }));
  const removed = store.remove('r');
  const second = store.append(given('r', 0, { type: 'task.ready' }, { type: 'task.ready' }));
  const seq = store.lastSeq('r');
  assert.equal(await Promise.all([first, removed, second, seq]), [undefined, undefined, undefined, 2]);
});

test('reads a long journal in parts, and lists many runs by pages', async () => {
  await using store = await createSqliteStore(tempFile(), { synchronous: 'normal' });
  const output = 'x'.repeat(1_000);
  const appends: Promise<void>[] = [];
  for (let seq = 0; seq < 900; seq += 3) {
    const done = { type: 'task.done', attempt: 1, output } as const;
    await store.append(given('long', seq, done, done, { type: 'task.rerun' }));
  }
  for (let run = 0; run < 2_500; run++)
    appends.push(store.append(given(`r${run}`, 0, { type: 'run.started' })));
  await Promise.all(appends);
  const entries = await store.read('long');
  assert.equal(
    entries.map(({ seq }) => seq),
    Array.from({ length: 900 }, (_, index) => index + 1),
  );
  const orders = (await store.list()).map(({ order }) => order);
  assert.equal(
    orders,
    Array.from({ length: 2_501 }, (_, index) => index + 1),
  );
  const backwards = (await store.list({ newestFirst: true, limit: 1_500, flow: 'f' })).map(
    ({ order }) => order,
  );
  assert.equal(
    backwards,
    Array.from({ length: 1_500 }, (_, index) => 2_501 - index),
  );
});
