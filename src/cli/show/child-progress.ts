import { showSettled } from '../../model/child-counts.ts';
import type { Entry } from '../../model/journal.ts';

/** How far the run is that is a task's body: a fold of its events. */
export class ChildProgress {
  readonly total: number;
  /** How each settled task ended. */
  readonly #ended = new Map<string, 'done' | 'failed' | 'other'>();
  failed = 0;

  constructor(total: number) {
    this.total = total;
  }

  get settled(): number {
    return this.#ended.size;
  }

  /** From 0 to 1. */
  get fraction(): number {
    return this.total === 0 ? 1 : this.settled / this.total;
  }

  apply(entry: Entry): void {
    if (!('taskId' in entry)) return;
    const { taskId, type } = entry;
    if (type === 'task.rerun') this.#forget(taskId);
    else if (type === 'task.done') this.#ended.set(taskId, 'done');
    else if (type === 'task.skipped' || type === 'task.cancelled') this.#ended.set(taskId, 'other');
    else if (type === 'task.failed' || type === 'task.upstream_failed') {
      this.#ended.set(taskId, 'failed');
      this.failed++;
    }
  }

  /** `812/1,000, 2 failed` */
  toString(): string {
    return showSettled(this.settled, this.total, this.failed);
  }

  #forget(taskId: string): void {
    if (this.#ended.get(taskId) === 'failed') this.failed--;
    this.#ended.delete(taskId);
  }
}
