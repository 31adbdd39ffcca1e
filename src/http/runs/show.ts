import type { Entry, ErrorView, RunView, TaskView } from '../../index.ts';
import { createRecord, put } from '../../model/record.ts';

/** A view of a run for the outside: without the stacks of its errors. */
export function showView(view: RunView): RunView {
  const tasks = createRecord<TaskView>(Object.keys(view.tasks).length);
  for (const [id, task] of Object.entries(view.tasks)) put(tasks, id, withoutStack(task));
  return { ...view, tasks };
}

/** An event for the outside: without the stack of its error. */
export function showEntry(entry: Entry): Entry {
  return 'error' in entry ? withoutStack(entry) : entry;
}

function withoutStack<T extends { readonly error?: ErrorView | undefined }>(value: T): T {
  if (value.error?.stack === undefined) return value;
  const { name, message } = value.error;
  return { ...value, error: { name, message } };
}
