import type { Clock } from '../index.ts';
import { OrderedMap } from '../model/ordered-map.ts';

/**
 * Measures the progress of a response: a number that changes when some of it has left, or `undefined` while none of it
 * waits for the client.
 */
export type ResponseProgress = () => number | undefined;

/** A response that tasks wait for. */
export interface Awaited {
  /** Number of its request. */
  readonly number: number;
  /** Begins to follow the response. Called at the first look: most responses are gone by then. */
  watch(): ResponseProgress;
  /** Reports that nothing of it has left for so long that its tasks should not wait for it. */
  stalled(): void;
}

interface Watched {
  readonly response: Awaited;
  progress?: ResponseProgress;
  figure?: number | undefined;
  /** Instant at which the number was first seen. */
  at: number;
}

/** Number of looks within which a stalled response is found. */
const LOOKS = 4;

/** The longest time between two looks. */
const PERIOD_MS = 60_000;

/** Finds responses whose clients read nothing. Uses one timer for all, set only while tasks wait for a response. */
export class Stalls {
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #watched = new OrderedMap<number, Watched>();
  #isLooking = false;

  constructor(timeoutMs: number, clock: Clock | undefined) {
    this.#timeoutMs = timeoutMs;
    this.#clock = clock ?? globalThis;
  }

  add(response: Awaited): void {
    if (this.#timeoutMs === Number.POSITIVE_INFINITY) return;
    this.#watched.set(response.number, { response, at: 0 });
    if (!this.#isLooking) this.#lookLater();
  }

  delete({ number }: Awaited): void {
    this.#watched.delete(number);
  }

  readonly #look = (): void => {
    const now = this.#clock.monotonicNow?.() ?? this.#clock.now?.() ?? performance.now();
    for (const watched of this.#watched.toArray()) this.#lookAt(watched, now);
    this.#isLooking = this.#watched.size > 0;
    if (this.#isLooking) this.#lookLater();
  };

  #lookAt(watched: Watched, now: number): void {
    const { response } = watched;
    watched.progress ??= response.watch();
    const figure = watched.progress();
    if (figure === undefined || figure !== watched.figure) {
      watched.figure = figure;
      watched.at = now;
    } else if (now - watched.at >= this.#timeoutMs) {
      this.delete(response);
      response.stalled();
    }
  }

  #lookLater(): void {
    this.#isLooking = true;
    const timer = this.#clock.setTimeout(this.#look, Math.min(this.#timeoutMs / LOOKS, PERIOD_MS));
    // The sockets keep the process alive as long as needed.
    (timer as { unref?(): void } | undefined)?.unref?.();
  }
}
