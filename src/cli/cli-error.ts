import { cutMiddle, escapeControls } from '../model/escape.ts';

/** Exit codes of the process. */
export const exitCode = {
  done: 0,
  /** A run, or a simulated one, ended `failed` or `cancelled`; or what was asked was refused. */
  failed: 1,
  /** Bad options, or a file that cannot be read. */
  usage: 2,
  /** A readable file without a valid flow. */
  invalidFlow: 3,
  /** A time limit passed. */
  timeLimit: 124,
  interrupted: 130,
} as const;

/** An error that is shown in one line: what was expected, what was found, where, and what to do. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
  readonly exitCode: number;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = code;
  }
}

/** A bad option, or a file that cannot be read. */
export class UsageError extends CliError {
  override readonly name = 'UsageError';

  constructor(message: string, options?: ErrorOptions) {
    super(exitCode.usage, message, options);
  }
}

/** A readable file without a valid flow. */
export class InvalidFlowError extends CliError {
  override readonly name = 'InvalidFlowError';

  constructor(message: string, options?: ErrorOptions) {
    super(exitCode.invalidFlow, message, options);
  }
}

/** A store, or whoever has the run, refuses what was asked. */
export class RefusedError extends CliError {
  override readonly name = 'RefusedError';

  constructor(message: string, options?: ErrorOptions) {
    super(exitCode.failed, message, options);
  }
}

/** Maximum length of a name in backticks, such as an id. In characters. */
const maxName = 120;

/** Makes any text one line that is safe for a terminal. Long names in backticks lose their middle. */
export function oneLine(text: string): string {
  const line = text.trim().replaceAll(/\s*[\r\n\u2028\u2029]+\s*/g, ' ');
  return escapeControls(line.replaceAll(/`[^`]+`/g, (name) => cutMiddle(name, maxName, 40)));
}
