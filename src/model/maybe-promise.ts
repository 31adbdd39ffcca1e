import { isThenable } from './check.ts';

/** A result that may take time. */
export type MaybePromise<T> = T | Promise<T>;

/** Whether a result takes time. */
export function takesTime<T>(result: MaybePromise<T>): result is Promise<T> {
  return isThenable(result);
}
