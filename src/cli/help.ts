import type { Command } from './command.ts';

/** The end of every help. */
export const closing = `Exit codes: 0 done, 1 the run failed or the request was refused, 2 bad options or an unreadable file,
3 no valid flow or export, 124 a time limit passed, 130 interrupted. Data goes to standard output, messages to standard error.
`;

/** The part of a command's help after the options. */
export function helpOf({ examples }: Command): string {
  const lines = examples.map(([line, meaning]) => `  # ${meaning}\n  topple ${line}\n`);
  return `\nExamples:\n${lines.join('\n')}\n${closing}`;
}
