import { UsageError } from '../cli-error.ts';
import { defineCommand } from '../command.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

export const completion = defineCommand({
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
    const [{ completionFor }, { commands }] = await Promise.all([
      import('../completion.ts'),
      import('../registry.ts'),
    ]);
    const script = completionFor(shell, commands);
    if (script === undefined)
      throw new UsageError(`There is completion for ${shells.join(', ')}, but not for \`${shell}\`.`);
    io.stdout.write(script);
    return undefined;
  },
});
