import type { TaskShape } from '../protocol.ts';
import { type FromProgram, mostListedTasks, mostLists } from './link-protocol.ts';

/** The tasks of a flow. The runs of the flow share them. */
export interface TaskList {
  readonly tasks: readonly TaskShape[];
  /** By the place of each task. */
  readonly ids: readonly string[];
  /** Characters that it holds, about. */
  readonly size: number;
}

interface OpenList extends TaskList {
  readonly tasks: TaskShape[];
  readonly ids: string[];
  size: number;
}

/** The lists of tasks that a program has sent by its connection. */
export class TaskLists {
  readonly #all: OpenList[] = [];

  all(): readonly TaskList[] {
    return this.#all;
  }

  /** Takes a part of a list. Throws where it makes no sense, or is too much. */
  take({ list, isFirst, tasks }: Extract<FromProgram, { type: 'tasks' }>): void {
    if (isFirst && list === 0) this.clear();
    if (isFirst && list === this.#all.length) this.#all.push({ tasks: [], ids: [], size: 0 });
    const open = this.#all.at(-1);
    if (open === undefined || list !== this.#all.length - 1) throw new Error('Lists come one after another');
    for (const task of tasks) {
      open.tasks.push(task);
      open.ids.push(task.id);
    }
    open.size += JSON.stringify(tasks).length;
    const total = this.#all.reduce((sum, { ids }) => sum + ids.length, 0);
    if (total > mostListedTasks || this.#all.length > mostLists) throw new Error('Too many tasks');
  }

  /** Throws where there is no such list. */
  get(list: number): TaskList {
    const found = this.#all[list];
    if (found === undefined) throw new Error('There is no such list');
    return found;
  }

  /** Forgets all; runs keep theirs. Returns whether there were any. */
  clear(): boolean {
    return this.#all.splice(0).length > 0;
  }
}
