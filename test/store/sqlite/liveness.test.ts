import { spawnSync } from 'node:child_process';
import { DatabaseSync } from 'node:sqlite';
import * as assert from 'uvu/assert';
import type { Connection } from '../../../src/store/sqlite/connection.ts';
import { Holdings } from '../../../src/store/sqlite/holdings.ts';
import { open } from '../../../src/store/sqlite/open.ts';
import { checkOptions } from '../../../src/store/sqlite/options.ts';
import { Others } from '../../../src/store/sqlite/others.ts';
import { isGone, markOfThis } from '../../../src/store/sqlite/process-mark.ts';
import { Pulse } from '../../../src/store/sqlite/pulse.ts';
import { spec } from '../../spec.ts';
import { tempFile } from '../../support/sqlite.ts';

const test = spec('liveness in the SQLite store');

/** Instants from `from` to `to` in steps. */
function* ticks(from: number, to: number, step = 500): Generator<number> {
  for (let now = from; now <= to; now += step) yield now;
}

test('an engine beats five times in its lease', () => {
  const pulse = new Pulse(checkOptions('f', {}), 0);
  assert.equal(
    [...ticks(500, 12_000)].filter((now) => pulse.tick(now)),
    [3_000, 6_000, 9_000, 12_000],
  );
});

test('an engine whose main thread is silent beats no more, until that is heard again', () => {
  const settings = checkOptions('f', { silenceMs: 10_000 });
  const pulse = new Pulse(settings, 0);
  assert.equal(
    [...ticks(500, 30_000)].filter((now) => pulse.tick(now)),
    [3_000, 6_000, 9_000],
  );
  Atomics.add(new Int32Array(settings.heard), 0, 1);
  assert.is(pulse.tick(30_500), true);
});

test('the silence of a process that was frozen as a whole does not count', () => {
  const pulse = new Pulse(checkOptions('f', { silenceMs: 10_000 }), 0);
  assert.is(pulse.tick(500), false);
  assert.is(pulse.tick(900_000), true);
});

/** A connection and the others as it sees them, of which number 1 is on another host. */
function watcher(file = ':memory:') {
  const settings = checkOptions(file, {});
  const db: Connection = open(settings);
  const holdings = new Holdings(db, settings, () => {});
  db.exec("INSERT INTO engines (lease_ms, host, pid, began_at) VALUES (15000, 'elsewhere', 1, 0)");
  return { db, holdings, others: new Others(db, holdings, 500, 0) };
}

test('an engine is dead once its beat has stood still for its lease', () => {
  const { db, others } = watcher();
  for (const now of ticks(500, 15_000)) others.look(now);
  assert.is(others.isAnyDead, false);
  db.exec('UPDATE engines SET beat = 1');
  for (const now of ticks(15_500, 30_000)) others.look(now);
  assert.is(others.isDead(1), false);
  others.look(30_500);
  assert.is(others.isDead(1), true);
  assert.equal([...others.dead], [1]);
});

test('an engine that shows life at the last moment is not ended', () => {
  const { db, others } = watcher();
  for (const now of ticks(500, 20_000)) others.look(now);
  db.exec('UPDATE engines SET beat = 1');
  assert.is(others.end(1), false);
  others.look(20_500);
  assert.is(others.isDead(1), false);
  for (const now of ticks(21_000, 40_000)) others.look(now);
  assert.is(others.end(1), true);
  assert.is(others.end(1), false);
  others.look(40_500);
  assert.is(others.isAnyDead, false);
});

test('time in which the watcher itself was frozen does not count', () => {
  const { others } = watcher();
  others.look(500);
  others.look(900_000);
  assert.is(others.isAnyDead, false);
});

test('time in which a frozen process has the lock does not count, for nobody could beat', () => {
  const file = tempFile();
  const { others } = watcher(file);
  for (const now of ticks(500, 10_000)) others.look(now);
  const frozen = new DatabaseSync(file);
  frozen.exec('BEGIN IMMEDIATE');
  for (const now of ticks(10_500, 100_000)) others.look(now);
  assert.is(others.isAnyDead, false);
  frozen.exec('ROLLBACK');
  frozen.close();
  for (const now of ticks(100_500, 104_500)) others.look(now);
  assert.is(others.isAnyDead, false);
  for (const now of ticks(105_000, 106_000)) others.look(now);
  assert.is(others.isDead(1), true);
});

test('time in which others write counts, even if one of them always has the lock', () => {
  const file = tempFile();
  const { others } = watcher(file);
  const busy = new DatabaseSync(file);
  busy.exec('BEGIN IMMEDIATE');
  for (const now of ticks(500, 15_500)) {
    busy.exec('UPDATE engines SET pid = pid + 1; COMMIT; BEGIN IMMEDIATE');
    others.look(now);
  }
  assert.is(others.isDead(1), true);
  busy.close();
});

test('a process is gone when it has ended, or its number is that of another', () => {
  const here = markOfThis();
  if (here.host === null) return assert.is(isGone(here, here), false);
  const { pid } = spawnSync(process.execPath, ['--version']);
  assert.is(isGone(here, here), false);
  assert.is(isGone({ ...here, start: '1' }, here), true);
  assert.is(isGone({ ...here, pid }, here), true);
  assert.is(isGone({ ...here, pid, host: 'elsewhere' }, here), false);
  assert.is(isGone({ ...here, pid, host: null }, { ...here, host: null }), false);
});

test('a dead process on this host is noticed at once', () => {
  const { db, holdings, others } = watcher();
  const { host } = holdings.mark;
  if (host === null) return assert.is(process.platform === 'linux', false);
  const { pid } = spawnSync(process.execPath, ['--version']);
  db.run(
    "INSERT INTO engines (lease_ms, host, pid, process_start, began_at) VALUES (15000, ?, ?, '1', 0)",
    host,
    pid,
  );
  others.look(10);
  assert.equal([...others.dead], [2]);
});
