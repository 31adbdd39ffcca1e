import type { MaybePromise } from '../../index.ts';
import type {
  ChildRuns,
  CommandRequest,
  Dropped,
  GridCell,
  ListedRun,
  LogLine,
  SourceInfo,
  Structure,
  ValuePage,
} from '../protocol.ts';
import type { ValuePart } from '../values/value-page.ts';

/** A place that runs come from. Everything that it gives has been redacted. */
export interface Source {
  readonly id: string;
  info(): SourceInfo;
  /** Runs that are no child runs, the latest first, from a place on; a page costs the runs that are looked at. */
  list(query: ListQuery): MaybePromise<readonly PlacedRun[]>;
  /** Opens a run; `undefined` if there is none. Throws Problem where it cannot be shown. */
  open(runId: string): MaybePromise<ShownRun | undefined>;
  /** Calls back when runs have changed. Returns a function that ends this. */
  listen(listener: SourceListener): () => void;
  /** Has `changed` called for a run that no event tells of, until the returned function is called. */
  follow?(runId: string): () => void;
  close(): MaybePromise<void>;
}

export interface ListQuery {
  readonly flow?: string | undefined;
  /** Only runs further back than this place. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** A run in the list of its source; places fall from the latest run to the first. */
export interface PlacedRun {
  readonly place: number;
  readonly run: ListedRun;
}

export interface SourceListener {
  /** A run is new, or has more entries or lines of log. Called often: it must only take a note. */
  changed(runId: string): void;
  /** Another structure is to be read of a run: it was recovered, or its flow has changed. */
  renewed(runId: string): void;
  /** Runs are shown no more. */
  removed(runIds: readonly string[]): void;
  /** What `info` says has changed. */
  informed(): void;
}

/** A run as its source shows it. Later calls show later entries. */
export interface ShownRun {
  readonly id: string;
  /** `seq` of the last entry there is. */
  readonly seq: number;
  readonly isSettled: boolean;
  listed(): ListedRun;
  structure(): Structure;
  /** The child run of each task that has one. */
  children(): MaybePromise<ChildRuns>;
  /** How each task stands, by id; a task without an entry is missing. Reads the whole journal. */
  cells(): ReadonlyMap<string, GridCell>;
  /** The entries above `after`, a bounded number of them. */
  read(after: number): Batch;
  /** Lines of log above `after`, and how many of these are gone. */
  logs(after: number): LogBatch;
  page(query: ValueQuery): MaybePromise<ValuePage>;
  /** The JSON of a whole value. Throws Problem 413 if it is too large. */
  whole(query: ValueQuery): MaybePromise<string>;
  /** Throws Problem if it is refused. */
  command(request: CommandRequest): MaybePromise<void>;
}

/** Entries in `seq` order. */
export interface Batch {
  /** These are missing before the entries, both included. */
  readonly gap?: { readonly from: number; readonly to: number } | undefined;
  /** JSON of `EntryRows`, as pieces of UTF-8. */
  readonly entries?: readonly Uint8Array<ArrayBuffer>[] | undefined;
  /** `seq` of the last entry in it; `after` where there is none. */
  readonly to: number;
}

export interface LogBatch {
  readonly lines: readonly LogLine[];
  readonly dropped: number;
  /** Number of the last line. */
  readonly to: number;
}

export interface ValueQuery extends ValuePart {
  readonly seq: number;
  readonly pointer: string;
}

/** Entries in one batch at most. */
export const batchSize = 5_000;

/** A batch is not made longer than this many bytes and the next 100 entries. */
export const batchBytes = 262_144;

export const nothingDropped: Dropped = { runs: 0, entries: 0, logs: 0 };
