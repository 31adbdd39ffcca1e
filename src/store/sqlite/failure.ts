import { StoreConflictError, StoreError, type StoreErrorCode, textOf } from '../../model/error.ts';

/** An error as it passes between threads. */
export interface Refusal {
  readonly code: StoreErrorCode | 'conflict';
  readonly message: string;
  /** For a conflict. */
  readonly runId?: string;
}

/** The result code for a lock that another connection has. */
export const BUSY = 5;

/** Primary result codes of SQLite: https://www.sqlite.org/rescode.html */
const codes: Readonly<Record<number, readonly [StoreErrorCode, words: string]>> = {
  [BUSY]: ['busy', 'another process has held the lock for longer than `busyTimeoutMs`'],
  6: ['busy', 'another connection holds the lock'],
  8: ['readonly', 'it can only be read'],
  11: ['corrupt', 'it is damaged'],
  13: ['full', 'the disk, or the size that `maxBytes` allows, is used up'],
  14: ['cannot_open', 'it cannot be opened; does its folder exist, and may this process write there?'],
  26: ['foreign', 'it is not an SQLite database'],
};

/** An error of SQLite, or any other, as a refusal. */
export function refusalOf(error: unknown, file: string): Refusal {
  if (error instanceof StoreConflictError)
    return { code: 'conflict', message: error.message, runId: error.runId };
  if (error instanceof StoreError) return { code: error.code, message: error.message };
  const found = codes[primaryCodeOf(error)];
  if (found === undefined) return { code: 'failed', message: `Store \`${file}\`: ${textOf(error)}` };
  return { code: found[0], message: `Store \`${file}\`: ${found[1]} (SQLite: ${textOf(error)})` };
}

/** The error of a refusal. */
export function errorOf({ code, message, runId = '' }: Refusal): StoreConflictError | StoreError {
  return code === 'conflict' ? new StoreConflictError(runId, message) : new StoreError(code, message);
}

/** The primary result code of an error of SQLite; 0 for any other. */
export function primaryCodeOf(error: unknown): number {
  const code = error instanceof Error ? (error as Error & { errcode?: number }).errcode : undefined;
  return (code ?? 0) & 0xff;
}
