import { oneLine } from './cli-error.ts';
import type { Io } from './io.ts';

/** Shows a message to the user, in one line on standard error. */
export function tell({ stderr }: Pick<Io, 'stderr'>, text: string): void {
  stderr.write(`topple: ${oneLine(text)}\n`);
}
