import { viewError } from '../../model/error.ts';
import { cutMiddle, escapeControls } from '../../model/escape.ts';
import { CliError, exitCode } from '../cli-error.ts';
import type { Stray } from './body-context.ts';

/** Characters shown of an id; both ends are kept. */
const maxId = 40;

/** An uncaught error from a body. */
export class StrayError extends CliError {
  override readonly name = 'StrayError';
  readonly taskId: string;

  constructor(taskId: string, stray: Stray, cause: unknown) {
    const { name, message } = viewError(cause);
    const sentence = message.trim().replace(/[^.?!]$/, '$&.');
    const advice = hints[stray];
    super(
      exitCode.failed,
      `task \`${cutMiddle(escapeControls(taskId), maxId, 19)}\`: unexpected ${name}: ${sentence} ${advice}`,
      {
        cause,
      },
    );
    this.taskId = taskId;
  }
}

const hints: Readonly<Record<Stray, string>> = {
  unhandledRejection: 'Nothing waited for the promise that failed: look for a forgotten `await`.',
  uncaughtException:
    'It was thrown in a callback, outside the promise that the body returns: catch it there, and reject that promise.',
};
