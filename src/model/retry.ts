import { askBackoff, type Backoff, checkBackoff, defaultBackoff, type FailureInfo } from './backoff.ts';
import { boundRule, checkFunction, checkKeys, checkNumber, isA, type Place, showValue } from './check.ts';
import { FatalError, RetryAfterError, viewError } from './error.ts';

export type { Backoff, BackoffStrategy, FailureInfo } from './backoff.ts';

/** When to try a task again after a failed attempt. */
export interface RetryPolicy {
  /** The number of all attempts, including the first; an integer of at least 1. */
  maxAttempts: number;
  /** The wait before the next attempt. Default: full jitter, 1 s doubling to 30 s. */
  backoff?: Backoff | undefined;
  /** No retry starts this long after the first attempt's start, or later. Default: no bound. */
  maxElapsedMs?: number | undefined;
  /** Whether to retry after this error; asked once the wait is known. Default: after every error. */
  retryIf?: ((error: unknown, failure: RetryQuestion) => boolean) | undefined;
}

/** The second argument of `retryIf`. */
export interface RetryQuestion {
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  readonly elapsedMs: number;
  /** The wait before the next attempt. */
  readonly waitMs: number;
}

/** The decision after a failed attempt. */
export type RetryDecision =
  | { readonly retry: true; readonly waitMs: number }
  | {
      readonly retry: false;
      readonly cause: 'exhausted' | 'fatal';
      /** The defect of the policy's own function, for the log; its `cause` is the error thrown there. */
      readonly defect?: Error | undefined;
    };

/**
 * The longest wait: a hundred years of 365.25 days. Added to any present instant it is still a date and a safe integer.
 * Timers cannot wait so long, so the clock waits in steps.
 */
export const MAX_WAIT_MS = 3_155_760_000_000;

const retryKeys = new Set(['maxAttempts', 'backoff', 'maxElapsedMs', 'retryIf']);
const exhausted: RetryDecision = { retry: false, cause: 'exhausted' };
const fatal: RetryDecision = { retry: false, cause: 'fatal' };

/**
 * Decides whether there is another attempt, and when. Never throws: if `backoff` or `retryIf` throws or returns an
 * invalid value, there is no retry, cause `fatal`, with a `defect`. After the last attempt the wait is not needed, so
 * an invalid one is no defect.
 *
 * Without a policy there is one attempt. Waits are whole milliseconds, rounded, at most `MAX_WAIT_MS`.
 */
export function planRetry(policy: RetryPolicy | undefined, failure: FailureInfo): RetryDecision {
  if (isA(failure.error, FatalError)) return fatal;
  if (policy === undefined) return exhausted;
  const isLast = failure.attempt >= policy.maxAttempts;
  const waitMs = planWait(policy, failure);
  if (typeof waitMs !== 'number') return isLast ? exhausted : defective(waitMs);
  const isWorthIt = askRetryIf(policy, failure, waitMs);
  if (typeof isWorthIt !== 'boolean') return defective(isWorthIt);
  if (!isWorthIt) return fatal;
  if (isLast || failure.elapsedMs + waitMs >= (policy.maxElapsedMs ?? Number.POSITIVE_INFINITY))
    return exhausted;
  return { retry: true, waitMs };
}

/** Returns the policy, or throws `FlowError` `bad_option` that names the option, the rule and the value. */
export function checkRetry(taskId: string, policy: RetryPolicy, flow?: string): RetryPolicy {
  const at = (name: string): Place => ({ option: `retry.${name}`, taskId, flow });
  checkKeys({ option: 'retry', taskId, flow }, policy, retryKeys);
  const { maxAttempts, backoff, maxElapsedMs, retryIf } = policy;
  checkNumber(at('maxAttempts'), maxAttempts, { integer: true, min: 1 });
  if (backoff !== undefined) checkBackoff(at('backoff'), backoff);
  if (maxElapsedMs !== undefined) checkNumber(at('maxElapsedMs'), maxElapsedMs, boundRule);
  if (retryIf !== undefined) checkFunction(at('retryIf'), retryIf);
  return policy;
}

function defective(defect: Error): RetryDecision {
  return { retry: false, cause: 'fatal', defect };
}

function planWait({ backoff = defaultBackoff }: RetryPolicy, failure: FailureInfo): number | Error {
  const { error } = failure;
  const asked = isA(error, RetryAfterError);
  const option = asked ? 'RetryAfterError.waitMs' : 'retry.backoff';
  try {
    const answer: unknown = asked ? error.waitMs : askBackoff(backoff, failure);
    if (typeof answer === 'number' && answer >= 0) return Math.min(Math.round(answer), MAX_WAIT_MS);
    return wrongAnswer(option, 'a number of at least 0', answer);
  } catch (thrown) {
    return thrownBy(option, thrown);
  }
}

function askRetryIf({ retryIf }: RetryPolicy, failure: FailureInfo, waitMs: number): boolean | Error {
  if (retryIf === undefined) return true;
  const { error, attempt, elapsedMs } = failure;
  try {
    const answer: unknown = retryIf(error, { attempt, elapsedMs, waitMs });
    return typeof answer === 'boolean' ? answer : wrongAnswer('retry.retryIf', 'true or false', answer);
  } catch (thrown) {
    return thrownBy('retry.retryIf', thrown);
  }
}

function wrongAnswer(option: string, rule: string, answer: unknown): Error {
  // Handles the promise of an async function, since an unhandled rejection would end the process.
  if (isA(answer, Promise)) answer.catch(() => undefined);
  return new Error(
    `\`${option}\` must give ${rule}, but gave ${showValue(answer)}: there is no further attempt`,
  );
}

function thrownBy(option: string, thrown: unknown): Error {
  const { name, message } = viewError(thrown);
  return new Error(`\`${option}\` threw ${name}: ${message}: there is no further attempt`, { cause: thrown });
}
