import { isA, isThenable } from '../model/check.ts';
import { StoreConflictError, StoreError } from '../model/error.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import { conflictOf } from '../model/summary.ts';
import type { Append, Store } from '../store/store.ts';
import type { RunJournal } from './run-journal.ts';

/** A run whose journal is kept. */
export interface KeptRun {
  /** Notifies of entries just kept, and does what was waiting for them. */
  landed(kept: Append): void;
  /** Takes the error of an append that was late, or of the store that cannot tell what it has. */
  keepingFailed(error: unknown): void;
  /** Whether what is kept is in doubt: nothing may start meanwhile. */
  doubt(isInDoubt: boolean): void;
  /** Lets no time pass on a virtual clock until the promise settles. */
  holdTime(until: Promise<unknown>): void;
}

/**
 * Appends what a run records to the store: at once if the store returns at once, otherwise one append at a time.
 *
 * An append that failed may have been kept all the same. It is never repeated blindly: the run's last `seq` in the
 * store tells which of the two it is.
 */
export class Keeping {
  readonly #journal: RunJournal;
  readonly #store: Store | undefined;
  readonly #run: KeptRun;
  /** The append under way. */
  #flight: Append | undefined;
  /** Whether entries kept elsewhere are being appended first. */
  #isAdopting = false;
  #isClosed = false;

  constructor(journal: RunJournal, store: Store | undefined, run: KeptRun) {
    this.#journal = journal;
    this.#store = store;
    this.#run = run;
  }

  /** Whether an append is under way. */
  get isUnderWay(): boolean {
    return this.#flight !== undefined || this.#isAdopting;
  }

  /** Whether entries are recorded that are not kept. */
  get isBehind(): boolean {
    return this.#journal.keptSeq < this.#journal.seq;
  }

  /**
   * Appends the entries recorded since the last append, unless one is under way: then the next has them. Throws the
   * error of a store that returns at once.
   */
  commit(): void {
    const { keptSeq, seq } = this.#journal;
    if (keptSeq === seq || this.#flight !== undefined || this.#isAdopting || this.#isClosed) return;
    const fresh = this.#journal.fresh(keptSeq, seq);
    const result = this.#store?.append(fresh);
    if (result !== undefined) return this.#fly(fresh, result);
    this.#journal.keptTo(fresh);
    this.#run.landed(fresh);
  }

  /**
   * Appends entries that were kept elsewhere, and that the store lacks. Throws, or rejects with, the store's error.
   */
  adopt(): MaybePromise<void> {
    const { runId, keptSeq } = this.#journal;
    if (keptSeq === 0 || this.#store === undefined) return undefined;
    const lastSeq = this.#store.lastSeq(runId);
    if (!isThenable(lastSeq)) return this.#adoptFrom(lastSeq);
    this.#isAdopting = true;
    const adopted = lastSeq
      .then((seq) => this.#adoptFrom(seq))
      .finally(() => {
        this.#isAdopting = false;
      });
    this.#run.holdTime(adopted);
    return adopted;
  }

  /** Appends no more; what is under way may still land, which nobody is told. */
  close(): void {
    this.#isClosed = true;
  }

  #adoptFrom(lastSeq: number): MaybePromise<void> {
    const { keptSeq } = this.#journal;
    if (lastSeq < keptSeq) return this.#store?.append(this.#journal.fresh(lastSeq, keptSeq));
  }

  #fly(fresh: Append, result: Promise<void>): void {
    if (this.#store?.isAsync !== true || !isThenable(result))
      throw new Error(
        '`append` returned something, so its store must say `isAsync: true` and return a promise',
      );
    this.#flight = fresh;
    this.#run.holdTime(result);
    result.then(
      () => this.#landed(fresh),
      (error) => this.#doubt(fresh, error, true),
    );
  }

  #landed(fresh: Append): void {
    this.#flight = undefined;
    if (this.#isClosed) return;
    this.#journal.keptTo(fresh);
    this.#run.landed(fresh);
  }

  /** Asks the store what it has after an append that failed. */
  #doubt(fresh: Append, error: unknown, mayRepeat: boolean): void {
    if (this.#isClosed) return;
    if (isA(error, StoreConflictError)) return this.#failed(error);
    this.#run.doubt(true);
    const told = Promise.resolve(this.#store?.lastSeq(fresh.runId) ?? 0);
    this.#run.holdTime(told);
    told.then(
      (lastSeq) => this.#learned(fresh, error, mayRepeat, lastSeq),
      (later) => this.#failed(isA(later, StoreConflictError) ? later : keepingError(fresh, error)),
    );
  }

  #learned(fresh: Append, error: unknown, mayRepeat: boolean, lastSeq: number): void {
    if (this.#isClosed) return;
    const { runId, expectedSeq, seq } = fresh;
    if (lastSeq === seq) {
      this.#run.doubt(false);
      this.#landed(fresh);
    } else if (lastSeq !== expectedSeq) this.#failed(conflictOf(runId, lastSeq, expectedSeq));
    else if (!mayRepeat) this.#failed(keepingError(fresh, error));
    else this.#repeat(fresh);
  }

  /** The store has nothing of the append: makes it once more. */
  #repeat(fresh: Append): void {
    const again = Promise.resolve()
      .then(() => this.#store?.append(fresh))
      .then(
        () => {
          this.#run.doubt(false);
          this.#landed(fresh);
        },
        (error) => this.#doubt(fresh, error, false),
      );
    this.#run.holdTime(again);
  }

  #failed(error: unknown): void {
    this.#flight = undefined;
    this.#isClosed = true;
    this.#run.keepingFailed(error);
  }
}

function keepingError({ runId, expectedSeq, seq }: Append, cause: unknown): StoreError {
  const message = `The store could not keep entries ${expectedSeq + 1} to ${seq} of run ${runId}`;
  return new StoreError('failed', message, { cause });
}
