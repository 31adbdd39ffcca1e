import type { Clock } from '../../index.ts';

/** A clock whose time of day nobody can set. */
export type SteadyClock = Required<Pick<Clock, 'setTimeout' | 'clearTimeout' | 'now'>>;

/**
 * Makes a clock that begins with the time of day and goes on by what has passed since. A run of the command line is
 * shown by its durations, which are right then though somebody sets the time of day.
 */
export function createSteadyClock(): SteadyClock {
  const startedAt = Date.now() - performance.now();
  return {
    setTimeout: (callback, timeoutMs) => setTimeout(callback, timeoutMs),
    clearTimeout: (id) => clearTimeout(id as ReturnType<typeof setTimeout>),
    now: () => Math.floor(startedAt + performance.now()),
  };
}
