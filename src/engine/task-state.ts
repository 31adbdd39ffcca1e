import type { TaskContext, TaskInput } from '../../machines/task.ts';
import type { TaskView } from '../model/view.ts';

/**
 * The machine state of a task whose actor was stopped. An attempt that was under way is repeated with the same
 * number: the task waits for a slot. A child run goes on, and with it the attempt. A task that waits goes on waiting.
 */
export function recoveredPlace(left: TaskView, input: TaskInput): TaskPlace {
  const { attempts, readyAt, retryAt, error } = left;
  const known = { ...input, attempt: attempts, readyAt, error };
  if (input.waits === true) return placeAt(left.status === 'waiting' ? 'waiting' : 'planning', known);
  if (left.status === 'running') return placeAt('running', known);
  return left.status === 'retrying' ? placeAt('backing_off', { ...known, retryAt }) : placeAt('ready', known);
}

/** A state of the task machine, as a snapshot in XState's form. */
export interface TaskPlace {
  readonly status: 'active';
  readonly value: 'undecided' | 'planning' | 'waiting' | 'ready' | 'running' | 'backing_off';
  readonly context: TaskContext;
  readonly children: object;
  readonly historyValue: object;
}

/** The place in a state, with the fields of the context that differ from a new task's. */
export function placeAt(
  value: TaskPlace['value'],
  known: Partial<Omit<TaskContext, keyof TaskInput>> & TaskInput,
): TaskPlace {
  const unknown = {
    attempt: 0,
    readyAt: undefined,
    retryAt: undefined,
    error: undefined,
    ending: undefined,
  };
  const context: TaskContext = {
    ...unknown,
    ...known,
    asks: known.asks ?? false,
    waits: known.waits ?? false,
  };
  return { status: 'active', value, context, children: {}, historyValue: {} };
}
