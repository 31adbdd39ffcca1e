import type { PerformScope } from '../index.ts';
import { isThenable } from '../model/check.ts';
import type { ResponseSentError } from './error.ts';

/** Calls a body in the context that was captured, as the attempt of a task. */
export type Bound = <T>(scope: PerformScope, body: () => T) => T;

/** The response whose tasks are performed. */
export interface TaskOwner {
  /** Hears of a use of the response that a task cannot be told of, since nobody would catch what is thrown there. */
  misused(error: ResponseSentError, taskId: string): void;
}

/** The part of `node:async_hooks` that is used here. Deno, Bun and Workers have it too, the last two functions not always. */
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

// Asked for and not imported, so that the entry also loads where there is no such module.
const { AsyncLocalStorage, AsyncResource, executionAsyncId, executionAsyncResource } =
  (globalThis as Host).process?.getBuiltinModule?.('node:async_hooks') ?? {};
const calls = AsyncLocalStorage && new AsyncLocalStorage<BodyCall>();

/**
 * One call of a task's body. Its context outlives it, and reaches other requests: in a connection that the body opened
 * and that a pool keeps, the callbacks of whoever uses it next run in it. So the context alone says nothing; what counts
 * is whose task this is, and whether it is being performed.
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
   * Whether it is the body that runs: in its call, or behind an `await`. What is thrown there it gets. A callback of a
   * timer or a stream may be anybody's, and has only the process above it.
   */
  get isInBody(): boolean {
    if (this.#stage !== 'awaited') return this.#stage === 'called';
    // Behind an `await` there is no resource, or the promise where hooks are set; in a callback there is another.
    if (executionAsyncId === undefined || executionAsyncId() === 0) return true;
    return executionAsyncResource?.() instanceof Promise;
  }

  perform<T>(body: () => T): T {
    let isSettled = true;
    try {
      const result = body();
      if (!isThenable(result)) return result;
      // Of a foreign thenable `then` may be called only once: it may be what begins the work.
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
 * Captures the asynchronous context (request id, logger, …) of whoever calls. The engine takes its turns in anybody's
 * context, so a body has only the one that is captured for it. Where the platform has none, there is none to carry.
 */
export function captureContext(owner: TaskOwner): Bound {
  if (AsyncResource === undefined || calls === undefined) return (_, body) => body();
  // What `AsyncLocalStorage.snapshot()` is made of, without the function that it makes each time.
  const resource = new AsyncResource('topple.task');
  return (scope, body) => {
    const call = new BodyCall(scope, owner);
    return resource.runInAsyncScope(() => calls.run(call, () => call.perform(body)));
  };
}

/**
 * What the attempt is given in whose course this is called: its `signal`, `idempotencyKey`, `log` and the rest, for
 * functions that got only their arguments from `tasks.add`. `undefined` outside of background tasks, in callbacks (of
 * timers, streams, pools: they may be those of another request), and on platforms without `AsyncLocalStorage`.
 */
export function taskScope(): PerformScope | undefined {
  const call = calls?.getStore();
  return call?.isInBody ? call.scope : undefined;
}

/** The call of a body in whose context this is called, under way or over. */
export function currentCall(): Pick<BodyCall, 'scope' | 'owner' | 'isUnderWay' | 'isInBody'> | undefined {
  return calls?.getStore();
}
