import { Heap, type HeapItem } from '../model/heap.ts';

/** Timers of bodies, on a clock of their own that follows this one. */
export interface FakeTimers {
  /** The first instant at which one is due, in epoch milliseconds. */
  readonly nextAt: number | undefined;
  /** The number of timers that are set. */
  readonly pending: number;
  /** Moves its clock forward, and calls what is due on the way. */
  moveTo(at: number): void;
  /** Forgets all timers, and goes back to the start. */
  reset(): void;
  uninstall(): void;
}

/** A call that is due at an instant. */
export interface DueCall extends HeapItem {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Virtual time: of engines, of what is slow, and of the timers of bodies. It moves from one due instant to the next. */
export class VirtualTime {
  /** Milliseconds since the start. */
  now = 0;
  readonly startAt: number;
  readonly #bodies: FakeTimers | undefined;
  readonly #calls = new Heap<DueCall>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  #order = 0;

  constructor(startAt: number, bodies: FakeTimers | undefined) {
    this.startAt = startAt;
    this.#bodies = bodies;
    bodies?.reset();
  }

  /** The time of day, in epoch milliseconds. */
  get wall(): number {
    return this.startAt + this.now;
  }

  after(waitMs: number, callback: () => void): DueCall {
    const call = { at: this.now + Math.max(waitMs, 0), order: this.#order++, callback, place: -1 };
    this.#calls.push(call);
    return call;
  }

  cancel(call: DueCall): void {
    this.#calls.remove(call);
  }

  /** The next instant at which something is due; `undefined` if nothing is. */
  get next(): number | undefined {
    const own = this.#calls.first?.at;
    const bodies = this.#bodies?.nextAt;
    if (bodies === undefined) return own;
    const at = Math.max(bodies - this.startAt, this.now);
    return own === undefined ? at : Math.min(own, at);
  }

  /** Whether only timers of bodies are due. */
  get isOnlyBodies(): boolean {
    return this.#calls.size === 0;
  }

  /** The number of timers that bodies have set. */
  get bodyTimers(): number {
    return this.#bodies?.pending ?? 0;
  }

  /** Moves on to an instant, and calls what is due by then. */
  moveTo(at: number): void {
    this.now = Math.max(this.now, at);
    for (
      let first = this.#calls.first;
      first !== undefined && first.at <= this.now;
      first = this.#calls.first
    ) {
      this.#calls.remove(first);
      first.callback();
    }
    this.#bodies?.moveTo(this.wall);
  }
}
