import type { Entry } from '../model/journal.ts';
import type { RunFilter, RunSummary } from '../model/summary.ts';

export type { RunFilter, RunSummary };

/**
 * Stores journals. Synchronous: an append is durable when it returns, so a run continues only from there.
 *
 * Every implementation must pass the contract suite (`test/store/contract.ts`).
 */
export interface Store {
  /**
   * Appends entries to those of the run, all or none of them.
   *
   * Before: their `seq` continues from `expectedSeq` without gaps. After: `read` returns them, in this order. An
   * unknown run is created, with `expectedSeq` 0. Throws `StoreConflictError`, and stores nothing, if the run's last
   * `seq` is not `expectedSeq`: another engine has taken the run over. Not safe to repeat: a second call conflicts.
   */
  append(runId: string, entries: readonly Entry[], expectedSeq: number): void;
  /** All entries of a run in `seq` order; none if it is unknown. Changes nothing. */
  read(runId: string): readonly Entry[];
  /**
   * The runs that match a filter, in creation order or reversed. A page costs the runs examined to fill it. Changes
   * nothing.
   */
  list(filter?: RunFilter): readonly RunSummary[];
  /** Removes a run and its journal. Safe to repeat; unknown runs are ignored. */
  remove(runId: string): void;
}
