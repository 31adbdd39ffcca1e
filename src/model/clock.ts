/**
 * Source of the time, and of delayed calls: XState's clock with optional methods.
 *
 * The time of day is used for timestamps and to place recovered runs in time; waits, limits and backoffs are measured
 * on the monotonic clock. Without the optional methods the engine reads `Date.now()` and `performance.now()`.
 */
export interface Clock {
  /** Calls back once, `timeoutMs` from now. Returns the argument for `clearTimeout`. */
  setTimeout(callback: () => void, timeoutMs: number): unknown;
  clearTimeout(id: unknown): void;
  /** The time of day in epoch milliseconds, which may be set forward or back. Default: `Date.now()`. */
  now?(): number;
  /**
   * Milliseconds since an arbitrary start, unaffected by changes of the time of day. Default: `now` if the clock has
   * it, which then must not be set back; else `performance.now()`.
   */
  monotonicNow?(): number;
  /**
   * Calls back each time the time of day is set: when it moves otherwise than the monotonic time. With it, a wait for an
   * instant is one timer; without it, the engine also looks at the time of day each minute while something waits.
   */
  whenSet?(callback: () => void): void;
  /**
   * Calls back once everything due at this instant has run; then slots are filled. Without it they are filled at the
   * end of the current microtask turn.
   */
  whenIdle?(callback: () => void): void;
  /** Stands still until the promise settles: what a store does takes no time of a virtual clock. */
  hold?(until: Promise<unknown>): void;
}
