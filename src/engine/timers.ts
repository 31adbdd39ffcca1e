import type { Clock } from '../model/clock.ts';
import { Heap, type HeapItem } from '../model/heap.ts';

/** What is due at an instant, one at a time; linked to those that were asked for with the same wait. */
export abstract class Timer {
  /** On the monotonic clock. */
  dueAt = 0;
  /** Equal instants go in the order of asking. */
  order = 0;
  /** Where it waits; `undefined` before it was set, and once it has fired or was cancelled. */
  line: Line | undefined;
  previous: Timer | undefined;
  next: Timer | undefined;

  /** It is time. */
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

/** The longest wait that timers of Node and browsers keep; longer ones are waited for in parts. */
const LONGEST_MS = 2 ** 31 - 1;

/** A timer of Node or a browser may be early by less than that, against what its monotonic clock says. */
const EARLY_MS = 2;

/** So many waits are kept in mind when nobody waits so long any more. */
const KEPT_LINES = 64;

/**
 * Everything that is due on one clock: retries, time-outs and limits of all runs, behind one of the clock's timers.
 *
 * Timers with the same wait come due in the order of asking, so they stand in line, and only the lines are in a
 * heap: a time-out that is taken back, as most are, costs no more than a link. Without a timer the clock has none
 * either, so a process may end.
 */
export class Timers {
  readonly #clock: Clock;
  readonly #heap = new Heap<Line>((a, b) => comesBefore(a.first as Timer, b.first as Timer));
  readonly #lines = new Map<number, Line>();
  /** The one that was last asked for: most tasks wait as long as those before them. */
  #lastLine: Line | undefined;
  #order = 0;
  #latest = Number.NEGATIVE_INFINITY;
  #monotonic = Number.NEGATIVE_INFINITY;
  #armed: { readonly id: unknown; readonly at: number } | undefined;
  readonly #onChange: () => void;

  /** @param onChange called when `adjust` is to be called soon: once for all that a turn asks for and takes back */
  constructor(clock: Clock, onChange: () => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** The time of day that `now` gave last. */
  get latest(): number {
    return this.#latest;
  }

  /** The time of day, for stamps. It may have been set back since it was last given. */
  now(): number {
    this.#latest = this.#clock.now?.() ?? Date.now();
    return this.#latest;
  }

  /** What waits are measured by, in milliseconds; never before what was given earlier. */
  monotonicNow(): number {
    const clock = this.#clock;
    return this.#reach(clock.monotonicNow?.() ?? clock.now?.() ?? performance.now());
  }

  /**
   * Calls back once, `waitMs` from now, or as soon after that as the clock can.
   *
   * @param waitMs `Infinity` for never
   */
  after(waitMs: number, callback: () => void): Timer {
    const timer = new Call(callback);
    this.set(timer, waitMs);
    return timer;
  }

  /** The same for a timer that is not set. */
  set(timer: Timer, waitMs: number): void {
    if (waitMs === Number.POSITIVE_INFINITY) return;
    const line = this.#lineOf(Math.max(waitMs, 0));
    timer.dueAt = this.monotonicNow() + line.waitMs;
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

  /** Safe for a timer that has fired or was cancelled. */
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

  /** A clock's timer that is early does no harm, so it is only moved forward, or taken away when nothing is due. */
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
    // Test tools replace the clock's timers and not what it reads, and browsers make that coarse: the timer knows.
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
