import { showValue } from '../model/check.ts';
import { JournalError } from '../model/error.ts';
import type { Entry } from '../model/journal.ts';
import { PassingMap } from '../model/passing-map.ts';
import type { RunJournal } from './run-journal.ts';

/** Of so many runs is remembered how far they got; the oldest go first. */
const MOST = 10_000;

/**
 * Sees to it that an engine goes on from a journal once: it knows what its store has of a run and, of runs that have
 * left it and of which somebody may hold a snapshot, how far they got. Nothing is noted of any other run.
 */
export class LeftRuns {
  readonly #read: (runId: string) => readonly Entry[];
  readonly #seqs = new PassingMap<string, number>();

  /** @param read gives what has been kept of a run elsewhere */
  constructor(read: (runId: string) => readonly Entry[]) {
    this.#read = read;
  }

  /** Throws JournalError where more is known of the run than the journal has. From here on it is under way. */
  comeBack(journal: RunJournal): void {
    if (!journal.isShared) return this.#forget(journal);
    const { runId, seq } = journal;
    const kept = this.#read(runId);
    const knownSeq = Math.max(kept.length, this.#seqs.get(runId) ?? 0);
    if (knownSeq > seq) {
      const message =
        `Run ${showValue(runId)} has gone on since: the snapshot ends with entry ${seq}, and ${knownSeq} are known. ` +
        'Take its last snapshot, or start another run';
      throw new JournalError('stale', message, { runId, seq, knownSeq });
    }
    const other = kept.findIndex((entry, index) => !isSame(entry, journal.entry(index + 1)));
    if (other >= 0) {
      const message =
        `Run ${showValue(runId)} has gone another way: entry ${other + 1} of the snapshot is not what the store has. ` +
        'Take its last snapshot, or `engine.recover`';
      throw new JournalError('stale', message, { runId, seq, knownSeq });
    }
    this.#forget(journal);
  }

  /** A run is not under way any more. */
  leave(journal: RunJournal): void {
    if (!journal.isShared) return;
    this.#seqs.set(journal.runId, journal.keptSeq);
    if (this.#seqs.size > MOST) this.#seqs.shift();
  }

  #forget({ runId }: RunJournal): void {
    if (this.#seqs.size > 0) this.#seqs.delete(runId);
  }
}

/** Inputs and outputs are left out: a snapshot that was kept as JSON may have them a little different. */
function isSame(one: Entry, other: Entry): boolean {
  const taskOf = (entry: Entry): string | undefined => ('taskId' in entry ? entry.taskId : undefined);
  return one.type === other.type && one.at === other.at && taskOf(one) === taskOf(other);
}
