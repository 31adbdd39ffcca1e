import { flagOf } from './arguments.ts';
import type { Command, Option } from './command.ts';

const everywhere: readonly Flag[] = [
  { flag: '--help', option: { summary: 'show help' } },
  { flag: '--verbose', option: { summary: 'show stack traces' } },
];

interface Flag {
  readonly flag: string;
  readonly option: Option;
}

/** The completion script of a shell, made from the descriptions of the commands; `undefined` for an unknown shell. */
export function completionFor(shell: string, commands: readonly Command[]): string | undefined {
  if (shell === 'bash') return bash(commands);
  if (shell === 'zsh') return zsh(commands);
  return shell === 'fish' ? fish(commands) : undefined;
}

function flagsOf({ options }: Command): Flag[] {
  const own = Object.entries(options).map(([name, option]) => ({ flag: flagOf(name), option }));
  return [...own, ...everywhere];
}

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => {
    const flags = flagsOf(command);
    const values = flags.flatMap(({ flag, option }) => {
      if (option.choices !== undefined)
        return [`        ${flag}) _topple_words '${option.choices.join(' ')}'; return ;;`];
      if (option.isFile) return [`        ${flag}) _topple_files; return ;;`];
      return option.takes === undefined ? [] : [`        ${flag}) return ;;`];
    });
    const { argument } = command;
    const rest =
      argument?.choices === undefined
        ? argument?.isFile
          ? '_topple_files'
          : ':'
        : `_topple_words '${argument.choices.join(' ')}'`;
    return `    ${command.name})
      case $previous in
${[...values, '        *) ;;'].join('\n')}
      esac
      case $current in
        -*) _topple_words '${flags.map(({ flag }) => flag).join(' ')}' ;;
        *) ${rest} ;;
      esac ;;`;
  });
  return `# bash completion of topple: topple completion bash > ~/.local/share/bash-completion/completions/topple
_topple_words() { COMPREPLY=($(compgen -W "$1" -- "$current")); }
_topple_files() { compopt -o default 2> /dev/null; COMPREPLY=(); }
_topple() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    _topple_words '${commands.map(({ name }) => name).join(' ')} help --help --version --verbose'
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
    help) _topple_words '${commands.map(({ name }) => name).join(' ')}' ;;
  esac
}
complete -F _topple topple
`;
}

function zsh(commands: readonly Command[]): string {
  const cases = commands.map((command) => {
    const { argument, rest: more } = command;
    const flags = flagsOf(command).map(({ flag, option }) => {
      const value = option.takes === undefined ? '' : `:${option.takes}:${zshAction(option)}`;
      return `'${option.isList ? '*' : ''}${flag}[${zshText(option.summary)}]${value}'`;
    });
    const rest = argument === undefined ? [] : [`'1:${zshText(argument.summary)}:${zshAction(argument)}'`];
    if (more !== undefined) rest.push(`'*:${zshText(more.summary)}:${zshAction(more)}'`);
    return `    ${command.name})\n      _arguments ${[...flags, ...rest].join(' \\\n        ')} ;;`;
  });
  const names = commands.map(({ name, summary }) => `    '${name}:${zshText(summary)}'`);
  return `#compdef topple
# zsh completion of topple: topple completion zsh > ~/.zfunc/_topple, with ~/.zfunc in $fpath before compinit
_topple() {
  local -a commands=(
${names.join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=\${words[2]}
  shift words
  ((CURRENT--))
  case $command in
${cases.join('\n')}
  esac
}
# Loaded by compinit, the file is the function's body; sourced, it registers the function.
if [ "$funcstack[1]" = _topple ]; then _topple "$@"; else compdef _topple topple; fi
`;
}

function zshAction({ choices, isFile }: Pick<Option, 'choices' | 'isFile'>): string {
  if (choices !== undefined) return `(${choices.join(' ')})`;
  return isFile ? '_files' : ' ';
}

function zshText(text: string): string {
  return text.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, '\\$&');
}

function fish(commands: readonly Command[]): string {
  const text = (words: string): string => `'${words.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const first = commands.map(
    ({ name, summary }) => `complete -c topple -n __fish_use_subcommand -f -a ${name} -d ${text(summary)}`,
  );
  const rest = commands.flatMap((command) => {
    const when = `complete -c topple -n '__fish_seen_subcommand_from ${command.name}'`;
    const flags = flagsOf(command).map(({ flag, option }) => {
      const { takes, choices, isFile } = option;
      const value =
        takes === undefined
          ? ''
          : isFile
            ? ' -r -F'
            : choices === undefined
              ? ' -x'
              : ` -x -a ${text(choices.join(' '))}`;
      return `${when} -l ${flag.slice(2)}${value} -d ${text(option.summary)}`;
    });
    const { argument } = command;
    const isFile = argument?.isFile === true;
    const words = argument?.choices === undefined ? '' : ` -a ${text(argument.choices.join(' '))}`;
    return [`${when} ${isFile ? '-F' : '-f'}${words}`, ...flags];
  });
  return `# fish completion of topple: topple completion fish > ~/.config/fish/completions/topple.fish\n${[...first, ...rest].join('\n')}\n`;
}
