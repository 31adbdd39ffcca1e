import type { PerformScope } from '../index.ts';
import { isThenable } from '../model/check.ts';
import type { ResponseSentError } from './error.ts';

/** Calls a body in the captured context, as the attempt of a task. */
export type Bound = <T>(scope: PerformScope, body: () => T) => T;

/** The response that tasks belong to. */
export interface TaskOwner {
  /** Hears of a use of the response in a callback of a task, where nobody could catch an error. */
  misused(error: ResponseSentError, taskId: string): void;
}

/** The used part of `node:async_hooks`. Deno, Bun and Workers have it too, but not always the last two functions. */
interface AsyncHooks {
  readonly AsyncLocalStorage: new <T>() => {
    getStore(): T | undefined;
    run<R>(store: T, callback: () => R): R;
  };
  readonly AsyncResource: new (type: string) => { runInAsyncScope<R>(callback: () => R): R };
  readonly executionAsyncId?: () => number;
  readonly executionAsyncResource?: () => object;
}

interface Host {
  readonly process?: { readonly getBuiltinModule?: (name: string) => Partial<AsyncHooks> | undefined };
}

// Looked up instead of imported, so that the entry also loads on platforms without the module.
const { AsyncLocalStorage, AsyncResource, executionAsyncId, executionAsyncResource } =
  (globalThis as Host).process?.getBuiltinModule?.('node:async_hooks') ?? {};
const calls = AsyncLocalStorage && new AsyncLocalStorage<BodyCall>();

/**
 * One call of a task's body. Its context outlives it and reaches other requests: a pool keeps a connection that the
 * body opened, and the callbacks of its next user run in that context. So the context alone proves nothing. The owner
 * of the task counts, and whether its body is under way.
 */
class BodyCall {
  readonly scope: PerformScope;
  readonly owner: TaskOwner;
  /** `called`: the body has not returned; `awaited`: it has returned a promise; `over`: it has settled. */
  #stage: 'called' | 'awaited' | 'over' = 'called';

  constructor(scope: PerformScope, owner: TaskOwner) {
    this.scope = scope;
    this.owner = owner;
  }

  get isUnderWay(): boolean {
    return this.#stage !== 'over';
  }

  /**
   * Whether the body itself runs: in its call, or behind an `await`. It can catch errors there. A callback of a timer
   * or a stream may belong to anybody, and its errors reach only the process.
   */
  get isInBody(): boolean {
    if (this.#stage !== 'awaited') return this.#stage === 'called';
    // Behind an `await` there is no resource, or the promise if hooks are set; in a callback there is another one.
    if (executionAsyncId === undefined || executionAsyncId() === 0) return true;
    return executionAsyncResource?.() instanceof Promise;
  }

  perform<T>(body: () => T): T {
    let isSettled = true;
    try {
      const result = body();
      if (!isThenable(result)) return result;
      // Call `then` of a foreign thenable only once: that call may begin the work.
      const promise = result instanceof Promise ? result : Promise.resolve(result);
      isSettled = false;
      this.#stage = 'awaited';
      promise.then(this.#end, this.#end);
      return promise as T;
    } finally {
      if (isSettled) this.#end();
    }
  }

  readonly #end = (): void => {
    this.#stage = 'over';
  };
}

/**
 * Captures the asynchronous context (request id, logger, …) of the caller. The engine takes its turns in arbitrary
 * contexts, so a body needs the one captured for it. Does nothing on platforms without asynchronous contexts.
 */
export function captureContext(owner: TaskOwner): Bound {
  if (AsyncResource === undefined || calls === undefined) return (_, body) => body();
  // As `AsyncLocalStorage.snapshot()` does, without the function that it makes each time.
  const resource = new AsyncResource('topple.task');
  return (scope, body) => {
    const call = new BodyCall(scope, owner);
    return resource.runInAsyncScope(() => calls.run(call, () => call.perform(body)));
  };
}

/**
 * Returns the scope of the current attempt (`signal`, `idempotencyKey`, `log` and the rest), for functions that
 * received only their arguments from `tasks.add`. Returns `undefined` outside of background tasks, in callbacks of
 * timers, streams and pools (they may belong to another request), and on platforms without `AsyncLocalStorage`.
 */
export function taskScope(): PerformScope | undefined {
  const call = calls?.getStore();
  return call?.isInBody ? call.scope : undefined;
}

/** Returns the call of a body that the current context belongs to, under way or over. */
export function currentCall(): Pick<BodyCall, 'scope' | 'owner' | 'isUnderWay' | 'isInBody'> | undefined {
  return calls?.getStore();
}
