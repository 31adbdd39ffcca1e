import type { Command } from './command.ts';

export function completionFor(_shell: string, _commands: readonly Command[]): string | undefined {
  return undefined;
}
