import {
  badOption,
  boundRule,
  checkAtMost,
  checkKeys,
  checkNumber,
  durationRule,
  isA,
  type Place,
} from './check.ts';
import { RetryAfterError } from './error.ts';

/** The facts about a failed attempt. */
export interface FailureInfo {
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  /** Since the first attempt started, waits included. */
  readonly elapsedMs: number;
  /** The error that it threw. */
  readonly error: unknown;
  /** Random number: at least 0, below 1. */
  readonly random: () => number;
}

/** Returns how many milliseconds to wait before the next attempt. */
export type BackoffStrategy = (failure: FailureInfo) => number;

/** A constant wait in milliseconds, or a strategy that computes it. */
export type Backoff = number | BackoffStrategy;

export interface ExponentialOptions {
  /** The wait after the first failure, before `minMs` and `maxMs` are applied. */
  readonly initialMs: number;
  /** The factor for each further failure; at least 1, 2 by default. */
  readonly base?: number | undefined;
  /** The shortest wait; 0 by default. */
  readonly minMs?: number | undefined;
  /** The longest wait, unless `minMs` is longer; no bound by default. */
  readonly maxMs?: number | undefined;
}

export interface ExponentialJitterOptions extends ExponentialOptions {
  /** The most that randomness adds, before `maxMs` is applied; 1,000 by default. */
  readonly jitterMs?: number | undefined;
}

export interface IncrementingOptions {
  /** The wait after the first failure. */
  readonly startMs: number;
  /** The increment for each further failure; may be negative, the wait stops at 0. */
  readonly incrementMs: number;
  /** The longest wait; no bound by default. */
  readonly maxMs?: number | undefined;
}

const incrementingKeys = new Set(['startMs', 'incrementMs', 'maxMs']);
const exponentialKeys = new Set(['initialMs', 'base', 'minMs', 'maxMs']);
const jitterKeys = new Set([...exponentialKeys, 'jitterMs']);

// The formulas are those of tenacity's wait strategies (github.com/jd/tenacity, tenacity/wait.py), with n the attempt
// that failed. Its `multiplier` is `initialMs` here.

/** A constant wait. */
export function fixed(waitMs: number): BackoffStrategy {
  checkNumber({ option: 'waitMs', owner: 'fixed' }, waitMs, durationRule);
  return () => waitMs;
}

/** `startMs + incrementMs · (n − 1)`, kept between 0 and `maxMs`. */
export function incrementing(options: IncrementingOptions): BackoffStrategy {
  const at = placeIn('incrementing');
  checkKeys(at('options'), options, incrementingKeys);
  const { startMs, incrementMs, maxMs = Number.POSITIVE_INFINITY } = options;
  checkNumber(at('startMs'), startMs, durationRule);
  checkNumber(at('incrementMs'), incrementMs, {});
  checkNumber(at('maxMs'), maxMs, boundRule);
  return ({ attempt }) => Math.max(0, Math.min(startMs + incrementMs * (attempt - 1), maxMs));
}

/** `initialMs · base^(n − 1)`, kept between `minMs` and `maxMs`. */
export function exponential(options: ExponentialOptions): BackoffStrategy {
  checkKeys({ option: 'options', owner: 'exponential' }, options, exponentialKeys);
  const { grow, bound } = exponentialParts('exponential', options);
  return ({ attempt }) => bound(grow(attempt));
}

/** Full jitter: a uniformly random wait from `minMs` to the wait of `exponential`. */
export function randomExponential(options: ExponentialOptions): BackoffStrategy {
  checkKeys({ option: 'options', owner: 'randomExponential' }, options, exponentialKeys);
  const { grow, bound } = exponentialParts('randomExponential', options);
  const { minMs = 0 } = options;
  return ({ attempt, random }) => between(minMs, bound(grow(attempt)), random);
}

/** `initialMs · base^(n − 1)` plus up to `jitterMs`, kept between `minMs` and `maxMs`. */
export function exponentialJitter(options: ExponentialJitterOptions): BackoffStrategy {
  const at = placeIn('exponentialJitter');
  checkKeys(at('options'), options, jitterKeys);
  const { grow, bound } = exponentialParts('exponentialJitter', options);
  const { jitterMs = 1_000 } = options;
  checkNumber(at('jitterMs'), jitterMs, durationRule);
  return ({ attempt, random }) => bound(grow(attempt) + between(0, jitterMs, random));
}

/** A uniformly random wait from `minMs` to `maxMs`. */
export function random(minMs: number, maxMs: number): BackoffStrategy {
  const at = placeIn('random');
  checkNumber(at('minMs'), minMs, durationRule);
  checkNumber(at('maxMs'), maxMs, durationRule);
  checkAtMost(at('minMs'), minMs, maxMs, 'maxMs');
  return ({ random: chance }) => between(minMs, maxMs, chance);
}

/** The n-th part after the n-th failure, then always the last one. A number is a constant wait. */
export function chain(...parts: Backoff[]): BackoffStrategy {
  checkParts('chain', parts);
  return (failure) => askBackoff(parts[Math.min(failure.attempt, parts.length) - 1] as Backoff, failure);
}

/** The sum of all parts' waits. A number is a constant wait. */
export function sum(...parts: Backoff[]): BackoffStrategy {
  checkParts('sum', parts);
  return (failure) => parts.reduce<number>((waitMs, part) => waitMs + askBackoff(part, failure), 0);
}

/**
 * The wait that the error itself asks for. If it asks for none: the wait of `fallback`, by default that of a policy
 * without a backoff.
 *
 * Read in this order: `waitMs` of a `RetryAfterError`; `retryAfterMs`, a number of milliseconds; `retryAfter`, a number
 * of seconds, also as a string, as in HTTP's `Retry-After`. Ignores dates, and anything else that is not a number of at
 * least 0.
 */
export function fromError(fallback: Backoff = defaultBackoff): BackoffStrategy {
  checkBackoff({ option: 'fallback', owner: 'fromError' }, fallback);
  return (failure) => readWait(failure.error) ?? askBackoff(fallback, failure);
}

/** The backoff of a policy without one: full jitter, 1 s doubling to 30 s. */
export const defaultBackoff: BackoffStrategy = ({ attempt, random }) =>
  between(0, Math.min(1_000 * 2 ** (attempt - 1), 30_000), random);

/** The raw answer of a backoff: it may throw, or return something that is no wait. */
export function askBackoff(backoff: Backoff, failure: FailureInfo): number {
  return typeof backoff === 'number' ? backoff : backoff(failure);
}

/** Throws `FlowError` `bad_option` unless the value can be a backoff. */
export function checkBackoff(place: Place, value: unknown): void {
  if (typeof value === 'function' || (Number.isFinite(value) && (value as number) >= 0)) return;
  throw badOption(place, 'a finite number of at least 0, or a function', value);
}

function exponentialParts(owner: string, options: ExponentialOptions) {
  const at = placeIn(owner);
  const { initialMs, base = 2, minMs = 0, maxMs = Number.POSITIVE_INFINITY } = options;
  checkNumber(at('initialMs'), initialMs, durationRule);
  checkNumber(at('base'), base, { min: 1 });
  checkNumber(at('minMs'), minMs, durationRule);
  checkNumber(at('maxMs'), maxMs, boundRule);
  checkAtMost(at('minMs'), minMs, maxMs, 'maxMs');
  // The power overflows after some thousand attempts. It is kept finite, since 0 · Infinity and Infinity · 0 are NaN.
  const finite = (value: number) => Math.min(value, Number.MAX_VALUE);
  return {
    grow: (attempt: number) => finite(initialMs * finite(base ** (attempt - 1))),
    bound: (waitMs: number) => Math.max(minMs, Math.min(waitMs, maxMs)),
  };
}

function between(low: number, high: number, chance: () => number): number {
  return low + chance() * (high - low);
}

function checkParts(owner: string, parts: readonly Backoff[]): void {
  if (parts.length === 0) throw badOption({ option: 'parts', owner }, 'at least one backoff', parts);
  for (const [i, part] of parts.entries()) checkBackoff({ option: `parts[${i}]`, owner }, part);
}

function placeIn(owner: string): (option: string) => Place {
  return (option) => ({ option, owner });
}

function readWait(error: unknown): number | undefined {
  if (isA(error, RetryAfterError)) return asWait(error.waitMs);
  if (typeof error !== 'object' || error === null) return undefined;
  try {
    const { retryAfterMs, retryAfter } = error as { retryAfterMs?: unknown; retryAfter?: unknown };
    return asWait(retryAfterMs) ?? asSeconds(retryAfter);
  } catch {
    return undefined;
  }
}

function asWait(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined;
}

function asSeconds(value: unknown): number | undefined {
  const seconds = asWait(typeof value === 'string' && value.trim() !== '' ? Number(value) : value);
  return seconds === undefined ? undefined : seconds * 1_000;
}
