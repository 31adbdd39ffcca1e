import { UsageError } from '../cli-error.ts';

/**
 * Checks that the flow and an option do not both read standard input.
 *
 * @throws UsageError if they do
 */
export function checkOneReader(flow: string, option: string, given: string | undefined): void {
  if (flow !== '-' || given !== '-') return;
  throw new UsageError(
    `Flow and \`${option}\` cannot both be read from standard input: put one into a file.`,
  );
}
