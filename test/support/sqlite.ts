import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Append, Entry } from 'topple';

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
