import type { PerformScope } from '../index.ts';

/** Calls a body in the context that was captured, as the attempt of a task. */
export type Bound = <T>(scope: PerformScope, body: () => T) => T;

/** The part of `node:async_hooks` that is used here. Deno, Bun and Workers have it too. */
interface AsyncHooks {
  readonly AsyncLocalStorage: new <T>() => {
    getStore(): T | undefined;
    run<R>(store: T, callback: () => R): R;
  };
  readonly AsyncResource: new (type: string) => { runInAsyncScope<R>(callback: () => R): R };
}

interface Host {
  readonly process?: { readonly getBuiltinModule?: (name: string) => Partial<AsyncHooks> | undefined };
}

// Asked for and not imported, so that the entry also loads where there is no such module.
const { AsyncLocalStorage, AsyncResource } =
  (globalThis as Host).process?.getBuiltinModule?.('node:async_hooks') ?? {};
const attempts = AsyncLocalStorage && new AsyncLocalStorage<PerformScope>();

/**
 * Captures the asynchronous context (request id, logger, …) of whoever calls. The engine takes its turns in anybody's
 * context, so a body has only the one that is captured for it. Where the platform has none, there is none to carry.
 */
export function captureContext(): Bound {
  if (AsyncResource === undefined || attempts === undefined) return (_, body) => body();
  // What `AsyncLocalStorage.snapshot()` is made of, without the function that it makes each time.
  const resource = new AsyncResource('topple.task');
  return (scope, body) => resource.runInAsyncScope(() => attempts.run(scope, body));
}

/**
 * What the attempt is given in whose course this is called: its `signal`, `idempotencyKey`, `log` and the rest, for
 * functions that got only their arguments from `tasks.add`. `undefined` outside of background tasks, and on platforms
 * without `AsyncLocalStorage`.
 */
export function taskScope(): PerformScope | undefined {
  return attempts?.getStore();
}

/** Whether it can be told what is called by a task. */
export const knowsTasks = attempts !== undefined;
