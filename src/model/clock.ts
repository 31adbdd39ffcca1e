/**
 * Source of now, and of calls later. XState's clock, with three optional additions.
 *
 * The time of day only stamps, and places what is recovered; waits, limits and backoffs are measured on the monotonic
 * clock. Without any addition the engine reads `Date.now()` and `performance.now()`.
 */
export interface Clock {
  /** Calls back once, `timeoutMs` from now. Returns what `clearTimeout` takes. */
  setTimeout(callback: () => void, timeoutMs: number): unknown;
  clearTimeout(id: unknown): void;
  /** The time of day in epoch milliseconds, which may be set forward or back. Default: `Date.now()`. */
  now?(): number;
  /**
   * Milliseconds from any beginning, which setting the time of day does not change. Default: `now` where the clock has
   * it, which must not be set back then; else `performance.now()`.
   */
  monotonicNow?(): number;
  /**
   * Calls back once all that is due at this instant has had its turn. Slots are filled then. Without it
   * they are filled at the end of the current microtask turn.
   */
  whenIdle?(callback: () => void): void;
}
