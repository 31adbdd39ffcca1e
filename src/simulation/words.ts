import { viewError } from '../model/error.ts';

/** A time for people. */
export function shownMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Math.round(ms) / 1000} s`;
}

/** An error in a sentence. */
export function shownError(error: unknown): string {
  const { name, message } = viewError(error);
  return name === 'Error' ? message : `${name}: ${message}`;
}
