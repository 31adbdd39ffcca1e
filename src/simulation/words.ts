import { viewError } from '../model/error.ts';

/** An error in a sentence. */
export function shownError(error: unknown): string {
  const { name, message } = viewError(error);
  return name === 'Error' ? message : `${name}: ${message}`;
}
