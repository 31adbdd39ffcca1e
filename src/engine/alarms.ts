import { Heap, type HeapItem } from '../model/heap.ts';
import type { Timer, Timers } from './timers.ts';

/**
 * The time of day is read again after this many milliseconds: a machine may sleep, and its clock be set. Not on a clock
 * that tells when it was set.
 */
const LOOK_MS = 60_000;

/** A callback for an instant of the time of day. */
export interface Alarm extends HeapItem {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Calls back at instants of the time of day, however many there are, behind one timer. */
export class Alarms {
  readonly #timers: Timers;
  readonly #heap = new Heap<Alarm>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  readonly #lookMs: number;
  #order = 0;
  #timer: Timer | undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
    const tells = timers.whenSet(() => this.#look(timers.now()));
    this.#lookMs = tells ? Number.POSITIVE_INFINITY : LOOK_MS;
  }

  /** Calls back once the time of day has reached an instant, at once in a callback of its own if it has. */
  set(at: number, callback: () => void): Alarm {
    const alarm = { at, callback, order: this.#order++, place: -1 };
    this.#heap.push(alarm);
    if (this.#heap.first === alarm) this.#look(this.#timers.now());
    return alarm;
  }

  /** Cancels an alarm; a no-op if it has gone off. */
  cancel(alarm: Alarm): void {
    if (alarm.place < 0) return;
    this.#heap.remove(alarm);
    if (this.#heap.first !== undefined) return;
    this.#timers.cancel(this.#timer);
    this.#timer = undefined;
  }

  /** Looks again when the first is due, or sooner, after `#lookMs`. */
  #look(now: number): void {
    this.#timers.cancel(this.#timer);
    const { first } = this.#heap;
    this.#timer =
      first && this.#timers.after(Math.min(Math.max(first.at - now, 0), this.#lookMs), () => this.#goOff());
  }

  #goOff(): void {
    this.#timer = undefined;
    const now = this.#timers.now();
    for (let first = this.#heap.first; first !== undefined && first.at <= now; first = this.#heap.first) {
      this.#heap.remove(first);
      first.callback();
    }
    this.#look(now);
  }
}
