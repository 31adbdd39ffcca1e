import type { Clock } from '../index.ts';

/** So long without a request is a lull: those of a burst are nearer to one another. */
const CALM_MS = 1;

/** So long work waits for one, while requests keep coming. */
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
  /** First come, first served. */
  readonly #waiting: { readonly at: number; readonly start: () => void }[] = [];
  #isLooking = false;

  constructor(clock: Clock | undefined) {
    this.#clock = clock ?? globalThis;
  }

  /** Tells of a request, and gives its number. */
  requestBegan(): number {
    this.#lastAt = this.#now();
    return ++this.#requests;
  }

  /** Calls back when there is time: in the next turn where no request has come after this one. */
  wait(request: number, start: () => void): void {
    this.#waiting.push({ at: this.#now(), start });
    if (this.#isLooking) return;
    this.#isLooking = true;
    if (request === this.#requests) soon(() => this.#startOne());
    else this.#clock.setTimeout(this.#look, CALM_MS);
  }

  /** One at a time, so that a request which comes meanwhile ends the lull. */
  #startOne(): void {
    this.#waiting.shift()?.start();
    this.#lookAgain();
  }

  readonly #look = (): void => {
    const now = this.#now();
    if (now - this.#lastAt >= CALM_MS) return this.#startOne();
    const late = this.#waiting.findIndex(({ at }) => now - at < PATIENCE_MS);
    for (const { start } of this.#waiting.splice(0, late < 0 ? this.#waiting.length : late)) start();
    this.#lookAgain();
  };

  #lookAgain(): void {
    this.#isLooking = this.#waiting.length > 0;
    if (!this.#isLooking) return;
    if (this.#now() - this.#lastAt >= CALM_MS) soon(this.#look);
    else this.#clock.setTimeout(this.#look, CALM_MS);
  }

  #now(): number {
    return this.#clock.now?.() ?? performance.now();
  }
}

/** Once the event loop has looked after its sockets: Node's `setImmediate`, elsewhere the shortest wait that there is. */
export function soon(callback: () => void): void {
  const { setImmediate } = globalThis as { readonly setImmediate?: (callback: () => void) => void };
  if (setImmediate === undefined) setTimeout(callback, 0);
  else setImmediate(callback);
}
