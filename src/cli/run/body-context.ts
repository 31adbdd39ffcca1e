import { AsyncLocalStorage } from 'node:async_hooks';

/** The events by which Node reports an uncaught error. */
export type Stray = 'uncaughtException' | 'unhandledRejection';

/** Whose work is running. */
export interface BodyContext {
  /** An error that names the task, for an uncaught one. */
  blame(error: unknown, stray: Stray): Error;
}

/** The body that is running, also in work that it left behind. */
export const bodyContext = new AsyncLocalStorage<BodyContext>();

/**
 * Names the task whose body caused the error; any other error is returned unchanged. Call it where Node reports the
 * error.
 */
export function blameBody(error: unknown, stray: Stray): unknown {
  return bodyContext.getStore()?.blame(error, stray) ?? error;
}
