import type { Clock } from '../model/clock.ts';
import { Heap, type HeapItem } from '../model/heap.ts';

/** A timer for one instant at a time, linked to others with the same wait. */
export abstract class Timer {
  /** The due instant on the monotonic clock. */
  dueAt = 0;
  /** The order in which timers were set, for equal instants. */
  order = 0;
  /** The line it waits in; `undefined` before it is set, and after it has fired or was cancelled. */
  line: Line | undefined;
  previous: Timer | undefined;
  next: Timer | undefined;

  /** Called when the timer is due. */
  abstract due(): void;
}

class Call extends Timer {
  readonly #callback: () => void;

  constructor(callback: () => void) {
    super();
    this.#callback = callback;
  }

  override due(): void {
    this.#callback();
  }
}

/** The longest wait of Node and browser timers; longer waits are split. */
const LONGEST_MS = 2 ** 31 - 1;

/** Node and browser timers may be early by less than this, measured by the monotonic clock. */
const EARLY_MS = 2;

/** Milliseconds to derive the monotonic clock from stamps after a read; larger steps of the time of day are seen. */
const ANCHOR_MS = 10;

/** The number of unused lines that are kept. */
const KEPT_LINES = 64;

/**
 * All timers on one clock: retries, timeouts and limits of all runs, behind one of the clock's timers.
 *
 * Timers with the same wait fall due in the order they were set, so they form a line, and only the lines are in a
 * heap: cancelling a timeout, as happens to most, only changes a link. Without timers the clock has none either, so a
 * process may end.
 */
export class Timers {
  readonly #clock: Clock;
  readonly #heap = new Heap<Line>((a, b) => comesBefore(a.first as Timer, b.first as Timer));
  readonly #lines = new Map<number, Line>();
  /** The last line used: most tasks wait as long as those before them. */
  #lastLine: Line | undefined;
  #order = 0;
  readonly #hasOwnClock: boolean;
  /** A stamp, and the monotonic instant of it. */
  #anchor = { stamp: Number.NEGATIVE_INFINITY, monotonic: 0 };
  #latest = Number.NEGATIVE_INFINITY;
  #monotonic = Number.NEGATIVE_INFINITY;
  #armed: { readonly id: unknown; readonly at: number } | undefined;
  readonly #onChange: () => void;

  /** @param onChange asks for a call of `adjust` soon: one call covers all timers set and cancelled in a turn */
  constructor(clock: Clock, onChange: () => void) {
    this.#clock = clock;
    this.#hasOwnClock = clock.now !== undefined || clock.monotonicNow !== undefined;
    this.#onChange = onChange;
  }

  /** The last time of day that `now` returned. */
  get latest(): number {
    return this.#latest;
  }

  /** Reads the time of day, for stamps. It may have been set back since the last call. */
  now(): number {
    this.#latest = this.#clock.now?.() ?? Date.now();
    return this.#latest;
  }

  /** Reads the clock that measures waits, in milliseconds; it never goes back. */
  monotonicNow(): number {
    const clock = this.#clock;
    return this.#reach(clock.monotonicNow?.() ?? clock.now?.() ?? performance.now());
  }

  /**
   * The monotonic instant of the last stamp from `now`, to the millisecond. On the platform's clocks it is derived from
   * the stamp: reading a second clock for each attempt costs as much as the rest of a timer. If the time of day was set
   * meanwhile, the clock is read.
   */
  get latestMonotonic(): number {
    if (this.#hasOwnClock) return this.monotonicNow();
    const goneMs = this.#latest - this.#anchor.stamp;
    if (goneMs >= 0 && goneMs <= ANCHOR_MS) return this.#anchor.monotonic + goneMs;
    this.#anchor = { stamp: this.#latest, monotonic: this.monotonicNow() };
    return this.#anchor.monotonic;
  }

  /** Calls back each time the time of day is set. Returns whether the clock can tell. */
  whenSet(callback: () => void): boolean {
    this.#clock.whenSet?.(callback);
    return this.#clock.whenSet !== undefined;
  }

  /**
   * Calls back once after `waitMs`, or as soon after that as the clock can.
   *
   * @param waitMs `Infinity` for never
   */
  after(waitMs: number, callback: () => void): Timer {
    const timer = new Call(callback);
    this.set(timer, waitMs);
    return timer;
  }

  /** Sets a timer that is not set. */
  set(timer: Timer, waitMs: number, now = this.monotonicNow()): void {
    if (waitMs === Number.POSITIVE_INFINITY) return;
    const line = this.#lineOf(Math.max(waitMs, 0));
    timer.dueAt = now + line.waitMs;
    timer.order = this.#order++;
    timer.line = line;
    timer.previous = line.last;
    if (line.last !== undefined) line.last.next = timer;
    line.last = timer;
    if (line.first === undefined) {
      line.first = timer;
      this.#heap.push(line);
      this.#onChange();
    }
  }

  /** Cancels a timer; safe if it has fired or was cancelled. */
  cancel(timer: Timer | undefined): void {
    if (timer?.line === undefined) return;
    const wasFirst = timer.line.first === timer;
    this.#leave(timer, timer.line);
    if (wasFirst) this.#onChange();
  }

  #lineOf(waitMs: number): Line {
    if (this.#lastLine?.waitMs === waitMs) return this.#lastLine;
    let line = this.#lines.get(waitMs);
    if (line === undefined) {
      line = new Line(waitMs);
      this.#lines.set(waitMs, line);
    }
    this.#lastLine = line;
    return line;
  }

  #leave(timer: Timer, line: Line): void {
    const { previous, next } = timer;
    timer.line = timer.previous = timer.next = undefined;
    if (next === undefined) line.last = previous;
    else next.previous = previous;
    if (previous !== undefined) {
      previous.next = next;
      return;
    }
    line.first = next;
    if (next !== undefined) this.#heap.update(line);
    else {
      this.#heap.remove(line);
      if (this.#lines.size <= KEPT_LINES) return;
      this.#lines.delete(line.waitMs);
      this.#lastLine = undefined;
    }
  }

  /** Adjusts the clock's timer. An early one is harmless, so it is only moved forward, or removed if nothing is due. */
  adjust(): void {
    const next = this.#heap.first?.first;
    if (next !== undefined && this.#armed !== undefined && this.#armed.at <= next.dueAt) return;
    if (this.#armed !== undefined) this.#clock.clearTimeout(this.#armed.id);
    this.#armed = undefined;
    if (next === undefined) return;
    const now = this.monotonicNow();
    const waitMs = Math.min(Math.max(next.dueAt - now, 0), LONGEST_MS);
    const id = this.#clock.setTimeout(this.#fire, waitMs);
    this.#armed = { id, at: now + waitMs };
  }

  #reach(instant: number): number {
    if (instant > this.#monotonic) this.#monotonic = instant;
    return this.#monotonic;
  }

  readonly #fire = (): void => {
    const { at = Number.NEGATIVE_INFINITY } = this.#armed ?? {};
    this.#armed = undefined;
    let now = this.monotonicNow();
    // Test tools replace timers but not the clock's readings, and browsers make those coarse: trust the timer.
    if (at - now >= EARLY_MS) now = this.#reach(at);
    for (let line = this.#heap.first; line !== undefined; line = this.#heap.first) {
      const timer = line.first as Timer;
      if (timer.dueAt > now) break;
      this.#leave(timer, line);
      timer.due();
    }
    this.adjust();
  };
}

/** Timers with the same wait, first due first. */
class Line implements HeapItem {
  place = -1;
  first: Timer | undefined;
  last: Timer | undefined;
  readonly waitMs: number;

  constructor(waitMs: number) {
    this.waitMs = waitMs;
  }
}

function comesBefore(a: Timer, b: Timer): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order);
}
