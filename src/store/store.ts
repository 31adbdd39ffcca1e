import type { FlowOutline } from '../model/flow-outline.ts';
import type { Entry } from '../model/journal.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import type { RunFilter, RunSummary } from '../model/summary.ts';

export type { MaybePromise, RunFilter, RunSummary };

/** Consecutive entries of one run for a store to keep: all or none of them. */
export interface Append {
  readonly runId: string;
  /** `seq` of the last entry that the store must have of the run; 0 for a run that it does not know. */
  readonly expectedSeq: number;
  /** `seq` of the last of these entries. */
  readonly seq: number;
  /** The entries in `seq` order, without gaps; made on first read. */
  readonly entries: readonly Entry[];
  /** The journal that they belong to. A store in the same process may hold this instead of the entries. */
  readonly journal: EntrySource;
  /**
   * The JSON of an entry's value (input, output or reason), made by the store's `values` when the value was given.
   * `undefined` for an entry without a value, for one that comes from elsewhere, and for a store without `values`.
   */
  textAt?(seq: number): string | undefined;
}

/** The entries of a run by `seq`, which later entries do not change. */
export interface EntrySource {
  get(seq: number): Entry;
}

/** The form in which a store writes values: always JSON, so that journals stay readable. */
export interface ValueFormat {
  /** The JSON of a value. Throws `ValueError`, with the path in the value, if it could not be read back as it is. */
  write(value: unknown): string;
  /** The value, from what its JSON says when parsed. */
  read(json: unknown): unknown;
}

/**
 * Keeps journals, each of one run.
 *
 * A run whose id has a `/` is a *child run*: what stands before the first slash is the id of its *root*, and what stands
 * before the last one the id of its *parent*. A root and the runs below it are a *tree*.
 *
 * Any method may return a promise; of a store that says `isAsync`, `append` does. A run continues from what is kept,
 * so it waits for its appends, and nothing else does. Every implementation must pass the contract suite (`test/store/contract.ts`).
 */
export interface Store {
  /** Whether `append` returns a promise, always. Default false. */
  readonly isAsync?: boolean | undefined;
  /** Whether its journals outlive the process. Default false. */
  readonly isDurable?: boolean | undefined;
  /** How it writes values. Without this it keeps them as they are, in this process. */
  readonly values?: ValueFormat | undefined;
  /**
   * Keeps entries, all or none of them; they are durable when it returns or its promise resolves. An engine has one
   * append of a run under way at a time.
   *
   * An unknown run is created, with `expectedSeq` 0. Throws `StoreConflictError`, and keeps nothing, if the run's last
   * `seq` is not `expectedSeq`: the id is taken, or another engine continues the run; or if a new child's root or parent
   * is unknown: it was never kept, or was removed. Not safe to repeat: a second call conflicts. After any other error the
   * entries may have been kept: `lastSeq` tells.
   */
  append(given: Append): MaybePromise<void>;
  /**
   * Keeps a tree that the store does not know, all of it or nothing: the whole journals of its runs, each behind that of
   * its parent, so that the first is the root's. Throws as `append` does. Optional: a tree must not be seen half, by
   * other engines or after a crash.
   */
  appendTree?(runs: readonly Append[]): MaybePromise<void>;
  /**
   * `seq` of the last entry of a run; 0 if it is unknown. Changes nothing. Throws `StoreConflictError` if the run has
   * been taken over from this engine.
   */
  lastSeq(runId: string): MaybePromise<number>;
  /** All entries of a run in `seq` order; none if it is unknown. Changes nothing. */
  read(runId: string): MaybePromise<readonly Entry[]>;
  /**
   * The roots that match a filter, or the runs below one run, in creation order or reversed. A page costs the runs
   * examined to fill it; of roots, children cost nothing. Changes nothing.
   */
  list(filter?: RunFilter): MaybePromise<readonly RunSummary[]>;
  /**
   * Removes a run, all runs below it, and their journals: from one moment on, none of them is known. Safe to repeat;
   * unknown runs are ignored.
   */
  remove(runId: string): MaybePromise<void>;
  /**
   * All entries of a run in `seq` order, in parts that each take a few milliseconds at most; none if it is unknown.
   * Changes nothing. Optional: for a store whose `read` of a long journal would hold up the event loop.
   */
  readInParts?(runId: string): AsyncIterable<readonly Entry[]>;
  /**
   * Keeps the outline of a flow by its hash, so that a later version can say how it differs. Replaces an earlier one of
   * that hash. Optional; an engine does not wait for it, and ignores its error.
   */
  keepFlow?(flow: FlowOutline): MaybePromise<void>;
  /** The outline of the flow with this hash; `undefined` if it is not known. Changes nothing. Goes with `keepFlow`. */
  readFlow?(hash: string): MaybePromise<FlowOutline | undefined>;
}
