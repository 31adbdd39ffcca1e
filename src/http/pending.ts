import { PassingMap } from '../model/passing-map.ts';
import { BusyError } from './error.ts';

/** A run of background work that has been accepted: collected so far, waiting for its response, or under way. */
export interface PendingRun {
  /** Its own, as its id may not be: a run that is refused for its id must not take the place of the one that has it. */
  readonly number: number;
  readonly id: string;
  readonly flow: string;
  /** Tasks that have not settled, in definition order. */
  unsettled(): readonly string[];
  /** Ends it, whatever it is at. */
  cancel(reason: string): void;
  /** Whether another process could take it up from the store: a flow's run could, functions could not. */
  readonly isRecoverable: boolean;
}

/** The work that has been accepted and has not settled, and the requests that may still add to it. */
export class Pending {
  readonly #maxPending: number;
  readonly #runs = new PassingMap<number, PendingRun>();
  #requests = 0;
  /** Whose work is taken: of all; of requests that were under way when it was closed; of none. */
  #takes: 'all' | 'rest' | 'none' = 'all';
  #settled = 0;
  /** Looks again after each change. */
  readonly #watching = new Set<() => void>();

  constructor(maxPending: number) {
    this.#maxPending = maxPending;
  }

  get size(): number {
    return this.#runs.size;
  }

  get isFull(): boolean {
    return this.#runs.size >= this.#maxPending;
  }

  /** Whether requests that come from now on may add nothing. */
  get isClosed(): boolean {
    return this.#takes !== 'all';
  }

  /** Runs that have settled so far. */
  get settled(): number {
    return this.#settled;
  }

  get runs(): readonly PendingRun[] {
    return this.#runs.toArray();
  }

  /**
   * Throws BusyError where no more runs are taken.
   *
   * @param isLate of a request that came after it was closed
   * @param isOwed of a task that has been accepted, so that it counts as part of that
   */
  admit(isLate: boolean, isOwed: boolean): void {
    if (this.#takes === 'none' || isLate) throw new BusyError('stopping', this.#maxPending);
    if (!isOwed && this.isFull) throw new BusyError('full', this.#maxPending);
  }

  add(run: PendingRun): void {
    this.#runs.set(run.number, run);
  }

  settle(run: PendingRun): void {
    this.#settled++;
    this.drop(run);
  }

  /** Of a run that never began. */
  drop(run: PendingRun): void {
    this.#runs.delete(run.number);
    this.#tell();
  }

  requestBegan(): void {
    this.#requests++;
  }

  requestEnded(): void {
    this.#requests--;
    this.#tell();
  }

  /** Takes no new requests' work. */
  close(): void {
    if (this.#takes === 'all') this.#takes = 'rest';
  }

  /** Takes no work at all. */
  end(): void {
    this.#takes = 'none';
  }

  /** Resolves once nothing is pending and no request is under way, or the signal is aborted. */
  whenEmpty(signal: AbortSignal): Promise<void> {
    return this.#when(() => this.#runs.size === 0 && this.#requests === 0, signal);
  }

  /** Resolves once no such run is pending. */
  whenNone(which: (run: PendingRun) => boolean): Promise<void> {
    return this.#when(() => !this.runs.some(which));
  }

  #when(holds: () => boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#watching.delete(look);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const look = (): void => {
        if (holds()) done();
      };
      this.#watching.add(look);
      signal?.addEventListener('abort', done);
      if (signal?.aborted) done();
      else look();
    });
  }

  #tell(): void {
    for (const look of this.#watching) look();
  }
}
