import type { Clock } from '../model/clock.ts';
import { Heap, type HeapItem } from '../model/heap.ts';

/** A call that is due at an instant. */
export interface Timer extends HeapItem {
  readonly dueAt: number;
  /** Equal instants go in the order of asking. */
  readonly order: number;
  readonly callback: () => void;
}

/** The longest wait that timers of Node and browsers keep; longer ones are waited for in parts. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Everything that is due on one clock: retries, time-outs and limits of all runs, behind one of the clock's timers.
 *
 * An empty heap leaves no timer behind, so a process may end.
 */
export class Timers {
  readonly #clock: Clock;
  readonly #heap = new Heap<Timer>((a, b) => a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order));
  #order = 0;
  #now = Number.NEGATIVE_INFINITY;
  #armed: { readonly id: unknown; readonly at: number } | undefined;
  #adjusting = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The clock's instant; never before one given earlier. */
  now(): number {
    const now = this.#clock.now?.() ?? Date.now();
    if (now > this.#now) this.#now = now;
    return this.#now;
  }

  /** Calls back once at the instant, or as soon after it as the clock can. */
  at(dueAt: number, callback: () => void): Timer | undefined {
    if (dueAt === Number.POSITIVE_INFINITY) return undefined;
    const timer = { dueAt, order: this.#order++, callback, place: -1 };
    this.#heap.push(timer);
    this.#adjustSoon();
    return timer;
  }

  /** Safe for a timer that has fired or was cancelled. */
  cancel(timer: Timer | undefined): void {
    if (timer === undefined || timer.place < 0) return;
    this.#heap.remove(timer);
    this.#adjustSoon();
  }

  /** Once for all that a macrostep asked for and took back: most time-outs never come to the clock. */
  #adjustSoon(): void {
    if (this.#adjusting) return;
    this.#adjusting = true;
    queueMicrotask(() => {
      this.#adjusting = false;
      this.#adjust();
    });
  }

  /** A clock's timer that is early does no harm, so it is only moved forward, or taken away when nothing is due. */
  #adjust(): void {
    const next = this.#heap.first;
    if (next !== undefined && this.#armed !== undefined && this.#armed.at <= next.dueAt) return;
    if (this.#armed !== undefined) this.#clock.clearTimeout(this.#armed.id);
    this.#armed = undefined;
    if (next === undefined) return;
    const waitMs = Math.min(Math.max(next.dueAt - this.now(), 0), LONGEST_MS);
    const id = this.#clock.setTimeout(() => this.#fire(), waitMs);
    this.#armed = { id, at: this.#now + waitMs };
  }

  #fire(): void {
    this.#armed = undefined;
    const now = this.now();
    for (let next = this.#heap.first; next !== undefined && next.dueAt <= now; next = this.#heap.first) {
      this.#heap.remove(next);
      next.callback();
    }
    this.#adjust();
  }
}
