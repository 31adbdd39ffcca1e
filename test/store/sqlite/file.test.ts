import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { FlowError, StoreError } from 'topple';
import { createSqliteStore, type SqliteStoreOptions } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { codesOf, given, refusal, tempFile } from '../../support/sqlite.ts';

const test = spec('file of the SQLite store');

test('keeps runs for the next store', async () => {
  const file = tempFile();
  const first = await createSqliteStore(file);
  const append = given('r', 0, { type: 'run.started' }, { type: 'task.ready' });
  await first.append(append);
  await first.close();
  await using second = await createSqliteStore(pathToFileURL(file));
  assert.equal(await second.read('r'), append.entries);
  await second.append(given('r', 2, { type: 'task.done', attempt: 1, output: 5 }));
  assert.is(await second.lastSeq('r'), 3);
});

test('keeps the entries of a run whose number is large apart', async () => {
  const file = tempFile();
  await (await createSqliteStore(file)).close();
  const db = new DatabaseSync(file);
  db.exec(`INSERT INTO runs (n, id) VALUES (${2 ** 30}, 'before')`);
  db.close();
  await using store = await createSqliteStore(file);
  const appends = [0, 1, 2].map((seq) => given('r', seq, { type: 'task.ready' }));
  for (const append of appends) await store.append(append);
  assert.equal(
    await store.read('r'),
    appends.flatMap(({ entries }) => entries),
  );
  assert.is(await store.lastSeq('r'), 3);
});

test('can be read by a person', async () => {
  const file = tempFile();
  await using store = await createSqliteStore(file);
  await store.append(given('r', 0, { type: 'run.started' }, { type: 'task.ready' }));
  await store.append(
    given(
      'r',
      2,
      { type: 'task.done', attempt: 1, output: { n: 5 } },
      { type: 'task.rerun', taskId: 'b', at: 1_500 },
    ),
  );
  const db = new DatabaseSync(file, { readOnly: true });
  const rows = db.prepare("SELECT seq, time, type, task, attempt, value FROM entries WHERE run = 'r'").all();
  db.close();
  assert.equal(
    rows.map((row) => Object.values(row)),
    [
      [
        1,
        '1970-01-01 00:00:01.000',
        'run.started',
        null,
        null,
        '{"version":1,"flow":"f","flowHash":"h","input":1}',
      ],
      [2, '1970-01-01 00:00:01.001', 'task.ready', 'a', null, null],
      [3, '1970-01-01 00:00:01.002', 'task.done', 'a', 1, '{"n":5}'],
      [4, '1970-01-01 00:00:01.500', 'task.rerun', 'b', null, '{}'],
    ],
  );
});

test('of another program is refused, and left as it is', async () => {
  const text = tempFile();
  writeFileSync(text, 'To do: everything.'.repeat(100));
  const other = tempFile();
  const db = new DatabaseSync(other);
  db.exec('CREATE TABLE t (a)');
  db.close();
  for (const file of [text, other]) {
    const before = readFileSync(file);
    assert.is((await refusal(createSqliteStore(file)))?.code, 'foreign');
    assert.equal(readFileSync(file), before);
  }
});

test('of a later version is refused, and left as it is', async () => {
  const file = tempFile();
  await (await createSqliteStore(file)).close();
  const db = new DatabaseSync(file);
  db.exec('PRAGMA user_version = 99');
  db.close();
  const before = readFileSync(file);
  const error = await refusal(createSqliteStore(file));
  assert.is(error?.code, 'newer');
  assert.match(error?.message as string, /has version 99, and this topple knows versions up to \d+/);
  assert.equal(readFileSync(file), before);
});

test('in a folder that does not exist is refused', async () => {
  const error = await refusal(createSqliteStore(`${tempFile()}/none/runs.sqlite`));
  assert.instance(error, StoreError);
  assert.is(error?.code, 'cannot_open');
  assert.match(error?.message as string, 'does its folder exist');
});

test('that is damaged says so', async () => {
  const file = tempFile();
  const store = await createSqliteStore(file);
  for (let run = 0; run < 50; run++)
    await store.append(given(`r${run}`, 0, { type: 'task.done', attempt: 1, output: 'x'.repeat(500) }));
  await store.close();
  const bytes = readFileSync(file);
  const db = new DatabaseSync(file);
  const roots = db.prepare('SELECT rootpage AS page FROM sqlite_schema WHERE rootpage > 0').all();
  db.close();
  for (const { page } of roots) bytes.fill(0xff, (Number(page) - 1) * 4_096, Number(page) * 4_096);
  writeFileSync(file, bytes);
  const damaged = await createSqliteStore(file);
  assert.is((await refusal(damaged.read('r1')))?.code, 'corrupt');
  assert.is((await refusal(damaged.append(given('r', 0, { type: 'task.ready' }))))?.code, 'corrupt');
  await refusal(damaged.close());
  assert.equal(readFileSync(file), bytes);
});

test('with a damaged journal says where, and does not read for ever', async () => {
  const file = tempFile();
  const store = await createSqliteStore(file);
  await store.append(given('r', 0, { type: 'task.ready' }));
  await store.append(given('r', 1, { type: 'task.started', attempt: 1 }));
  await store.close();
  for (const text of ['[]', '[', 'null', '[["started","a",0,1],["started","a",0,1]]']) {
    const db = new DatabaseSync(file);
    db.prepare('UPDATE journal SET text = ? WHERE seq = 2').run(text);
    db.close();
    await using damaged = await createSqliteStore(file);
    const error = await refusal(damaged.read('r'));
    assert.is(error?.code, 'corrupt', text);
    assert.match(error?.message as string, /^The journal of run r is damaged behind entry 1: /);
  }
});

test('that can only be read is read, and refuses the rest', async () => {
  const file = tempFile();
  const writing = await createSqliteStore(file);
  const append = given('r', 0, { type: 'task.ready' });
  await writing.append(append);
  await writing.close();
  const reading = await createSqliteStore(`${pathToFileURL(file)}?mode=ro`);
  assert.equal(await reading.read('r'), append.entries);
  assert.is((await reading.list()).length, 1);
  assert.equal(await codesOf([reading.append(given('r', 1, { type: 'task.ready' })), reading.remove('r')]), [
    'readonly',
    'readonly',
  ]);
  await reading.close();
});

test('that is full keeps what it has, and takes what still fits', async () => {
  const file = tempFile();
  await using store = await createSqliteStore(file, { maxBytes: 144 * 1_024 });
  const big = 'x'.repeat(60_000);
  const output = (runId: string, value: string) =>
    store.append(given(runId, 0, { type: 'task.done', attempt: 1, output: value }));
  const codes = await codesOf([
    output('a', 'small'),
    output('b', big),
    output('c', big),
    output('d', 'small'),
  ]);
  assert.equal(codes, ['ok', 'ok', 'full', 'ok']);
  assert.equal(
    (await store.list()).map(({ id }) => id),
    ['a', 'b', 'd'],
  );
  assert.equal(await store.read('c'), []);
  await store.append(given('a', 1, { type: 'task.ready' }));
  assert.is(await store.lastSeq('a'), 2);
});

test('that is full after a run has begun refuses its next append alone', async () => {
  const file = tempFile();
  await using store = await createSqliteStore(file, { maxBytes: 100 * 1_024 });
  await store.append(given('a', 0, { type: 'run.started' }));
  const big = store.append(given('a', 1, { type: 'task.done', attempt: 1, output: 'x'.repeat(200_000) }));
  const codes = await codesOf([big, store.append(given('b', 0, { type: 'run.started' }))]);
  assert.equal(codes, ['full', 'ok']);
  assert.is(await store.lastSeq('a'), 1);
  await store.append(given('a', 1, { type: 'task.ready' }));
  assert.is(await store.lastSeq('a'), 2);
});

test('locked by another process is waited for, and then given up', async () => {
  const file = tempFile();
  await using store = await createSqliteStore(file, { busyTimeoutMs: 20 });
  await store.append(given('a', 0, { type: 'task.ready' }));
  const other = new DatabaseSync(file);
  other.exec('BEGIN IMMEDIATE');
  const codes = await codesOf([
    store.append(given('a', 1, { type: 'task.ready' })),
    store.append(given('b', 0, { type: 'task.ready' })),
  ]);
  assert.equal(codes, ['busy', 'busy']);
  assert.is(await store.lastSeq('a'), 1);
  other.exec('COMMIT');
  await store.append(given('a', 1, { type: 'task.ready' }));
  assert.is(await store.lastSeq('a'), 2);

  await using patient = await createSqliteStore(file, { busyTimeoutMs: 60_000 });
  other.exec('BEGIN IMMEDIATE');
  const waiting = patient.append(given('c', 0, { type: 'task.ready' }));
  assert.is(await store.lastSeq('a'), 2, 'others can read meanwhile');
  other.exec('COMMIT');
  other.close();
  await waiting;
  assert.is(await patient.lastSeq('c'), 1);
});

test('whose WAL is torn behind the last commit has all that was acknowledged', async () => {
  const file = tempFile();
  await using store = await createSqliteStore(file);
  for (let run = 0; run < 20; run++) await store.append(given(`r${run}`, 0, { type: 'task.ready' }));
  const kept = statSync(`${file}-wal`).size;
  await store.append(given('torn', 0, { type: 'task.done', attempt: 1, output: 'x'.repeat(20_000) }));
  for (const size of [kept, kept + 1, kept + 5_000, kept + 20_000]) {
    const copy = tempFile();
    copyFileSync(file, copy);
    copyFileSync(`${file}-wal`, `${copy}-wal`);
    truncateSync(`${copy}-wal`, size);
    await using torn = await createSqliteStore(copy);
    assert.equal(
      (await torn.list()).map(({ id }) => id),
      Array.from({ length: 20 }, (_, run) => `r${run}`),
    );
  }
});

test('refuses everything once it is closed, which may be repeated', async () => {
  const store = await createSqliteStore(tempFile());
  const append = store.append(given('r', 0, { type: 'task.ready' }));
  await Promise.all([store.close(), store.close()]);
  await append;
  await store[Symbol.asyncDispose]();
  const codes = await codesOf([
    store.append(given('r', 1, { type: 'task.ready' })),
    store.lastSeq('r'),
    store.read('r'),
    store.list(),
    store.remove('r'),
  ]);
  assert.equal(codes, ['closed', 'closed', 'closed', 'closed', 'closed']);
});

test('refuses options that it does not understand', async () => {
  const wrong: SqliteStoreOptions[] = [
    { synchronous: 'off' as 'full' },
    { busyTimeoutMs: -1 },
    { maxBytes: 0 },
    { leaseMs: 10 },
    { silenceMs: Number.NaN },
    { maxLosses: 0 },
    { keepSettled: -1 },
    { keepSettled: { ageMs: -1 } },
    { values: {} as never },
    { lease: 1 } as SqliteStoreOptions,
  ];
  for (const options of wrong)
    assert.instance(await refusal(createSqliteStore(tempFile(), options)), FlowError);
});
