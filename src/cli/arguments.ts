import { CommanderError, Command as Parser } from 'commander';
import { CliError, exitCode, oneLine, UsageError } from './cli-error.ts';
import type { Always, Command, Given, Option, Options } from './command.ts';
import { closing, helpOf } from './help.ts';

/** Options as the parser gives them. */
type Opts = Readonly<Record<string, unknown>>;

/** The result of reading a command line: a command with its arguments, or a text such as help. */
export type Asked =
  | {
      readonly kind: 'command';
      readonly command: Command;
      readonly argument: string;
      readonly rest: readonly string[];
      readonly given: Given<Options> & Always;
    }
  | { readonly kind: 'text'; readonly text: string };

/** A command with its arguments, before its options are read. */
interface Read {
  readonly command: Command;
  readonly argument: string;
  readonly rest: readonly string[];
  readonly opts: Opts;
}

/**
 * Reads a command line.
 *
 * Rejects with a UsageError for an invalid argument, with a suggestion
 */
export async function readArguments(
  args: readonly string[],
  commands: readonly Command[],
  version: string,
): Promise<Asked> {
  let asked: Read | undefined;
  let text = '';
  const program = createParser('topple').version(version, '-V, --version', 'show the version');
  program
    .usage('COMMAND [OPTIONS]')
    .description('Run, simulate and draw flows of tasks, and look after runs that a file keeps.');
  program.addHelpText('after', `\n${closing}`);
  program.helpCommand(false);
  const words = await withoutHelpCommand(args, commands);
  program.configureHelp({ subcommandTerm: (parser) => `${parser.name()} ${parser.usage()}`.trimEnd() });
  for (const command of commands) {
    const parser = program.command(command.name).summary(command.summary);
    parser.helpGroup(`${command.group ?? 'Flows'}:`);
    // Options take time to describe, and only one command's are needed.
    if (words.includes(command.name)) describe(parser, command);
    else parser.usage(usageOf(command));
    parser.action((...values: unknown[]) => {
      const argument = command.argument === undefined ? '' : ((values[0] as string | undefined) ?? '');
      const rest = command.rest === undefined ? [] : (values[1] as string[]);
      asked = { command, argument, rest, opts: parser.optsWithGlobals() };
    });
  }
  for (const parser of [program, ...program.commands]) {
    parser.exitOverride().configureOutput({
      writeOut: (part) => {
        text += part;
      },
      writeErr: (part) => {
        text += part;
      },
      outputError: () => {},
    });
  }
  try {
    program.parse(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw await explain(error, text, args, commands);
  }
  if (asked === undefined) return { kind: 'text', text };
  const { opts, ...read } = asked;
  return { kind: 'command', ...read, given: await readOptions(read.command, opts) };
}

/** Turns `help NAME` into `NAME --help`. The parser's own help command would read the process's exit code. */
async function withoutHelpCommand(
  args: readonly string[],
  commands: readonly Command[],
): Promise<readonly string[]> {
  const [first, name] = args;
  if (first !== 'help') return args;
  if (name === undefined || commands.some((command) => command.name === name))
    return [...args.slice(1, 2), '--help'];
  const names = commands.map((command) => command.name);
  const { didYouMean, nearest } = await loadNearest();
  throw new UsageError(
    `Unknown command \`${name}\`. ${didYouMean(nearest(name, names), 'See `topple --help`.')}`,
  );
}

function createParser(name: string): Parser {
  return new Parser(name).helpOption('-h, --help', 'show this help').option('--verbose', 'show stack traces');
}

/** The arguments of a command, as its help shows them. */
function usageOf({ argument, rest }: Command): string {
  const first = argument && (argument.isOptional ? `[${argument.name}]` : `<${argument.name}>`);
  return ['[options]', first, rest && `[${rest.name}...]`].filter((part) => part !== undefined).join(' ');
}

function describe(parser: Parser, command: Command): void {
  const { argument, rest, options, description, summary } = command;
  parser.helpOption('-h, --help', 'show this help').option('--verbose', 'show stack traces');
  parser.description(description === undefined ? summary : `${summary}\n\n${description}`);
  if (argument !== undefined) {
    const { name, isOptional } = argument;
    parser.argument(isOptional ? `[${name}]` : `<${name}>`, argument.summary);
  }
  if (rest !== undefined) parser.argument(`[${rest.name}...]`, rest.summary);
  for (const [name, option] of Object.entries(options)) {
    const flag = flagOf(name);
    const collect = (value: string, before: string[] = []) => [...before, value];
    if (option.takes === undefined) parser.option(flag, option.summary);
    else if (option.isList) parser.option(`${flag} <${option.takes}>`, option.summary, collect);
    else parser.option(`${flag} <${option.takes}>`, option.summary);
  }
  parser.addHelpText('after', helpOf(command));
}

/** Only wrong arguments need it. */
const loadNearest = () => import('../model/nearest.ts');

/** The flag of an option: `--load-timeout` for `loadTimeout`. */
export function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

async function readOptions(command: Command, opts: Opts): Promise<Given<Options> & Always> {
  const given: Record<string, unknown> = { verbose: opts.verbose === true };
  for (const [name, option] of Object.entries(command.options)) {
    const value = opts[name];
    if (option.takes === undefined) given[name] = value === true;
    else if (Array.isArray(value))
      given[name] = await Promise.all(value.map((each: string) => readValue(name, option, each)));
    else given[name] = value === undefined ? undefined : await readValue(name, option, value as string);
  }
  return given as Given<Options> & Always;
}

async function readValue(name: string, option: Option, value: string): Promise<unknown> {
  const read = option.read?.(value);
  if (read !== undefined) return read;
  const { choices = [], expects = () => `one of ${choices.join(', ')}` } = option;
  const { didYouMean, nearest } = await loadNearest();
  const meant = nearest(value, choices);
  const advice = meant === undefined ? '' : ` ${didYouMean(meant, '')}`;
  throw new UsageError(`\`${flagOf(name)}\` must be ${expects(value)}, but is \`${value}\`.${advice}`);
}

/** The parser's own message as one line, with a pointer to the help. */
async function explain(
  error: CommanderError,
  text: string,
  args: readonly string[],
  commands: readonly Command[],
): Promise<CliError> {
  // Without a command, print the help.
  if (error.code === 'commander.help') return new CliError(exitCode.usage, text);
  const command = commands.find(({ name }) => args.includes(name));
  const page = command === undefined ? 'topple --help' : `topple ${command.name} --help`;
  const meant = /\(Did you mean (?:one of )?(.*)\?\)$/.exec(error.message)?.[1];
  const message = oneLine(error.message.replace(/\(Did you mean .*$/, ''))
    .replace(/^error: /, '')
    .replaceAll("'", '`')
    .replace(/\.?$/, '.');
  const { didYouMean } = await loadNearest();
  const advice = meant === undefined ? '' : `${didYouMean(meant, '')} `;
  const sentence = `${message.charAt(0).toUpperCase()}${message.slice(1)} ${advice}See \`${page}\`.`;
  return new UsageError(sentence);
}
