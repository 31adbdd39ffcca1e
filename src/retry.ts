export {
  type BackoffStrategy,
  chain,
  exponential,
  exponentialJitter,
  fixed,
  fromError,
  incrementing,
  random,
  randomExponential,
  sum,
} from './model/backoff.ts';
