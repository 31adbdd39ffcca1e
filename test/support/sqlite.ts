import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Append, Entry } from 'topple';
import type { SqliteStore, StoreWatcher } from 'topple/sqlite';

const folders: string[] = [];
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Path of a file that does not exist yet, in a folder of its own that goes when the process ends. */
export function tempFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'topple-sqlite-'));
  folders.push(folder);
  return join(folder, 'runs.sqlite');
}

/** An append of entries that follow `expectedSeq`; for each only its type and what differs from the usual. */
export function given(
  runId: string,
  expectedSeq: number,
  ...facts: readonly (Partial<Entry> & { readonly type: Entry['type'] })[]
): Append {
  const entries = facts.map((fact, index) => {
    const stamp = { at: 1_000 + expectedSeq + index, seq: expectedSeq + index + 1, runId };
    const own = fact.type === 'run.started' ? { version: 1, flow: 'f', flowHash: 'h', input: 1 } : {};
    const task = fact.type.startsWith('task.') ? { taskId: 'a' } : {};
    return { ...own, ...stamp, ...task, ...fact } as Entry;
  });
  const get = (seq: number) => entries[seq - expectedSeq - 1] as Entry;
  return { runId, expectedSeq, seq: expectedSeq + entries.length, entries, journal: { get } };
}

/** The error of a promise that rejects; `undefined` if it does not. */
export async function refusal(promise: Promise<unknown>): Promise<(Error & { code?: string }) | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** The codes of rejected promises, `conflict` for a `StoreConflictError`; `ok` for the others. */
export async function codesOf(promises: readonly Promise<unknown>[]): Promise<(string | undefined)[]> {
  const errors = await Promise.all(promises.map(refusal));
  return errors.map((error) =>
    error === undefined ? 'ok' : error.name === 'StoreConflictError' ? 'conflict' : error.code,
  );
}

/** The thread of an idle store. */
export async function threadOf(store: SqliteStore): Promise<Worker> {
  let thread: Worker | undefined;
  const { ref } = Worker.prototype;
  Worker.prototype.ref = function (this: Worker) {
    thread = this;
    ref.call(this);
  };
  const answer = store.lastSeq('');
  Worker.prototype.ref = ref;
  await answer;
  return thread as Worker;
}

/** Ends the thread of an idle store, which then shows no life. */
export async function crash(store: SqliteStore): Promise<void> {
  await (await threadOf(store)).terminate();
  await store.close();
}

/** Watches a store until it calls back. */
export async function nextOf<Name extends 'claimable' | 'taken' | 'requested'>(
  store: SqliteStore,
  name: Name,
  flows: readonly string[] = ['f'],
): Promise<Parameters<NonNullable<StoreWatcher[Name]>>> {
  // A watch alone does not keep the process alive.
  const alive = setInterval(() => {}, 1_000);
  return await new Promise((resolve) => {
    const callback = (...args: never[]): void => {
      clearInterval(alive);
      resolve(args as never);
    };
    void store.watch({ flows, [name]: callback });
  });
}
