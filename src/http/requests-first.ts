import type { Clock } from '../index.ts';

/** Requests closer together than this form a burst, and the next one may be on its way. */
const CALM_MS = 0.3;

/** Time between two looks for calm: the shortest wait of Node's timers. */
const LOOK_MS = 1;

/** The longest that work waits for calm while requests keep coming. */
const PATIENCE_MS = 100;

/**
 * Schedules requests before the tasks of answered requests. Requests come in bursts: tasks that began at once would run
 * between them, and the last request of a burst would wait for the tasks of all before it.
 */
export class RequestsFirst {
  readonly #clock: Clock;
  /** Number of requests so far; the latest came at `#lastAt`. */
  #requests = 0;
  #lastAt = Number.NEGATIVE_INFINITY;
  /** Whether the latest request followed another closely. */
  #isBurst = false;
  /** First come, first served. */
  readonly #waiting: { readonly at: number; readonly start: () => void }[] = [];
  #isLooking = false;

  constructor(clock: Clock | undefined) {
    this.#clock = clock ?? globalThis;
  }

  /** Notes a request, and returns its number. */
  requestBegan(): number {
    const now = this.#now();
    this.#isBurst = now - this.#lastAt < CALM_MS;
    this.#lastAt = now;
    return ++this.#requests;
  }

  /** Calls back when there is time: in the next turn, if no other request has come close to this one. */
  wait(request: number, start: () => void): void {
    this.#waiting.push({ at: this.#now(), start });
    if (this.#isLooking) return;
    this.#isLooking = true;
    if (this.#isBurst) this.#lookLater();
    else soon(() => (request === this.#requests ? this.#startOne() : this.#lookLater()));
  }

  /** Starts one at a time, so that a request that comes meanwhile goes next. */
  #startOne(): void {
    this.#waiting.shift()?.start();
    this.#isLooking = this.#waiting.length > 0;
    if (this.#isLooking) soon(this.#look);
  }

  readonly #look = (): void => {
    const now = this.#now();
    if (now - this.#lastAt >= CALM_MS) return this.#startOne();
    const inTime = this.#waiting.findIndex(({ at }) => now - at < PATIENCE_MS);
    for (const { start } of this.#waiting.splice(0, inTime < 0 ? this.#waiting.length : inTime)) start();
    this.#isLooking = this.#waiting.length > 0;
    if (this.#isLooking) this.#lookLater();
  };

  #lookLater(): void {
    this.#clock.setTimeout(this.#look, LOOK_MS);
  }

  #now(): number {
    return this.#clock.monotonicNow?.() ?? this.#clock.now?.() ?? performance.now();
  }
}

/**
 * Calls back after the event loop has handled its sockets: by Node's `setImmediate`, elsewhere by the shortest timer.
 */
export function soon(callback: () => void): void {
  const { setImmediate } = globalThis as { readonly setImmediate?: (callback: () => void) => void };
  if (setImmediate === undefined) setTimeout(callback, 0);
  else setImmediate(callback);
}
