import { isThenable } from './check.ts';

/** A result that may take time. */
export type MaybePromise<T> = T | Promise<T>;

/** Whether a result takes time. */
export function takesTime<T>(result: MaybePromise<T>): result is Promise<T> {
  return isThenable(result);
}

/** Returns a result that is there at once. Throws if it takes time, where nobody can wait for it. */
export function atOnce<T>(result: MaybePromise<T>): T {
  if (!takesTime(result)) return result;
  throw new Error('This needs a store that answers at once, and returns no promise');
}
