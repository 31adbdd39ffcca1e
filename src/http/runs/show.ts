import type { Entry, ErrorView, RunView, TaskView } from '../../index.ts';
import { createRecord, put } from '../../model/record.ts';

/** Removes the stacks of errors from a view, for clients. */
export function showView(view: RunView): RunView {
  const tasks = createRecord<TaskView>(Object.keys(view.tasks).length);
  for (const [id, task] of Object.entries(view.tasks)) put(tasks, id, withoutStack(task));
  const { compensation } = view;
  if (compensation === undefined) return { ...view, tasks };
  const failures = compensation.failures.map(withoutStack);
  return { ...view, compensation: { ...compensation, failures }, tasks };
}

/** Removes the stack of its error from an event, for clients. */
export function showEntry(entry: Entry): Entry {
  return 'error' in entry ? withoutStack(entry) : entry;
}

function withoutStack<T extends { readonly error?: ErrorView | undefined }>(value: T): T {
  if (value.error?.stack === undefined) return value;
  const { name, message } = value.error;
  return { ...value, error: { name, message } };
}
