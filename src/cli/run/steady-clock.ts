import type { Clock } from '../../index.ts';

/** A clock whose time of day cannot be set. */
export type SteadyClock = Required<Pick<Clock, 'setTimeout' | 'clearTimeout' | 'now'>>;

/**
 * Makes a clock that starts at the time of day and advances by the time elapsed since. The command line shows a run's
 * durations, which stay right when somebody sets the time of day.
 */
export function createSteadyClock(): SteadyClock {
  const startedAt = Date.now() - performance.now();
  return {
    setTimeout: (callback, timeoutMs) => setTimeout(callback, timeoutMs),
    clearTimeout: (id) => clearTimeout(id as ReturnType<typeof setTimeout>),
    now: () => Math.floor(startedAt + performance.now()),
  };
}
