import { AsyncLocalStorage } from 'node:async_hooks';
import { FlowDefinition, type TaskDefinition } from '../../model/definition.ts';
import { viewError } from '../../model/error.ts';
import type { Body } from '../../model/perform.ts';
import { CliError, exitCode } from '../cli-error.ts';
import { showId } from '../show/reasons.ts';

/** The id of the task whose body is running, also in work that the body left behind. */
const current = new AsyncLocalStorage<string>();

/** The events by which Node reports an uncaught error. */
export type Stray = 'uncaughtException' | 'unhandledRejection';

/** An uncaught error from a body. */
export class StrayError extends CliError {
  override readonly name = 'StrayError';
  readonly taskId: string;

  constructor(taskId: string, stray: Stray, cause: unknown) {
    const { name, message } = viewError(cause);
    const sentence = message.trim().replace(/[^.?!]$/, '$&.');
    const advice = hints[stray];
    super(exitCode.failed, `task \`${showId(taskId)}\`: unexpected ${name}: ${sentence} ${advice}`, {
      cause,
    });
    this.taskId = taskId;
  }
}

const hints: Readonly<Record<Stray, string>> = {
  unhandledRejection: 'Nothing waited for the promise that failed: look for a forgotten `await`.',
  uncaughtException:
    'It was thrown in a callback, outside the promise that the body returns: catch it there, and reject that promise.',
};

/** Returns a flow whose bodies run with their tasks' ids as context, in everything that they call and leave behind. */
export function inBodyContexts({ name, settings, tasks, graph }: FlowDefinition): FlowDefinition {
  const known = tasks.map((task): TaskDefinition => ({ ...task, body: inContext(task.id, task.body) }));
  return new FlowDefinition(name, settings, known, graph);
}

/**
 * Names the task whose body caused the error; any other error is returned unchanged. Call it where Node reports the
 * error.
 */
export function blameBody(error: unknown, stray: Stray): unknown {
  const taskId = current.getStore();
  return taskId === undefined ? error : new StrayError(taskId, stray, error);
}

function inContext(taskId: string, body: Body): Body {
  if (body.kind === 'perform') {
    const { perform } = body;
    return { ...body, perform: (scope) => current.run(taskId, perform, scope) };
  }
  const logic = body.logic as { start?: (...args: unknown[]) => unknown };
  if (logic.start === undefined) return body;
  // Later work of an actor inherits the context of its start.
  const start = (...args: unknown[]): unknown => current.run(taskId, () => logic.start?.(...args));
  return { ...body, logic: Object.create(logic, { start: { value: start } }) };
}
