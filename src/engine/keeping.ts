import { isA, isThenable } from '../model/check.ts';
import { StoreConflictError, StoreError, textOf } from '../model/error.ts';
import { conflictOf } from '../model/summary.ts';
import type { Append, Store } from '../store/store.ts';
import type { RunJournal } from './run-journal.ts';

/** A run whose journal is kept. */
export interface KeptRun {
  /** Notifies of the entries just kept, those above `from`, up to `to`, and does what was waiting for them. */
  landed(from: number, to: number): void;
  /** Continues, since the store has all entries that were kept elsewhere. */
  backfilled(): void;
  /** Takes the error of an append that was late, or of the store that cannot tell what it has. */
  keepingFailed(error: unknown): void;
  /** Whether what is kept is in doubt: nothing may start meanwhile. */
  doubt(isInDoubt: boolean): void;
  /** Whether its clock is virtual, and can be held. */
  readonly canHoldTime: boolean;
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
  /** Whether entries kept elsewhere are being compared and appended. */
  #isBackfilling = false;
  #isClosed = false;
  /** Lets the time of a virtual clock pass again. */
  #releaseTime: (() => void) | undefined;

  constructor(journal: RunJournal, store: Store | undefined, run: KeptRun) {
    this.#journal = journal;
    this.#store = store;
    this.#run = run;
  }

  /** Whether the store is still to answer. */
  get isUnderWay(): boolean {
    return !this.#isClosed && (this.#flight !== undefined || this.#isBackfilling);
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
    if (keptSeq === seq || this.#flight !== undefined || this.#isBackfilling || this.#isClosed) return;
    if (this.#store !== undefined) {
      const fresh = this.#journal.fresh(keptSeq, seq);
      if (this.#store.isAsync === true) return this.#fly(fresh);
      this.#appendAtOnce(fresh);
    }
    this.#journal.keptTo(seq);
    this.#run.landed(keptSeq, seq);
  }

  /**
   * Appends entries that were kept elsewhere, and that the store lacks. Returns whether it has them now; if the store
   * takes its time, `backfilled` follows. Throws the error of a store that returns at once.
   */
  backfill(): boolean {
    const { runId, keptSeq } = this.#journal;
    if (keptSeq === 0 || this.#store === undefined) return true;
    const lastSeq = this.#store.lastSeq(runId);
    if (!isThenable(lastSeq)) return this.#backfillFrom(lastSeq);
    this.#isBackfilling = true;
    this.#hold();
    lastSeq.then(
      (seq) => this.#compared(seq),
      (error) => this.#failed(isA(error, StoreConflictError) ? error : readingError(runId, error)),
    );
    return false;
  }

  /** Appends no more; what is under way may still land, which nobody is told. */
  close(): void {
    this.#isClosed = true;
    this.#release();
  }

  #compared(lastSeq: number): void {
    if (this.#isClosed) return;
    try {
      if (this.#backfillFrom(lastSeq)) this.#backfilled();
    } catch (error) {
      this.#failed(error);
    }
  }

  #backfillFrom(lastSeq: number): boolean {
    const { keptSeq } = this.#journal;
    if (lastSeq >= keptSeq) return true;
    const missing = this.#journal.fresh(lastSeq, keptSeq);
    if (this.#store?.isAsync !== true) {
      this.#appendAtOnce(missing);
      return true;
    }
    this.#isBackfilling = true;
    this.#fly(missing);
    return false;
  }

  #backfilled(): void {
    this.#isBackfilling = false;
    this.#release();
    this.#run.backfilled();
  }

  #appendAtOnce(fresh: Append): void {
    const result = this.#store?.append(fresh) as unknown;
    if (result === undefined) return;
    if (isThenable(result)) result.then(undefined, () => {});
    throw new Error(
      '`append` returned something, so its store must say `isAsync: true` and return a promise',
    );
  }

  #fly(fresh: Append): void {
    this.#flight = fresh;
    this.#hold();
    this.#append(fresh).then(
      () => this.#landed(fresh),
      (error) => this.#doubt(fresh, error, true),
    );
  }

  /** Rejects, too, if the store throws. */
  #append(fresh: Append): Promise<void> {
    try {
      return Promise.resolve(this.#store?.append(fresh));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #lastSeq(runId: string): Promise<number> {
    return (await this.#store?.lastSeq(runId)) ?? 0;
  }

  #landed(fresh: Append): void {
    if (this.#isClosed) return;
    this.#flight = undefined;
    if (this.#isBackfilling) return this.#backfilled();
    this.#release();
    this.#journal.keptTo(fresh.seq);
    this.#run.landed(fresh.expectedSeq, fresh.seq);
  }

  /** Asks the store what it has after an append that failed. */
  #doubt(fresh: Append, error: unknown, mayRepeat: boolean): void {
    if (this.#isClosed) return;
    if (isA(error, StoreConflictError)) return this.#failed(error);
    this.#run.doubt(true);
    this.#lastSeq(fresh.runId).then(
      (lastSeq) => this.#learned(fresh, error, mayRepeat, lastSeq),
      (later) => this.#failed(isA(later, StoreConflictError) ? later : keepingError(fresh, error)),
    );
  }

  #learned(fresh: Append, error: unknown, mayRepeat: boolean, lastSeq: number): void {
    if (this.#isClosed) return;
    const { runId, expectedSeq, seq } = fresh;
    if (lastSeq === seq) this.#settleDoubt(fresh);
    else if (lastSeq !== expectedSeq) this.#failed(conflictOf(runId, lastSeq, expectedSeq));
    else if (!mayRepeat) this.#failed(keepingError(fresh, error));
    else this.#repeat(fresh);
  }

  /** The store has nothing of the append: makes it once more. */
  #repeat(fresh: Append): void {
    this.#append(fresh).then(
      () => this.#settleDoubt(fresh),
      (error) => this.#doubt(fresh, error, false),
    );
  }

  #settleDoubt(fresh: Append): void {
    if (this.#isClosed) return;
    this.#run.doubt(false);
    this.#landed(fresh);
  }

  #failed(error: unknown): void {
    if (this.#isClosed) return;
    this.close();
    this.#run.keepingFailed(error);
  }

  /** Holds the time of a virtual clock until `#release`. */
  #hold(): void {
    if (this.#releaseTime !== undefined || !this.#run.canHoldTime) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#releaseTime = resolve;
    this.#run.holdTime(promise);
  }

  #release(): void {
    this.#releaseTime?.();
    this.#releaseTime = undefined;
  }
}

function readingError(runId: string, cause: unknown): StoreError {
  return storeErrorOf(cause, `The store could not tell what it has of run ${runId}`);
}

function keepingError({ runId, expectedSeq, seq }: Append, cause: unknown): StoreError {
  return storeErrorOf(cause, `The store could not keep entries ${expectedSeq + 1} to ${seq} of run ${runId}`);
}

/** An error of a run, with the code of the store's own error where that has one. */
function storeErrorOf(cause: unknown, what: string): StoreError {
  const code = isA(cause, StoreError) ? cause.code : 'failed';
  return new StoreError(code, `${what}: ${textOf(cause)}`, { cause });
}
