import type { Entry } from '../model/journal.ts';
import type { RunFilter, RunSummary } from '../model/summary.ts';

export type { RunFilter, RunSummary };

/**
 * Where journals live. Synchronous: an append has been kept when it returns, so a run goes on from there only.
 *
 * Whoever writes a store runs the contract suite (`test/store/contract.ts`) on it.
 */
export interface Store {
  /**
   * Keeps entries behind those that the run has, all or none of them.
   *
   * Before: their `seq` goes on from `expectedSeq` without gaps. After: `read` gives them, in this order. A run
   * unknown until now is made, with `expectedSeq` 0. Throws `StoreConflictError`, and keeps nothing, where the
   * run's last `seq` is not `expectedSeq`: another engine has taken the run over. Not safe to repeat: a second
   * call conflicts.
   */
  append(runId: string, entries: readonly Entry[], expectedSeq: number): void;
  /** All entries of a run in `seq` order; none where it is unknown. Changes nothing. */
  read(runId: string): readonly Entry[];
  /**
   * The runs that a filter lets through, in the order in which they were made, or backwards. A page costs what is
   * looked at to fill it. Changes nothing.
   */
  list(filter?: RunFilter): readonly RunSummary[];
  /** Forgets a run and its journal. Safe to repeat; unknown runs are passed over. */
  remove(runId: string): void;
}
