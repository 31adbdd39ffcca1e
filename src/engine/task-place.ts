import type { TaskContext, TaskInput } from '../../machines/task.ts';
import type { TaskView } from '../model/view.ts';

/**
 * The machine state of a task whose actor was stopped. An attempt that was under way is repeated with the same
 * number: the task waits for a slot.
 */
export function placeOfLeft(left: TaskView, input: TaskInput): object {
  const { attempts, readyAt, retryAt, error } = left;
  const known = { ...input, attempt: attempts, readyAt, error };
  return left.status === 'retrying' ? place('backing_off', { ...known, retryAt }) : place('ready', known);
}

/** The machine state on the fast path: waiting for the first slot, or in the first attempt. */
export function placeOnFastPath(isRunning: boolean, readyAt: number, input: TaskInput): object {
  return isRunning
    ? place('running', { ...input, attempt: 1, readyAt })
    : place('ready', { ...input, attempt: 0, readyAt });
}

/** A snapshot in XState's form. */
function place(value: 'ready' | 'running' | 'backing_off', known: Partial<TaskContext> & TaskInput): object {
  const unknown = {
    attempt: 0,
    readyAt: undefined,
    retryAt: undefined,
    error: undefined,
    ending: undefined,
  };
  const context: TaskContext = { ...unknown, ...known };
  return { status: 'active', value, context, children: {}, historyValue: {} };
}
