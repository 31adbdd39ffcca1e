import type { Store } from '../store/store.ts';
import { Keeping, type KeptRun } from './keeping.ts';
import type { RunJournal } from './run-journal.ts';
import type { Committer, Turn } from './turn.ts';

/** The run whose entries are committed. */
export interface CommittedRun extends KeptRun {
  /** Whether anybody is told of its entries. */
  readonly isWatched: boolean;
  fault(error: unknown): void;
}

/** When a run's entries go to the store: at the end of the turn, or at once, or a little later. */
export class RunCommits implements Committer {
  readonly keeping: Keeping;
  readonly #journal: RunJournal;
  readonly #turn: Turn;
  readonly #run: CommittedRun;
  #isDue = false;
  /** Whether a commit is due that may wait until the event loop has had its turn. */
  #isLateDue = false;
  /** `seq` of the last entry whose commit must not wait, where others may. */
  #urgentSeq = 0;
  #kept: PromiseWithResolvers<void> | undefined;
  /** `seq` of the entry that `#kept` waits for. */
  #awaitedSeq = 0;

  constructor(journal: RunJournal, store: Store | undefined, turn: Turn, run: CommittedRun) {
    this.#journal = journal;
    this.#turn = turn;
    this.#run = run;
    this.keeping = new Keeping(journal, store, run);
  }

  /**
   * Commits an entry of this type at the end of the turn. A start alone may be kept a turn later, where the store takes
   * its time and nobody watches: most bodies of a chain return within it, and then one append has both.
   */
  later(type: string | undefined): void {
    if (this.#journal.isLate) {
      if (type === 'task.started' && !this.#run.isWatched) return this.#last();
      this.#urgentSeq = this.#journal.seq;
    }
    if (this.#isDue) return;
    this.#isDue = true;
    this.#turn.commitLater(this);
  }

  /** Commits at once. Throws the error of a store that returns at once. */
  now(): void {
    this.#urgentSeq = this.#journal.seq;
    this.keeping.commit();
  }

  commit(): void {
    this.#isDue = this.#isLateDue = false;
    try {
      this.keeping.commit();
    } catch (error) {
      this.#run.fault(error);
    }
  }

  /** Commits what was recorded while an append was under way. */
  next(keptSeq: number): void {
    if (this.keeping.isBehind) this.later(this.#urgentSeq > keptSeq ? undefined : 'task.started');
  }

  /** Resolves once everything recorded so far is kept. Rejects with the store's error. */
  whenKept(): Promise<void> {
    if (!this.keeping.isBehind) return Promise.resolve();
    this.#awaitedSeq = this.#journal.seq;
    this.#kept ??= Promise.withResolvers();
    return this.#kept.promise;
  }

  /** Resolves what waits for entries that are kept. */
  landed(keptSeq: number): void {
    if (this.#kept === undefined || keptSeq < this.#awaitedSeq) return;
    this.#kept.resolve();
    this.#kept = undefined;
  }

  failed(error: unknown): void {
    this.#kept?.reject(error);
    this.#kept = undefined;
  }

  #last(): void {
    if (this.#isDue || this.#isLateDue) return;
    this.#isLateDue = true;
    this.#turn.afterEventLoop(() => {
      if (!this.#isLateDue) return;
      // The turn that is about to come may have what follows from it.
      if (this.#turn.isScheduled) this.later(undefined);
      else this.commit();
    });
  }
}
