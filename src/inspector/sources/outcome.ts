import type { Entry, TaskStatus } from '../../index.ts';
import type { GridCell } from '../protocol.ts';

interface Outcome {
  status: TaskStatus;
  attempts: number;
  startedAt: number | undefined;
  endedAt: number | undefined;
}

const statusBy: { readonly [Type in Entry['type']]?: TaskStatus } = {
  'task.ready': 'pending',
  'task.waiting': 'waiting',
  'task.started': 'running',
  'task.retrying': 'retrying',
  'task.done': 'done',
  'task.failed': 'failed',
  'task.skipped': 'skipped',
  'task.upstream_failed': 'upstream_failed',
  'task.cancelled': 'cancelled',
};

/** How each task of a run stands, without a graph: a task that has no entry is pending. */
export class Outcomes {
  readonly #tasks = new Map<string, Outcome>();

  apply(entry: Entry): void {
    if (!('taskId' in entry)) {
      if (entry.type === 'run.flow_changed')
        for (const id of [...entry.dropped, ...entry.waiting]) this.#tasks.delete(id);
      return;
    }
    const task = this.#taskOf(entry.taskId);
    if (entry.type === 'task.rerun') return void this.#tasks.delete(entry.taskId);
    const status = statusBy[entry.type];
    if (status === undefined) return;
    task.status = status;
    if (entry.type === 'task.started') {
      task.attempts = entry.attempt;
      task.startedAt ??= entry.at;
    } else if (status !== 'pending' && status !== 'waiting' && status !== 'retrying') task.endedAt = entry.at;
  }

  /** By task id. */
  cells(): ReadonlyMap<string, GridCell> {
    return new Map(
      Array.from(this.#tasks, ([id, { status, attempts, startedAt, endedAt }]) => {
        const ranMs = startedAt === undefined || endedAt === undefined ? null : endedAt - startedAt;
        return [id, [status, attempts, ranMs]];
      }),
    );
  }

  #taskOf(id: string): Outcome {
    const known = this.#tasks.get(id);
    if (known !== undefined) return known;
    const made: Outcome = { status: 'pending', attempts: 0, startedAt: undefined, endedAt: undefined };
    this.#tasks.set(id, made);
    return made;
  }
}
