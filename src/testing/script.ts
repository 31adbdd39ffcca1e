import { type AnyActorLogic, fromPromise } from 'xstate';
import { clockOf } from '../logic/internals.ts';
import type { Clock } from '../model/clock.ts';
import type { PerformScope } from '../model/perform.ts';

/** A scripted body: `flow.provide` takes it for a task. */
export interface ScriptedBody<Output> {
  readonly perform: (scope: PerformScope<unknown, unknown, unknown>) => Output | Promise<Output>;
}

/** A body that takes time, as an actor, which knows the clock of its run. */
export interface TimedBody {
  readonly actor: AnyActorLogic;
  readonly input: (scope: PerformScope<unknown, unknown, unknown>) => unknown;
}

/** A body whose attempts wait to be released. Made by `hold`. */
export interface HeldBody<Output> extends ScriptedBody<Output> {
  /** The number of attempts that wait. */
  readonly waiting: number;
  /** Ends the attempt that has waited longest, or else the next one as soon as it starts. */
  release(output: Output): void;
  /** Does the same with a failure. */
  fail(error?: unknown): void;
}

/** Returns this value at once. */
export function ok<Output>(output: Output): ScriptedBody<Output> {
  return { perform: () => output };
}

/**
 * Fails in the first attempts, and then does what `then` does.
 *
 * @param attempts the number that fail; `Infinity` for all of them
 * @param error the error thrown. Default: an Error that names task and attempt
 * @param then default: returns `undefined`
 */
export function fails<Output = never>(
  attempts: number,
  error?: unknown,
  then: ScriptedBody<Output> = ok(undefined as Output),
): ScriptedBody<Output> {
  return {
    perform: (scope) => {
      const { attempt, taskId } = scope;
      if (attempt > attempts) return then.perform(scope);
      throw error ?? new Error(`\`${taskId}\` was told to fail in attempt ${attempt}`);
    },
  };
}

/** Does not end, whatever its signal says: it is given up after its grace. */
export function neverEnds(): ScriptedBody<never> {
  return { perform: () => new Promise<never>(() => {}) };
}

/** Waits until it is released. An attempt that is to end obeys its signal. */
export function hold<Output = undefined>(): HeldBody<Output> {
  type End = { readonly output: Output } | { readonly error: unknown };
  const attempts: PromiseWithResolvers<Output>[] = [];
  const early: End[] = [];
  const end = (attempt: PromiseWithResolvers<Output>, how: End): void => {
    if ('output' in how) attempt.resolve(how.output);
    else attempt.reject(how.error);
  };
  const endNext = (how: End): void => {
    const next = attempts.shift();
    if (next === undefined) early.push(how);
    else end(next, how);
  };
  return {
    perform: ({ signal }) => {
      const attempt = Promise.withResolvers<Output>();
      const how = early.shift();
      if (how !== undefined) end(attempt, how);
      else attempts.push(attempt);
      signal.addEventListener('abort', () => {
        const place = attempts.indexOf(attempt);
        if (place >= 0) attempts.splice(place, 1);
        attempt.reject(signal.reason);
      });
      return attempt.promise;
    },
    get waiting() {
      return attempts.length;
    },
    release: (output) => endNext({ output }),
    fail: (error = new Error('The held body was told to fail')) => endNext({ error }),
  };
}

/**
 * Takes this long on the clock of its run, then does what `then` does.
 *
 * @param ms by the run's clock, virtual or not
 * @param then default: returns `undefined`
 */
export function takes(ms: number, then: ScriptedBody<unknown> = ok(undefined)): TimedBody {
  const actor = fromPromise<unknown, PerformScope<unknown, unknown, unknown>>(
    async ({ input, self, signal }) => {
      await sleep(clockOf(self) as Clock, ms, signal);
      return then.perform(input);
    },
  );
  return { actor, input: (scope) => scope };
}

function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clock.clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
