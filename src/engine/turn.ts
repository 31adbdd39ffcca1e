import type { Clock } from '../model/clock.ts';
import { type Limit, SlotQueue } from './slots.ts';
import { Timers } from './timers.ts';

/** Something with entries to keep. */
export interface Committer {
  /** Keeps what was recorded and tells listeners. Must not throw. */
  commit(): void;
}

/**
 * The beat of an engine on one clock: after the completions of a turn, first what was recorded is kept, then
 * slots are filled.
 */
export class Turn {
  readonly timers: Timers;
  readonly slots: SlotQueue;
  readonly #clock: Clock;
  #dirty: Committer[] = [];
  #afterCommit: (() => void)[] = [];
  #isScheduled = false;
  #isRunning = false;

  constructor(clock: Clock, engineLimit: Limit) {
    this.#clock = clock;
    this.timers = new Timers(clock);
    this.slots = new SlotQueue(engineLimit, () => this.schedule());
  }

  /** Has what was recorded kept at the end of the turn. To be called once between two commits. */
  commitLater(committer: Committer): void {
    this.#dirty.push(committer);
    this.schedule();
  }

  /** Calls back once all that was recorded up to now has been kept. */
  afterCommit(callback: () => void): void {
    this.#afterCommit.push(callback);
    this.schedule();
  }

  schedule(): void {
    if (this.#isScheduled || this.#isRunning) return;
    this.#isScheduled = true;
    if (this.#clock.whenIdle === undefined) queueMicrotask(this.#run);
    else this.#clock.whenIdle(this.#run);
  }

  readonly #run = (): void => {
    this.#isScheduled = false;
    this.#isRunning = true;
    try {
      do {
        this.#commit();
        for (const callback of this.#afterCommit.splice(0)) callback();
        this.slots.fill();
      } while (this.#dirty.length > 0 || this.#afterCommit.length > 0);
    } finally {
      this.#isRunning = false;
    }
  };

  #commit(): void {
    for (const committer of this.#dirty.splice(0)) committer.commit();
  }
}
