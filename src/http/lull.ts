import type { Clock } from '../index.ts';

/** Requests nearer to one another than that are a burst, and the next one of it may be on its way. */
const CALM_MS = 0.3;

/** So often it is looked for calm: the shortest wait that timers of Node have. */
const LOOK_MS = 1;

/** So long work waits for calm, while requests keep coming. */
const PATIENCE_MS = 100;

/**
 * Puts requests before the work of those that have been answered. Requests come in bursts: work that began at once
 * would be done between them, and the last of a burst would wait for that of all before it.
 */
export class Lull {
  readonly #clock: Clock;
  /** Requests so far, and when the last one came. */
  #requests = 0;
  #lastAt = Number.NEGATIVE_INFINITY;
  /** Whether the last one came close upon another. */
  #isBurst = false;
  /** First come, first served. */
  readonly #waiting: { readonly at: number; readonly start: () => void }[] = [];
  #isLooking = false;

  constructor(clock: Clock | undefined) {
    this.#clock = clock ?? globalThis;
  }

  /** Tells of a request, and gives its number. */
  requestBegan(): number {
    const now = this.#now();
    this.#isBurst = now - this.#lastAt < CALM_MS;
    this.#lastAt = now;
    return ++this.#requests;
  }

  /** Calls back when there is time: in the next turn, where no request has come close upon this one. */
  wait(request: number, start: () => void): void {
    this.#waiting.push({ at: this.#now(), start });
    if (this.#isLooking) return;
    this.#isLooking = true;
    if (this.#isBurst) this.#lookLater();
    else soon(() => (request === this.#requests ? this.#startOne() : this.#lookLater()));
  }

  /** One at a time, so that a request which comes meanwhile is next. */
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

/** Once the event loop has looked after its sockets: Node's `setImmediate`, elsewhere the shortest wait that there is. */
export function soon(callback: () => void): void {
  const { setImmediate } = globalThis as { readonly setImmediate?: (callback: () => void) => void };
  if (setImmediate === undefined) setTimeout(callback, 0);
  else setImmediate(callback);
}
