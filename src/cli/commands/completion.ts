import { UsageError } from '../cli-error.ts';
import { type Command, defineCommand } from '../command.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

/** Takes a function, since the completed commands include this one. */
export const completionOf = (commands: () => readonly Command[]) =>
  defineCommand({
    name: 'completion',
    summary: 'Print the completion script of a shell.',
    argument: { name: 'SHELL', summary: shells.join(', '), choices: shells },
    options: {},
    examples: [
      ['completion bash > ~/.local/share/bash-completion/completions/topple', 'for bash'],
      ['completion zsh > ~/.zfunc/_topple', 'for zsh, where ~/.zfunc is in $fpath'],
      ['completion fish > ~/.config/fish/completions/topple.fish', 'for fish'],
    ],
    async run(shell, _, io) {
      const { completionFor } = await import('../completion.ts');
      const script = completionFor(shell, commands());
      if (script === undefined) {
        const { didYouMean, nearest } = await import('../../model/nearest.ts');
        const advice = didYouMean(nearest(shell, shells), '');
        throw new UsageError(
          `There is completion for ${shells.join(', ')}, but not for \`${shell}\`. ${advice}`.trim(),
        );
      }
      io.stdout.write(script);
      return undefined;
    },
  });
