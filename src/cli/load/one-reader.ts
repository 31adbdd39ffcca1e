import { UsageError } from '../cli-error.ts';

/**
 * Checks that not both the flow and what an option names come from standard input.
 *
 * @throws UsageError where they do
 */
export function checkOneReader(flow: string, option: string, given: string | undefined): void {
  if (flow !== '-' || given !== '-') return;
  throw new UsageError(
    `Flow and \`${option}\` cannot both be read from standard input: put one into a file.`,
  );
}
