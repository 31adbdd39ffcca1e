import type { Clock } from '../model/clock.ts';
import { Heap, type HeapItem } from '../model/heap.ts';

/** A clock that stands still until it is told to advance. */
export interface VirtualClock extends Clock {
  /** The time of day in epoch milliseconds. */
  now(): number;
  /** The time that has passed on this clock, in milliseconds. */
  monotonicNow(): number;
  /** Moves the time of day forward by `ms`, or back if negative; no time passes, and what is due then waits for the next advance. */
  stepWall(ms: number): void;
  whenSet(callback: () => void): void;
  whenIdle(callback: () => void): void;
  hold(until: Promise<unknown>): void;
  /** Resolves after `ms` of this clock's time. Rejects with the signal's reason if it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Advances by `ms`. Stops at each instant at which something is due, and lets all of it happen. */
  advance(ms: number): Promise<void>;
  /** Advances until the promise settles, and returns its value. Rejects if nothing is due any more before that. */
  run<T>(until: PromiseLike<T>): Promise<T>;
  /** The number of timers that are set. */
  readonly pending: number;
}

interface Timer extends HeapItem {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * Makes a virtual clock, for an engine (`createEngine({ clock })`) or a root actor (`createActor(logic, { clock })`).
 *
 * Before slots are filled, and before it advances to the next instant, it lets the microtasks and one macrotask pass,
 * so that bodies that await a few promises come to rest first.
 *
 * @param startAt epoch milliseconds. Default 0
 */
export function createVirtualClock(startAt = 0): VirtualClock {
  return new HeapClock(startAt);
}

class HeapClock implements VirtualClock {
  /** The monotonic time, from 0. */
  #now = 0;
  /** The time of day minus the monotonic time. */
  #wallMs: number;
  #order = 0;
  readonly #timers = new Heap<Timer>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  #idle: (() => void)[] = [];
  readonly #whenSet: (() => void)[] = [];
  /** The number of promises that hold the time. */
  #held = 0;
  /** Ends a wait for something to happen while the time is held. */
  #stir: (() => void) | undefined;
  #resting: Promise<void> | undefined;
  /** The last advance: they run one by one. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(startAt: number) {
    this.#wallMs = startAt;
  }

  get pending(): number {
    return this.#timers.size;
  }

  readonly now = (): number => this.#wallMs + this.#now;

  readonly monotonicNow = (): number => this.#now;

  stepWall(ms: number): void {
    this.#wallMs += ms;
    for (const callback of this.#whenSet) callback();
  }

  setTimeout(callback: () => void, timeoutMs: number): Timer {
    const timer = { at: this.#now + Math.max(timeoutMs, 0), order: this.#order++, callback, place: -1 };
    this.#timers.push(timer);
    return timer;
  }

  clearTimeout(id: unknown): void {
    if (id !== undefined) this.#timers.remove(id as Timer);
  }

  whenSet(callback: () => void): void {
    this.#whenSet.push(callback);
  }

  whenIdle(callback: () => void): void {
    this.#idle.push(callback);
    this.#stir?.();
    void this.#rest();
  }

  hold(until: Promise<unknown>): void {
    this.#held++;
    const release = (): void => {
      this.#held--;
      this.#stir?.();
    };
    until.then(release, release);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = (): void => {
        this.clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = this.setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  advance(ms: number): Promise<void> {
    return this.#inTurn(async () => {
      const end = this.#now + ms;
      await this.#rest();
      while ((this.#timers.first?.at ?? Number.POSITIVE_INFINITY) <= end) {
        this.#step();
        await this.#rest();
      }
      this.#now = end;
    });
  }

  run<T>(until: PromiseLike<T>): Promise<T> {
    return this.#inTurn(async () => {
      let isSettled = false;
      const settle = (): void => {
        isSettled = true;
      };
      until.then(settle, settle);
      for (;;) {
        await this.#rest();
        if (isSettled) return until;
        if (this.#timers.size === 0)
          throw new Error('Nothing is due on the virtual clock, and what it was to run until has not come');
        this.#step();
      }
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Advances to the next instant and calls all that is due then. */
  #step(): void {
    this.#now = Math.max(this.#now, this.#timers.first?.at ?? 0);
    for (
      let next = this.#timers.first;
      next !== undefined && next.at <= this.#now;
      next = this.#timers.first
    ) {
      this.#timers.remove(next);
      next.callback();
    }
  }

  /**
   * Lets everything happen that needs no time: until a macrotask has passed in which nothing waited for idleness or
   * held the time.
   */
  #rest(): Promise<void> {
    this.#resting ??= this.#settleDown().finally(() => {
      this.#resting = undefined;
    });
    return this.#resting;
  }

  async #settleDown(): Promise<void> {
    for (let isBusy = true; isBusy; ) {
      await macrotask();
      const callbacks = this.#idle.splice(0);
      for (const callback of callbacks) callback();
      isBusy = callbacks.length > 0 || this.#held > 0;
      if (callbacks.length === 0 && this.#held > 0) await this.#stirred();
    }
  }

  async #stirred(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#stir = resolve;
    });
    this.#stir = undefined;
  }
}

/** Resolves once the event loop has had its turn. */
export function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
