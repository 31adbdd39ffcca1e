import { AsyncLocalStorage } from 'node:async_hooks';
import { viewError } from '../../model/error.ts';
import { cutMiddle, escapeControls } from '../../model/escape.ts';
import { CliError, exitCode } from '../cli-error.ts';

/** The id of the task whose body is running, also in work that the body left behind. */
export const bodyContext = new AsyncLocalStorage<string>();

/** The events by which Node reports an uncaught error. */
export type Stray = 'uncaughtException' | 'unhandledRejection';

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

/**
 * Names the task whose body caused the error; any other error is returned unchanged. Call it where Node reports the
 * error.
 */
export function blameBody(error: unknown, stray: Stray): unknown {
  const taskId = bodyContext.getStore();
  return taskId === undefined ? error : new StrayError(taskId, stray, error);
}
