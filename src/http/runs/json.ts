import type { Entry, ErrorView, RunView, TaskView } from '../../index.ts';
import { viewError } from '../../model/error.ts';
import { createRecord, put } from '../../model/record.ts';

const unreadable = '[unreadable]';

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

/** JSON of a value, whatever bodies returned: what JSON cannot take is put in words, at the least place that needs it. */
export function toJson(value: unknown): string {
  return stringify(value) ?? stringify(readable(value, 4)) ?? JSON.stringify(unreadable);
}

function withoutStack<T extends { readonly error?: ErrorView | undefined }>(value: T): T {
  if (value.error?.stack === undefined) return value;
  const { name, message } = value.error;
  return { ...value, error: { name, message } };
}

/** `undefined` where it cannot be done: a cycle, a `toJSON` that throws, too deep. */
function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, inWords);
  } catch {
    return undefined;
  }
}

function inWords(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (!(value instanceof Error)) return value;
  const { name, message } = viewError(value);
  return { name, message };
}

/** A copy whose parts can all be written; those that cannot are looked into down to `depth`, then given up. */
function readable(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || stringify(value) !== undefined) return value;
  if (depth === 0) return unreadable;
  if (Array.isArray(value)) return value.map((item) => readable(item, depth - 1));
  const copy = createRecord<unknown>(0);
  try {
    for (const [key, part] of Object.entries(value)) put(copy, key, readable(part, depth - 1));
  } catch {
    return unreadable;
  }
  return copy;
}
