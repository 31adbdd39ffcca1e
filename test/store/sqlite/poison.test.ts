import { createSqliteStore, type SqliteStore, type SqliteStoreOptions } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { codesOf, crash, given, nextOf, tempFile } from '../../support/sqlite.ts';

const test = spec('losses in the SQLite store');

const quick = { leaseMs: 60, synchronous: 'normal' } as const;
const started = { type: 'run.started' } as const;
const ready = { type: 'task.ready' } as const;
const running = { type: 'task.started', attempt: 1 } as const;
const done = { type: 'task.done', attempt: 1, output: 1 } as const;

/** What is claimed by a new store once the last has ended without a word. */
async function next(file: string, options: SqliteStoreOptions = {}) {
  const store = await createSqliteStore(file, { ...quick, ...options });
  await nextOf(store, 'claimable');
  const runs = await store.claim(['f']);
  await store.watch(undefined);
  return { store, runs: runs.map(({ id, losses }) => [id, losses]) };
}

async function begin(file: string, ...runIds: string[]): Promise<SqliteStore> {
  const store = await createSqliteStore(file, quick);
  for (const runId of runIds) await store.append(given(runId, 0, started, ready));
  return store;
}

test('count while a task is ready or running, until one settles', async () => {
  const file = tempFile();
  const store = await begin(file, 'ready');
  await store.append(given('running', 0, started, ready, { type: 'task.started', attempt: 1 }));
  await store.append(given('progress', 0, { type: 'task.progress', attempt: 1, fraction: 1 }));
  await store.append(given('idle', 0, started));
  await store.append(given('between', 0, started, ready, done));
  const error = { name: 'Error', message: 'no' };
  await store.append(given('waits', 0, ready, { type: 'task.retrying', attempt: 1, retryAt: 5_000, error }));
  await store.append(given('waits', 2, { type: 'run.started' }));
  await store.append(given('old', 0, ready, started));
  for (const taskId of ['b', 'c']) {
    const seq = await store.lastSeq('old');
    await store.append(given('old', seq, { type: 'task.ready', taskId }, { ...done, taskId }));
  }
  await store.append(given('progress', 1, started));
  await crash(store);
  const { store: second, runs } = await next(file);
  assert.equal(runs, [
    ['ready', 1],
    ['running', 1],
    ['progress', 1],
    ['idle', 0],
    ['between', 0],
    ['waits', 0],
    ['old', 1],
  ]);
  await second.append(given('ready', 2, done));
  await second.append(given('running', 3, { type: 'task.progress', attempt: 1, fraction: 1 }));
  await second.append(given('ready', 3, ready));
  await crash(second);
  const { store: third, runs: again } = await next(file);
  assert.equal(again, [
    ['ready', 1],
    ['idle', 0],
    ['between', 0],
    ['waits', 0],
    // Its starts would have been kept: no body was under way.
    ['old', 1],
    ['running', 2],
  ]);
  await third.close();
});

test('do not count where a store is closed', async () => {
  const file = tempFile();
  for (let times = 0; times < 5; times++) {
    const store = times === 0 ? await begin(file, 'r') : await createSqliteStore(file, quick);
    if (times > 0) assert.is((await store.claim(['f']))[0]?.losses, 0);
    await store.close();
  }
});

test('set a run aside in the end, which is then taken by its id alone', async () => {
  const file = tempFile();
  await crash(await begin(file, 'r', 's'));
  const second = await next(file);
  assert.equal(second.runs, [
    ['r', 1],
    ['s', 1],
  ]);
  await second.store.append(given('s', 2, done));
  await second.store.append(given('r', 2, running));
  await crash(second.store);
  const third = await next(file);
  assert.equal(third.runs, [
    ['s', 0],
    ['r', 2],
  ]);
  await crash(third.store);
  const fourth = await next(file);
  assert.equal(fourth.runs, [['s', 0]]);
  assert.equal(await fourth.store.claim(['f']), []);
  assert.equal(
    (await fourth.store.list({ settled: false })).map(({ id, status }) => [id, status]),
    [
      ['r', 'lost'],
      ['s', undefined],
    ],
  );
  assert.equal(await codesOf([fourth.store.append(given('r', 3, running))]), ['conflict']);
  assert.equal(await fourth.store.claimRun('r'), { id: 'r', flow: 'f', seq: 3, epoch: 7, losses: 2 });
  assert.is((await fourth.store.list())[0]?.status, undefined);
  await fourth.store.append(given('r', 3, running));
  await crash(fourth.store);
  const fifth = await next(file);
  assert.equal(fifth.runs, [['s', 0]]);
  assert.equal(
    (await fifth.store.list()).map(({ status }) => status),
    ['lost', undefined],
  );
  await fifth.store.close();
});

test('as many as an option says', async () => {
  const file = tempFile();
  await crash(await begin(file, 'r'));
  const store = await createSqliteStore(file, { ...quick, maxLosses: 1 });
  await nextOf(store, 'claimable');
  assert.equal(await store.claim(['f']), []);
  assert.is((await store.list())[0]?.status, 'lost');
  await store.close();
});

test('make a run a suspect: these are taken one at a time', async () => {
  const file = tempFile();
  await crash(await begin(file, 'a', 'b', 'c', 'd'));
  const second = await next(file);
  assert.is(second.runs.length, 4);
  await second.store.append(given('d', 2, done));
  for (const id of ['a', 'b', 'c']) await second.store.append(given(id, 2, running));
  await crash(second.store);
  const { store, runs } = await next(file, { maxLosses: 9 });
  const claim = async () => (await store.claim(['f'])).map(({ id }) => id);
  assert.equal(runs, [
    ['d', 0],
    ['a', 2],
  ]);
  assert.equal(await claim(), [], 'while `a` is tried');
  await store.append(given('a', 3, done));
  assert.equal(await claim(), ['b'], 'once `a` has settled a task');
  await store.release(['b']);
  assert.equal(await claim(), ['c'], 'once `b` was released: it comes last');
  await nextOf(store, 'claimable');
  assert.equal(await claim(), ['b'], 'once `c` has run a second');
  await store.close();
});

test('of suspects count for the one that is tried, and not for those that have been', async () => {
  const file = tempFile();
  await crash(await begin(file, 'a', 'b'));
  const second = await next(file);
  for (const id of ['a', 'b']) await second.store.append(given(id, 2, running));
  await crash(second.store);
  const third = await next(file);
  assert.equal(third.runs, [['a', 2]]);
  await nextOf(third.store, 'claimable');
  assert.equal(
    (await third.store.claim(['f'])).map(({ id }) => id),
    ['b'],
    'once `a` has run a second',
  );
  await crash(third.store);
  const fourth = await next(file);
  assert.equal(fourth.runs, [['a', 2]]);
  assert.equal(
    (await fourth.store.list()).map(({ status }) => status),
    [undefined, 'lost'],
  );
  await fourth.store.close();
});

test('let the next suspect be tried at once where this one waits', async () => {
  const file = tempFile();
  await crash(await begin(file, 'a', 'b'));
  const second = await next(file);
  for (const id of ['a', 'b']) await second.store.append(given(id, 2, running));
  await crash(second.store);
  const { store, runs } = await next(file);
  assert.equal(runs, [['a', 2]]);
  const error = { name: 'Error', message: 'no' };
  await store.append(given('a', 3, { type: 'task.retrying', attempt: 1, retryAt: 5_000, error }));
  assert.equal(
    (await store.claim(['f'])).map(({ id }) => id),
    ['b'],
  );
  await store.close();
});
