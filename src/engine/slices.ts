import type { Turn } from './turn.ts';

/** Milliseconds of work before the event loop gets its turn. */
const SLICE_MS = 4;

/**
 * Divides long work into slices, between which the event loop has its turn. All work that shares one shares its slices.
 * On a clock that stands still meanwhile it is one slice.
 */
export class Slices {
  readonly #turn: Turn;
  #until: number;
  #rest: Promise<void> | undefined;

  constructor(turn: Turn) {
    this.#turn = turn;
    this.#until = turn.timers.monotonicNow() + SLICE_MS;
  }

  /** What to wait for if the slice is over; `undefined` if it is not. */
  get rest(): Promise<void> | undefined {
    if (this.#rest === undefined && this.#turn.timers.monotonicNow() >= this.#until)
      this.#rest = this.#begin();
    return this.#rest;
  }

  /** Resolves at the start of the next slice. */
  #begin(): Promise<void> {
    return new Promise((resolve) => {
      this.#turn.afterEventLoop(() => {
        this.#until = this.#turn.timers.monotonicNow() + SLICE_MS;
        this.#rest = undefined;
        resolve();
      });
    });
  }
}
