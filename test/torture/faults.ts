import { DatabaseSync } from 'node:sqlite';
import { EngineStoppedError, type Run, StoreError } from 'topple';
import * as assert from 'uvu/assert';
import { threadOf } from '../support/sqlite.ts';
import { openHost } from './host.ts';
import { Life, newFiles } from './lives.ts';
import { within } from './report.ts';
import {
  callsIn,
  endsOf,
  failureOf,
  freezeOutside,
  idsOf,
  journalsOf,
  judge,
  limitMs,
  reached,
  recoverAll,
  type Trial,
} from './trial.ts';

/** A process is frozen for longer than its lease; it comes back when others have taken its runs over. */
const frozen: Trial = async () => {
  const files = newFiles();
  const store = { leaseMs: 300 };
  const ids = idsOf(5);
  const life = Life.begin({ ...files, life: 'frozen', flow: 'slow', store, start: ids });
  await life.next('under way');
  freezeOutside(files.file, life);
  const host = await recoverAll({ ...files, life: 'other', flow: 'slow', store }, ids);
  const journals = await journalsOf(host, ids);
  const before = host.notes().length;
  life.thaw();
  assert.equal(
    await endsOf(life, ids),
    ids.map(() => 'StoreConflictError'),
  );
  // What had been kept for it before it stood still may call a body: one of a run, whose next append is refused.
  const calls = callsIn(host.notes().slice(before), 'frozen');
  const called = new Set(calls.map((call) => call.split('/')[0]));
  assert.is(called.size, calls.length, `too many bodies are called after that: ${calls.join(', ')}`);
  life.order({ type: 'start', runId: 'new' });
  assert.equal(await endsOf(life, ['new']), [undefined]);
  assert.equal(await journalsOf(host, ids), journals, 'it wrote no more');
  await judge(host, 'slow', [...ids, 'new']);
  await life.kill();
  await host.close();
};

/** The file grows to its bound in the middle of several runs. */
const full: Trial = async () => {
  const files = newFiles();
  const ids = idsOf(3);
  const tight = await openHost({ ...files, life: 'tight', flow: 'layered', store: { maxBytes: 120_000 } });
  const runs = await Promise.all(ids.map((id) => tight.start(id)));
  for (const run of runs) {
    const error = await failureOf(run);
    assert.instance(error, StoreError);
    assert.match(String((error as StoreError).cause), 'is used up');
  }
  // Its store stays open: the runs are not its own any more.
  const roomy = await recoverAll({ ...files, life: 'roomy', flow: 'layered' }, ids);
  await tight.close();
  await judge(roomy, 'layered', ids);
  await roomy.close();
};

/** Another connection holds the lock for a while. */
const locked: Trial = async ({ isLong }) => {
  const files = newFiles();
  const host = await openHost({ ...files, life: 'waiting', flow: 'slow', store: { busyTimeoutMs: 60_000 } });
  const run = await host.start('r0');
  const db = new DatabaseSync(files.file, { timeout: 10_000 });
  db.exec('BEGIN IMMEDIATE');
  const before = run.seq;
  const ticks = await ticksFor(isLong ? 10_000 : 300);
  assert.ok(ticks > 3, `the event loop is free: ${ticks} turns`);
  assert.ok(run.seq - before <= 1, 'nothing is told that is not kept');
  db.close();
  await within(limitMs, 'the end of the run', run.settled());
  await judge(host, 'slow', ['r0']);
  await host.close();
};

/** Another connection holds the lock for longer than the store waits. */
const lockedTooLong: Trial = async () => {
  const files = newFiles();
  const host = await openHost({ ...files, life: 'waiting', flow: 'slow', store: { busyTimeoutMs: 100 } });
  const run = await host.start('r0');
  const db = new DatabaseSync(files.file, { timeout: 10_000 });
  db.exec('BEGIN IMMEDIATE');
  const error = await failureOf(run);
  db.close();
  assert.instance(error, StoreError);
  assert.match(String((error as StoreError).cause), 'has held the lock');
  // The same engine can go on.
  const [again] = await host.recover();
  assert.is(await failureOf(again as Run), undefined);
  await judge(host, 'slow', ['r0'], /called 2 times in one life/);
  await host.close();
};

/** The store's thread dies. */
const threadDies: Trial = async ({ chance }) => {
  const files = newFiles();
  const ids = idsOf(5);
  const store = { leaseMs: 200 };
  const first = await openHost({ ...files, life: 'dying', flow: 'slow', store });
  const thread = await threadOf(first.store);
  const runs = await Promise.all(ids.map((id) => first.start(id)));
  await reached(runs[0] as Run, 2 + chance.below(40));
  await thread.terminate();
  for (const run of runs) assert.instance(await failureOf(run), StoreError);
  const again = await recoverAll({ ...files, life: 'again', flow: 'slow', store }, ids);
  await judge(again, 'slow', ids);
  await again.close();
  await first.close();
};

/** Engines are stopped, one after another, with many runs under way. */
const stopped: Trial = async ({ chance, isLong }) => {
  const files = newFiles();
  const ids = idsOf(isLong ? 300 : 60);
  const settings = { ...files, flow: 'six', concurrency: 8 } as const;
  let host = await openHost({ ...settings, life: 'life 0' });
  let runs: readonly Run[] = await Promise.all(ids.map((id) => host.start(id)));
  for (let life = 1; runs.length > 0; life++) {
    const ends = runs.map(failureOf);
    await someEnded(ends, 1 + chance.below(ids.length / 4));
    await host.engine.stop();
    const errors = await Promise.all(ends);
    for (const error of errors) if (error !== undefined) assert.instance(error, EngineStoppedError);
    const left = runs.filter((_, index) => errors[index] !== undefined).map(({ id }) => id);
    // Each second store stays open: its runs must be given up by the engine.
    if (life % 2 === 0) await host.store.close();
    const over = life % 2 === 0 ? undefined : host.store;
    host = await openHost({ ...settings, life: `life ${life}`, over });
    runs = await host.recover();
    assert.equal(runs.map(({ id }) => id).sort(), left.sort());
  }
  await judge(host, 'six', ids);
  await host.close();
};

/** The time of day is another in each life. */
const clocks: Trial = async ({ chance }) => {
  const files = newFiles();
  const day = 86_400_000;
  const jumps = [0, day, -day, 0, -3_000, 3_000];
  for (const [life, aheadMs] of jumps.entries()) {
    const host = await openHost({ ...files, life: `life ${life}`, flow: 'thirty', aheadMs });
    const [recovered] = await host.recover();
    const run = life === 0 ? await host.start('r0') : recovered;
    if (run !== undefined) {
      if (life < jumps.length - 1) await reached(run, run.seq + 1 + chance.below(30));
      else await within(limitMs, 'the end of the run', run.settled());
    }
    if (life === jumps.length - 1) {
      await judge(host, 'thirty', ['r0'], /ms before it was due/);
      const instants = (await host.store.read('r0')).map(({ at }) => at);
      assert.equal(
        instants,
        instants.toSorted((a, b) => a - b),
      );
    }
    await host.close();
  }
};

export const trials: Readonly<Record<string, Trial>> = {
  'frozen for longer than its lease': frozen,
  'no more room on the disk': full,
  'a lock held for a while': locked,
  'a lock held for too long': lockedTooLong,
  'the thread dies': threadDies,
  'engines stopped under load': stopped,
  'clocks that jump between lives': clocks,
};

/** Resolves once so many of these have resolved, or all. */
async function someEnded(ends: readonly Promise<unknown>[], count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = Math.min(count, ends.length);
  for (const end of ends) void end.then(() => --left === 0 && resolve());
  await promise;
}

/** How often the event loop comes round in a time. */
async function ticksFor(ms: number): Promise<number> {
  const until = performance.now() + ms;
  let ticks = 0;
  for (; performance.now() < until; ticks++) await new Promise((resolve) => setTimeout(resolve, 10));
  return ticks;
}
