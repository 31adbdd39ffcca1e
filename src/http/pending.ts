import { OrderedMap } from '../model/ordered-map.ts';
import { BusyError } from './error.ts';

/** An accepted run of background work: still collected, waiting for its response, or under way. */
export interface PendingRun {
  /** Unique, unlike its id: a run that is refused for a taken id must not replace the one that has the id. */
  readonly number: number;
  readonly id: string;
  readonly flow: string;
  /** Tasks that have not settled, in definition order. */
  unsettled(): readonly string[];
  /** Ends it, whatever its state. */
  cancel(reason: string): void;
  /** Whether another process could recover it from the store: true for a flow's run, false for functions. */
  readonly isRecoverable: boolean;
}

/** Accepted work that has not settled, and the requests that may still add to it. */
export class Pending {
  readonly #maxPending: number;
  readonly #runs = new OrderedMap<number, PendingRun>();
  #requests = 0;
  /** Accepts work of all requests, of those that were under way when it was closed, or of none. */
  #takes: 'all' | 'rest' | 'none' = 'all';
  #settled = 0;
  /** Called after each change. */
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

  /** Whether requests from now on may add nothing. */
  get isClosed(): boolean {
    return this.#takes !== 'all';
  }

  /** Number of runs that have settled so far. */
  get settled(): number {
    return this.#settled;
  }

  get runs(): readonly PendingRun[] {
    return this.#runs.toArray();
  }

  /**
   * Throws BusyError if no more runs are accepted.
   *
   * @param isLate whether the request came after it was closed
   * @param isOwed whether an accepted task adds the work, so that it counts as part of that task
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

  /** Removes a run that never began. */
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

  /** Refuses work of new requests from now on. */
  close(): void {
    if (this.#takes === 'all') this.#takes = 'rest';
  }

  /** Refuses all work from now on. */
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
