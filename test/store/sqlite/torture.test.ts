// Processes that are killed and frozen while they write to one file. TOPPLE_KILLS sets how often; TOPPLE_SEED when.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Entry } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';
import { nextOf, tempFile } from '../../support/sqlite.ts';
import type { WriterMessage } from './writer.child.ts';

const test = spec('SQLite store under torture');

const kills = Number(process.env.TOPPLE_KILLS ?? 6);
let state = Number(process.env.TOPPLE_SEED ?? 1);

/** A number from 0 up to, not including, `below`. Mulberry32. */
function random(below: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
}

function writer(
  file: string,
  { name, leaseMs = 15_000, runs }: { name: string; leaseMs?: number; runs: number },
  onMessage: (message: WriterMessage) => void,
): ChildProcess {
  const child = fork(join(import.meta.dirname, 'writer.child.ts'), [
    file,
    name,
    String(leaseMs),
    String(runs),
  ]);
  child.on('message', onMessage);
  return child;
}

/** Kills a process, and waits until all that it said has been heard. */
async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'close');
}

/** Whether a process has stopped, where the system tells. */
function isStopped(pid: number): boolean {
  const path = `/proc/${pid}/stat`;
  return !existsSync(path) || /\) T /.test(readFileSync(path, 'utf8'));
}

/** A journal must be whole appends, each as it was given. */
function checkWhole(entries: readonly Entry[]): void {
  assert.equal(
    entries.map(({ seq }) => seq),
    entries.map((_, index) => index + 1),
  );
  const written = entries.flatMap((entry) => (entry.type === 'task.done' ? [entry] : []));
  for (let at = 0; at < written.length; ) {
    const { output, attempt } = written[at] as { output: string; attempt: number };
    const token = output.replace(/ 0$/, '');
    const group = written.slice(at, at + attempt).map((entry) => entry.output);
    assert.equal(
      group,
      Array.from({ length: attempt }, (_, index) => `${token} ${index}`),
    );
    at += attempt;
  }
}

test(`loses no acknowledged append, and tears none, in ${kills} kills of two processes`, async () => {
  const file = tempFile();
  const kept = new Map<string, Map<number, string>>();
  let heard = 0;
  let wake = Promise.withResolvers<void>();
  let wakeAt = 0;
  const refused: WriterMessage[] = [];
  const hear = (message: WriterMessage): void => {
    if (message.type === 'refused') refused.push(message);
    else {
      const run = kept.get(message.runId) ?? new Map<number, string>();
      kept.set(message.runId, run);
      run.set(message.seq, message.token);
    }
    if (++heard >= wakeAt) wake.resolve();
  };
  const children = [0, 1].map((name) => writer(file, { name: `w${name}`, runs: 4 }, hear));
  for (let times = 0; times < kills; times++) {
    wake = Promise.withResolvers();
    wakeAt = heard + 20 + random(200);
    await wake.promise;
    const place = random(2);
    await kill(children[place] as ChildProcess);
    children[place] = writer(file, { name: `k${times}`, runs: 1 }, hear);
  }
  await Promise.all(children.map(kill));

  assert.equal(refused, [], 'nobody took over from a process that lived');
  await using store = await createSqliteStore(file);
  let checked = 0;
  for (const { id, seq } of await store.list()) {
    const entries = await store.read(id);
    assert.is(entries.length, seq);
    checkWhole(entries);
    for (const [at, token] of kept.get(id) ?? []) {
      const entry = entries[at - 1] as Entry & { output: string };
      assert.ok(entry?.output.startsWith(`${token} `), `${id}: ${token} is lost`);
      checked++;
    }
  }
  assert.ok(checked > 20 * kills && checked === heard, `${checked} of ${heard}`);
  const db = new DatabaseSync(file);
  assert.equal(Object.values(db.prepare('PRAGMA integrity_check').get() ?? {}), ['ok']);
  db.close();
});

test('refuses the appends of a process that was frozen for longer than its lease', async () => {
  const file = tempFile();
  await using store = await createSqliteStore(file, { leaseMs: 200 });
  const conflicts: WriterMessage[] = [];
  let onKept = Promise.withResolvers<void>();
  const onConflicts = Promise.withResolvers<void>();
  const child = writer(file, { name: 'frozen', leaseMs: 200, runs: 3 }, (message) => {
    if (message.type === 'kept') return onKept.resolve();
    conflicts.push(message);
    if (conflicts.length === 3) onConflicts.resolve();
  });
  await freeze();
  await nextOf(store, 'claimable');
  const runs = await store.claim(['f']);
  assert.equal(
    runs.map(({ id }) => id),
    ['frozen-0', 'frozen-1', 'frozen-2'],
  );
  await store.watch(undefined);
  child.kill('SIGCONT');
  await onConflicts.promise;
  assert.ok(conflicts.every((message) => message.type === 'refused' && message.isConflict));
  for (const { id, seq } of runs) assert.is(await store.lastSeq(id), seq);
  const db = new DatabaseSync(file);
  assert.equal({ ...db.prepare('SELECT DISTINCT epoch FROM journal').get() }, { epoch: 1 });
  db.close();
  await kill(child);

  /** Freezes it between transactions: in one it would hold the lock. */
  async function freeze(): Promise<void> {
    const db = new DatabaseSync(file, { timeout: 0 });
    for (;;) {
      onKept = Promise.withResolvers();
      await onKept.promise;
      child.kill('SIGSTOP');
      while (!isStopped(child.pid as number));
      try {
        db.exec('BEGIN IMMEDIATE; ROLLBACK');
        db.close();
        return;
      } catch {
        child.kill('SIGCONT');
      }
    }
  }
});
