import type { Graph } from './graph.ts';
import { createRecord, put } from './record.ts';
import type { RowsAt } from './task-rows.ts';
import type { RunView, TaskView } from './view.ts';

/** Maximum number of tasks in a plain object; larger ones take too long to make at each moment of a run. */
const MOST_PLAIN = 500;

/** The key under which Node looks for a value's printing; for a proxy it asks the target. */
const inspect = Symbol.for('nodejs.util.inspect.custom');

/**
 * The tasks of a run at one moment, by id; read-only. Up to 500 are a plain object. More are a proxy that reads like
 * one and costs the same for any number, but cannot be cloned by `structuredClone`.
 */
export function tasksById(graph: Graph, rowsAt: RowsAt): RunView['tasks'] {
  if (graph.size <= MOST_PLAIN) return Object.freeze(plainTasks(graph, rowsAt));
  const target = Object.defineProperty({}, inspect, {
    value: () => plainTasks(graph, rowsAt),
    configurable: true,
  });
  return new Proxy(target, new TaskTable(graph, rowsAt));
}

/** The tasks of a run as a plain object. */
export function plainTasks({ ids, size }: Graph, rowsAt: RowsAt): Record<string, TaskView> {
  const tasks = createRecord<TaskView>(size);
  for (let task = 0; task < size; task++) put(tasks, ids[task] as string, rowsAt(task));
  return tasks;
}

/** Looks like an object whose own properties are the tasks. */
class TaskTable implements ProxyHandler<object> {
  readonly #graph: Graph;
  readonly #rowsAt: RowsAt;

  constructor(graph: Graph, rowsAt: RowsAt) {
    this.#graph = graph;
    this.#rowsAt = rowsAt;
  }

  get(target: object, key: string | symbol): unknown {
    return this.#row(key) ?? Reflect.get(target, key);
  }

  has(target: object, key: string | symbol): boolean {
    return this.#row(key) !== undefined || Reflect.has(target, key);
  }

  ownKeys(): string[] {
    return this.#graph.ids.slice();
  }

  getOwnPropertyDescriptor(_target: object, key: string | symbol): PropertyDescriptor | undefined {
    const value = this.#row(key);
    return value && { value, enumerable: true, configurable: true, writable: false };
  }

  set(): boolean {
    return false;
  }

  defineProperty(): boolean {
    return false;
  }

  deleteProperty(): boolean {
    return false;
  }

  #row(key: string | symbol): TaskView | undefined {
    const task = typeof key === 'string' ? this.#graph.indexOf(key) : -1;
    return task < 0 ? undefined : this.#rowsAt(task);
  }
}
