import { Problem } from '../../http/problem.ts';

/**
 * Reads a whole number from 0 to `most`.
 *
 * @throws Problem 400
 */
export function readCount(text: string | undefined, otherwise: number, most: number, name: string): number {
  if (text === undefined) return otherwise;
  const count = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (count <= most) return count;
  throw new Problem(400, `\`${name}\` must be a whole number from 0 to ${most}.`);
}
