import type { Entry } from '../../model/journal.ts';
import type { RunFilter, RunSummary } from '../../model/summary.ts';
import type { Append, Store, ValueFormat } from '../store.ts';
import { checkOptions, type SqliteStoreOptions } from './options.ts';
import type { JournalPart, ThreadSettings } from './protocol.ts';
import { RowReader } from './row-reader.ts';
import { RowWriter } from './row-writer.ts';
import { ThreadLink } from './thread-link.ts';

/** A store in an SQLite file. All its methods return promises. */
export interface SqliteStore extends Store, AsyncDisposable {
  append(given: Append): Promise<void>;
  lastSeq(runId: string): Promise<number>;
  read(runId: string): Promise<readonly Entry[]>;
  list(filter?: RunFilter): Promise<readonly RunSummary[]>;
  remove(runId: string): Promise<void>;
  /**
   * Keeps what was appended before, gives all runs up and closes the file. Safe to repeat. Afterwards every method
   * rejects with `StoreError` `closed`.
   */
  close(): Promise<void>;
}

/**
 * Opens a store in a file, which is made if there is none; its folder must exist. `:memory:` makes one without a file.
 *
 * Several processes may open the same file. It must be on a local disk: network file systems do not lock reliably.
 *
 * @param file path, or a `file:` URL, which may have `?mode=ro` to only read
 * @throws `FlowError` `bad_option`; `StoreError` if the file cannot be used, which is then left as it is
 */
export async function createSqliteStore(
  file: string | URL,
  options: SqliteStoreOptions = {},
): Promise<SqliteStore> {
  const store = new Sqlite(checkOptions(String(file), options), options.values);
  await store.opened();
  return store;
}

/** Writes and reads rows; the thread does the rest. */
class Sqlite implements SqliteStore {
  readonly values: ValueFormat | undefined;
  readonly #link: ThreadLink;
  readonly #writer: RowWriter;

  constructor(settings: ThreadSettings, values: ValueFormat | undefined) {
    this.values = values;
    this.#writer = new RowWriter(values);
    this.#link = new ThreadLink(settings, () => {});
  }

  opened(): Promise<void> {
    return this.#link.opened();
  }

  append(given: Append): Promise<void> {
    const { runId, expectedSeq, seq } = given;
    try {
      const { at, text, settles, start, end } = this.#writer.write(given);
      const isNews = start !== undefined || end !== undefined;
      const news = isNews ? { settles, start, end } : settles ? 1 : 0;
      return this.#link.append(runId, expectedSeq, seq, at, text, news);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  lastSeq(runId: string): Promise<number> {
    return this.#link.call('lastSeq', runId);
  }

  async read(runId: string): Promise<readonly Entry[]> {
    const reader = new RowReader(runId, this.values);
    const entries: Entry[] = [];
    let first: JournalPart | undefined;
    for (;;) {
      const part = await this.#link.call('read', runId, entries.length);
      first ??= part;
      // It was removed meanwhile, and is perhaps another run of the same id.
      if (part.run !== first.run) return [];
      for (const row of part.rows) reader.read(row, entries);
      if (part.rows.length === 0 || entries.length >= first.seq) return entries;
    }
  }

  async list(filter: RunFilter = {}): Promise<readonly RunSummary[]> {
    const { limit = Number.POSITIVE_INFINITY, newestFirst } = filter;
    const runs: RunSummary[] = [];
    let { before } = filter;
    let after = 0;
    for (;;) {
      const rest = { ...filter, before, limit: limit - runs.length };
      const page = await this.#link.call('list', rest, after);
      for (const run of page) runs.push(run);
      const last = page.at(-1);
      if (last === undefined || runs.length >= limit) return runs;
      if (newestFirst) before = last.order;
      else after = last.order;
    }
  }

  remove(runId: string): Promise<void> {
    return this.#link.call('remove', runId);
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
