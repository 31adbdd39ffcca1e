export {
  type BackoffStrategy,
  chain,
  type ExponentialJitterOptions,
  type ExponentialOptions,
  exponential,
  exponentialJitter,
  fixed,
  fromError,
  type IncrementingOptions,
  incrementing,
  random,
  randomExponential,
  sum,
} from './model/backoff.ts';
export type { Backoff, FailureInfo } from './model/retry.ts';
