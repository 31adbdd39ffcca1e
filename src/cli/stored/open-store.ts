import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { StoreConflictError, StoreError, type ValueFormat } from '../../index.ts';
import { createSqliteStore, type SqliteStore } from '../../store/sqlite/index.ts';
import { RefusedError, UsageError } from '../cli-error.ts';
import type { Io } from '../io.ts';

/** A file of runs that is open. */
export interface OpenStore {
  readonly store: SqliteStore;
  /** The path as given, for messages. */
  readonly file: string;
  /** Absolute, without links. */
  readonly path: string;
}

/** What a command does with a file of runs: only `create` makes one that is missing; `read` takes one that cannot be written. */
export type StoreUse = 'read' | 'change' | 'create';

/** Codes of errors that concern the file as it is named. */
const aboutFile: ReadonlySet<string> = new Set(['readonly', 'cannot_open', 'foreign', 'newer', 'corrupt']);

/** The file of runs that a command names; the environment's by default. Throws UsageError if there is none. */
export function storeFile(given: string | undefined, { env }: Pick<Io, 'env'>): string {
  const file = given ?? env.TOPPLE_STORE;
  if (file !== undefined && file !== '') return file;
  throw new UsageError('`--store FILE` is missing: name the file of the runs, or set TOPPLE_STORE.');
}

/**
 * Works with a file of runs, and closes it at the end.
 *
 * @param values how values are read and written; default: as programs do
 * @throws UsageError if the file is missing or of no use, also if it proves so later; CliError if it fails otherwise
 */
export async function withStore<T>(
  given: string | undefined,
  use: StoreUse,
  io: Io,
  work: (open: OpenStore) => Promise<T>,
  values?: ValueFormat,
): Promise<T> {
  const file = storeFile(given, io);
  try {
    const open = await openStore(file, use, io, values);
    try {
      return await work(open);
    } finally {
      await open.store.close();
    }
  } catch (error) {
    throw explainStoreError(error, file);
  }
}

/** The error of a store as one of the command line; any other as it is. */
export function explainStoreError(error: unknown, file: string): unknown {
  if (error instanceof StoreConflictError)
    return new RefusedError(`${file}: ${sentence(error.message)}`, { cause: error });
  if (!(error instanceof StoreError)) return error;
  const Kind = aboutFile.has(error.code) ? UsageError : RefusedError;
  return new Kind(`${file}: ${sentence(error.message)}`, { cause: error });
}

async function openStore(
  file: string,
  use: StoreUse,
  io: Io,
  values: ValueFormat | undefined,
): Promise<OpenStore> {
  const path = resolve(io.cwd, file);
  if (use !== 'create') checkFile(file, path);
  const options = values === undefined ? {} : { values };
  let store: SqliteStore;
  try {
    store = await createSqliteStore(path, options);
  } catch (error) {
    const isReadOnly = error instanceof StoreError && /^(readonly|cannot_open)$/.test(error.code);
    if (use !== 'read' || !isReadOnly) throw error;
    store = await createSqliteStore(`${pathToFileURL(path).href}?mode=ro`, options);
  }
  return { store, file, path: realpathSync(path) };
}

function checkFile(file: string, path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined)
    throw new UsageError(
      `${file}: there is no such file. Runs are kept by \`topple run --store ${file} …\`.`,
    );
  if (!found.isFile()) throw new UsageError(`${file}: is no file of runs.`);
}

function sentence(text: string): string {
  return text.trim().replace(/[^.?!]$/, '$&.');
}
