import { StoreError, textOf } from '../../model/error.ts';
import type { FlowOutline } from '../../model/flow-outline.ts';
import type { Entry } from '../../model/journal.ts';
import { checkTree, type RunFilter, type RunSummary } from '../../model/summary.ts';
import type { ClaimedRun, ClaimOptions, RunRequest, SharedStore, StoreWatcher } from '../shared.ts';
import type { Append, ValueFormat } from '../store.ts';
import { createValueFormat } from '../values.ts';
import { checkOptions, type SqliteStoreOptions } from './options.ts';
import { outlineText } from './outline-text.ts';
import type { AppendFields, ThreadEvent, ThreadSettings } from './protocol.ts';
import type { Row } from './row.ts';
import { RowReader } from './row-reader.ts';
import { RowWriter } from './row-writer.ts';
import { ThreadLink } from './thread-link.ts';

/** A store in an SQLite file. All its methods return promises. */
export interface SqliteStore extends SharedStore, AsyncDisposable {
  append(given: Append): Promise<void>;
  appendTree(runs: readonly Append[]): Promise<void>;
  lastSeq(runId: string): Promise<number>;
  read(runId: string): Promise<readonly Entry[]>;
  list(filter?: RunFilter): Promise<readonly RunSummary[]>;
  remove(runId: string): Promise<void>;
  readInParts(runId: string): AsyncIterable<readonly Entry[]>;
  keepFlow(flow: FlowOutline): Promise<void>;
  readFlow(hash: string): Promise<FlowOutline | undefined>;
  claim(flows: readonly string[], options?: ClaimOptions): Promise<readonly ClaimedRun[]>;
  claimRun(runId: string, goesOn?: boolean): Promise<ClaimedRun | undefined>;
  release(runIds: readonly string[], areRefused?: boolean): Promise<void>;
  watch(watcher: StoreWatcher | undefined): Promise<void>;
  request(runId: string, request: RunRequest): Promise<string | undefined>;
  /**
   * Keeps what was appended before, gives all runs up and closes the file. Safe to repeat. Afterwards every method
   * rejects with `StoreError` `closed`.
   */
  close(): Promise<void>;
}

const none: readonly Row[] = [];

/** How often the main thread shows that its event loop runs, at the least. */
const maxBeatMs = 5_000;

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
  const settings = checkOptions(String(file), options);
  const store = new Sqlite(settings, options.values ?? createValueFormat({ codec: options.codec }));
  await store.open();
  return store;
}

/** Writes and reads rows; the thread does the rest. */
class Sqlite implements SqliteStore {
  readonly isAsync = true;
  readonly isDurable = true;
  readonly values: ValueFormat;
  readonly #link: ThreadLink;
  readonly #writer: RowWriter;
  readonly #heartbeat: NodeJS.Timeout;
  #watcher: StoreWatcher | undefined;

  constructor(settings: ThreadSettings, values: ValueFormat) {
    this.values = values;
    this.#writer = new RowWriter(values);
    this.#link = new ThreadLink(settings, (event) => this.#hear(event));
    const heard = new Int32Array(settings.heard);
    const beatMs = Math.min(maxBeatMs, settings.silenceMs / 4);
    this.#heartbeat = setInterval(() => Atomics.add(heard, 0, 1), beatMs);
    this.#heartbeat.unref();
  }

  async open(): Promise<void> {
    try {
      await this.#link.opened();
    } catch (error) {
      clearInterval(this.#heartbeat);
      throw error;
    }
  }

  append(given: Append): Promise<void> {
    try {
      return this.#link.append(this.#fieldsOf(given));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async appendTree(runs: readonly Append[]): Promise<void> {
    checkTree(runs);
    await this.#link.call(
      'appendTree',
      runs.flatMap((run) => this.#fieldsOf(run)),
    );
  }

  #fieldsOf(given: Append): AppendFields {
    const { runId, expectedSeq, seq } = given;
    const { rows, news } = this.#writer.write(given);
    const { at, text } = rows.at(-1) as Row;
    const before = rows.length > 1 ? rows.slice(0, -1) : none;
    const { settles, start, end } = news;
    return [
      ...[runId, expectedSeq, seq, at, text, before],
      ...[settles, start?.flow, start?.at, end?.ending, end?.at],
    ];
  }

  lastSeq(runId: string): Promise<number> {
    return this.#link.call('lastSeq', runId);
  }

  async read(runId: string): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    for await (const part of this.#parts(runId)) {
      if (part === undefined) return [];
      for (const entry of part) entries.push(entry);
    }
    return entries;
  }

  async *readInParts(runId: string): AsyncGenerator<readonly Entry[], void, undefined> {
    for await (const part of this.#parts(runId)) {
      if (part === undefined) throw new StoreError('failed', `Run ${runId} was removed while it was read`);
      yield part;
    }
  }

  /** Ends with `undefined` if the run was removed meanwhile: perhaps there is another run of the same id. */
  async *#parts(runId: string): AsyncGenerator<readonly Entry[] | undefined, void, undefined> {
    const reader = new RowReader(runId, this.values);
    const first = await this.#link.call('read', runId, 0);
    let { rows } = first;
    /** Of the last entry of the parts before. */
    let seq = 0;
    for (;;) {
      const last = rows.at(-1)?.seq;
      if (last === undefined) return;
      const isLast = last >= first.seq;
      const next = isLast ? undefined : this.#link.call('read', runId, last);
      // Nobody may wait for it.
      next?.catch(() => {});
      const entries: Entry[] = [];
      for (const row of rows) readSoundly(reader, row, entries, { runId, seq });
      seq = last;
      yield entries;
      const part = await next;
      if (part === undefined) return;
      if (part.run !== first.run) return yield undefined;
      ({ rows } = part);
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

  async keepFlow(flow: FlowOutline): Promise<void> {
    const { hash, name } = flow;
    const text = outlineText(flow);
    // Of most flows it goes to the thread before their run's first append.
    return this.#link.call('keepFlow', hash, name, typeof text === 'string' ? text : await text);
  }

  async readFlow(hash: string): Promise<FlowOutline | undefined> {
    const text = await this.#link.call('readFlow', hash);
    return text === undefined ? undefined : (JSON.parse(text) as FlowOutline);
  }

  claim(
    flows: readonly string[],
    { limit = 100, afresh = false }: ClaimOptions = {},
  ): Promise<readonly ClaimedRun[]> {
    return this.#link.call('claim', flows, limit, afresh);
  }

  claimRun(runId: string, goesOn = true): Promise<ClaimedRun | undefined> {
    return this.#link.call('claimRun', runId, goesOn);
  }

  release(runIds: readonly string[], areRefused = false): Promise<void> {
    return this.#link.call('release', runIds, areRefused);
  }

  watch(watcher: StoreWatcher | undefined): Promise<void> {
    this.#watcher = watcher;
    return this.#link.call('watch', watcher?.flows);
  }

  request(runId: string, request: RunRequest): Promise<string | undefined> {
    return this.#link.call('request', runId, request);
  }

  close(): Promise<void> {
    clearInterval(this.#heartbeat);
    return this.#link.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #hear(event: ThreadEvent): void {
    switch (event.type) {
      case 'claimable':
        return callBack(() => this.#watcher?.claimable?.());
      case 'taken':
        return callBack(() => this.#watcher?.taken?.(event.runIds));
      case 'requested':
        void this.#answer(event);
    }
  }

  async #answer({ request, runId, what }: Extract<ThreadEvent, { type: 'requested' }>): Promise<void> {
    let refusal: string | undefined;
    let reply: string | undefined;
    try {
      if (this.#watcher?.requested === undefined) refusal = 'it takes no requests';
      else reply = await this.#watcher.requested(runId, what);
    } catch (error) {
      refusal = textOf(error);
    }
    // A store that is closed meanwhile gives its runs up, and the asker learns that.
    await this.#link.call('answer', request, refusal, reply).catch(() => {});
  }
}

/**
 * Reads a row of a run whose entries up to `seq` have been read, and whose following ones are `entries`. Throws
 * `StoreError` `corrupt` if it is damaged.
 */
function readSoundly(
  reader: RowReader,
  row: Row,
  entries: Entry[],
  { runId, seq }: { readonly runId: string; readonly seq: number },
): void {
  const before = seq + entries.length;
  let cause: unknown;
  try {
    reader.read(row, entries);
    if (seq + entries.length === row.seq) return;
  } catch (error) {
    if (error instanceof StoreError) throw error;
    cause = error;
  }
  const why = cause === undefined ? 'entries are missing' : textOf(cause);
  throw new StoreError('corrupt', `The journal of run ${runId} is damaged behind entry ${before}: ${why}`, {
    cause,
  });
}

function callBack(call: () => void): void {
  try {
    call();
  } catch {
    // The port says so: a watcher must not end the store.
  }
}
