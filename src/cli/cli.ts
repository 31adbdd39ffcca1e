import { escapeLines } from '../model/escape.ts';
import { readArguments } from './arguments.ts';
import { CliError, exitCode, oneLine } from './cli-error.ts';
import type { Io } from './io.ts';
import { commands } from './registry.ts';
import { version } from './version.ts';

/**
 * The command line as a function: runs the given command and resolves with the exit code. Never rejects: errors are
 * written to `io.stderr`, in one line each; `--verbose` adds their stack traces.
 */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  try {
    const asked = await readArguments(args, commands, version());
    if (asked.kind === 'command') {
      const { command, argument, given, rest } = asked;
      return (await command.run(argument, given, io, rest)) ?? exitCode.done;
    }
    io.stdout.write(asked.text);
    return exitCode.done;
  } catch (error) {
    io.stderr.write(describeError(error, args.includes('--verbose')));
    return error instanceof CliError ? error.exitCode : exitCode.failed;
  }
}

/** An error in one line, followed by its stack trace if requested. */
export function describeError(error: unknown, isVerbose: boolean): string {
  // The help for a command line without a command.
  if (error instanceof CliError && error.name === 'CliError') return error.message;
  const message = error instanceof Error ? error.message : String(error);
  const line =
    error instanceof CliError
      ? message
      : `unexpected ${error instanceof Error ? error.name : 'failure'}: ${message}`;
  return `topple: ${oneLine(line)}\n${isVerbose ? escapeLines(stacksOf(error)) : ''}`;
}

function stacksOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { cause } = error;
  const below = cause === undefined ? '' : `caused by ${stacksOf(cause) || `${String(cause)}\n`}`;
  return `${error.stack ?? error.message}\n${below}`;
}
