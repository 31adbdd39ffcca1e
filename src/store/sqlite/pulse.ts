import type { ThreadSettings } from './protocol.ts';

/** Beats in a lease. */
const beatsPerLease = 5;
const maxTickMs = 500;

/** How often the thread looks around. */
export function tickOf({ leaseMs }: ThreadSettings): number {
  return Math.max(10, Math.min(maxTickMs, leaseMs / beatsPerLease));
}

/** Tells when this engine shows life: regularly, but only while the main thread does. */
export class Pulse {
  readonly #beatMs: number;
  readonly #silenceMs: number;
  readonly #tickMs: number;
  readonly #heard: Int32Array;
  #count = 0;
  #silentMs = 0;
  #tickedAt: number;
  #beatAt: number;

  constructor(settings: ThreadSettings, now: number) {
    this.#beatMs = settings.leaseMs / beatsPerLease;
    this.#silenceMs = settings.silenceMs;
    this.#tickMs = tickOf(settings);
    this.#heard = new Int32Array(settings.heard);
    this.#tickedAt = this.#beatAt = now;
  }

  /** Whether a beat is due. */
  tick(now: number): boolean {
    // Time in which this thread was frozen itself says nothing about the main thread.
    this.#silentMs += Math.min(now - this.#tickedAt, 2 * this.#tickMs);
    this.#tickedAt = now;
    const count = Atomics.load(this.#heard, 0);
    if (count !== this.#count) this.#silentMs = 0;
    this.#count = count;
    if (now - this.#beatAt < this.#beatMs - this.#tickMs / 2 || this.#silentMs >= this.#silenceMs)
      return false;
    this.#beatAt = now;
    return true;
  }
}
