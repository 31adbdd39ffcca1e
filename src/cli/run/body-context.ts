import { AsyncLocalStorage } from 'node:async_hooks';
import { viewError } from '../../model/error.ts';
import { CliError, exitCode } from '../cli-error.ts';
import { cutMiddle, escapeControls } from '../terminal/escape.ts';

/** Ids of the tasks whose bodies are at work, or left it behind. */
export const bodyContext = new AsyncLocalStorage<string>();

/** How Node tells of an error that nobody caught. */
export type Stray = 'uncaughtException' | 'unhandledRejection';

/** Of an id, both ends of which are shown. Characters. */
const maxId = 40;

/** An error that a body let get away. */
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

/** Names the task whose body let the error get away; another error stays as it is. To be called where Node tells of it. */
export function blameBody(error: unknown, stray: Stray): unknown {
  const taskId = bodyContext.getStore();
  return taskId === undefined ? error : new StrayError(taskId, stray, error);
}
