import { isThenable, showValue } from '../model/check.ts';
import { JournalError } from '../model/error.ts';
import type { Entry } from '../model/journal.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import { OrderedMap } from '../model/ordered-map.ts';
import type { RunJournal } from './run-journal.ts';

/** The number of runs whose last `seq` is remembered; the oldest go first. */
const MOST = 10_000;

/**
 * Ensures that an engine recovers from a journal only once. It knows the store's entries of a run, and the last `seq`
 * of each run that has left and may have snapshots. Other runs are not tracked.
 */
export class RecoveryGuard {
  readonly #read: (runId: string) => MaybePromise<readonly Entry[]>;
  readonly #seqs = new OrderedMap<string, number>();

  /** @param read gives the entries of a run kept elsewhere */
  constructor(read: (runId: string) => MaybePromise<readonly Entry[]>) {
    this.#read = read;
  }

  /**
   * Lets a run go on. Throws JournalError if more entries are known than the journal has; rejects with it if the
   * store takes its time.
   */
  check(journal: RunJournal): MaybePromise<void> {
    if (!journal.isShared) return this.#forget(journal);
    const kept = this.#read(journal.runId);
    if (!isThenable(kept)) return this.#check(journal, kept);
    return kept.then((entries) => this.#check(journal, entries));
  }

  #check(journal: RunJournal, kept: readonly Entry[]): void {
    const { runId, seq } = journal;
    const knownSeq = Math.max(kept.length, this.#seqs.get(runId) ?? 0);
    if (knownSeq > seq) {
      const message =
        `Run ${showValue(runId)} has continued since: the snapshot ends with entry ${seq}, and ${knownSeq} entries are known. ` +
        'Use its last snapshot, or start another run';
      throw new JournalError('stale', message, { runId, seq, knownSeq });
    }
    const other = kept.findIndex((entry, index) => !isSame(entry, journal.entry(index + 1)));
    if (other >= 0) {
      const message =
        `Run ${showValue(runId)} has taken another path: entry ${other + 1} of the snapshot differs from the store. ` +
        'Use its last snapshot, or `engine.recover`';
      throw new JournalError('stale', message, { runId, seq, knownSeq });
    }
    this.#forget(journal);
  }

  /** Notes that a run has left. */
  leave(journal: RunJournal): void {
    if (!journal.isShared) return;
    const { runId, keptSeq } = journal;
    this.#seqs.set(runId, Math.max(keptSeq, this.#seqs.get(runId) ?? 0));
    if (this.#seqs.size > MOST) this.#seqs.shift();
  }

  #forget({ runId }: RunJournal): void {
    if (this.#seqs.size > 0) this.#seqs.delete(runId);
  }
}

/** Compares entries without inputs and outputs, which may differ slightly in a snapshot kept as JSON. */
function isSame(one: Entry, other: Entry): boolean {
  const taskOf = (entry: Entry): string | undefined => ('taskId' in entry ? entry.taskId : undefined);
  return one.type === other.type && one.at === other.at && taskOf(one) === taskOf(other);
}
