/**
 * Source of now, and of calls later. XState's clock, with two optional additions.
 *
 * Instants are epoch milliseconds; without `now` the engine reads `Date.now()`.
 */
export interface Clock {
  /** Calls back once, `timeoutMs` from now. Returns what `clearTimeout` takes. */
  setTimeout(callback: () => void, timeoutMs: number): unknown;
  clearTimeout(id: unknown): void;
  now?(): number;
  /**
   * Calls back once all that is due at this instant has had its turn. Slots are filled then. Without it
   * they are filled at the end of the current microtask turn.
   */
  whenIdle?(callback: () => void): void;
}
