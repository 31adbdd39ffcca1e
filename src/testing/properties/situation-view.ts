import type { FlowDefinition } from '../../model/definition.ts';
import { FlowError } from '../../model/error.ts';
import { unknownTask } from '../../model/graph-check.ts';
import type { Cause, RunStatus, TaskStatus } from '../../model/status.ts';
import type { Situation } from '../model/situation.ts';

/** A task in a situation, as properties see it. */
export interface TaskState {
  readonly status: TaskStatus;
  /** The attempts started. */
  readonly attempts: number;
  /** The cause of its ending. */
  readonly cause: Cause | undefined;
}

/** A run in a situation, as properties see it: a RunView without instants, outputs and errors. */
export interface SituationView {
  readonly flow: string;
  readonly status: RunStatus;
  readonly cause: Cause | undefined;
  /** The tasks by id. An id that is no task throws `FlowError`, so that a typo makes no property that always holds. */
  readonly tasks: Readonly<Record<string, TaskState>>;
}

/** The tasks that properties have read, over all the situations that they were given. */
export class Reads {
  /** The tasks that were read by name. */
  readonly tasks = new Set<number>();
  /** The tasks whose attempts or cause were read after they had settled. */
  readonly details = new Set<number>();

  get size(): number {
    return this.tasks.size + this.details.size;
  }
}

/** Makes a view of a situation that notes what is read of it. */
export function viewSituation(
  definition: FlowDefinition,
  { run, rows }: Situation,
  reads: Reads,
): SituationView {
  const { graph, name } = definition;
  const stateOf = (task: number): TaskState => {
    const row = rows[task];
    reads.tasks.add(task);
    return {
      status: row?.status ?? 'pending',
      get attempts() {
        reads.details.add(task);
        return row?.attempts ?? 0;
      },
      get cause() {
        reads.details.add(task);
        return row === undefined || row.isLive ? undefined : row.cause;
      },
    };
  };
  const tasks = new Proxy({} as Record<string, TaskState>, {
    get(_, id) {
      if (typeof id === 'symbol') return undefined;
      const task = graph.indexOf(id);
      if (task < 0) throw unknownTask(name, id, graph.ids);
      return stateOf(task);
    },
    has: (_, id) => typeof id === 'string' && graph.indexOf(id) >= 0,
    ownKeys: () => [...graph.ids],
    getOwnPropertyDescriptor: (_, id) => {
      const task = typeof id === 'string' ? graph.indexOf(id) : -1;
      return task < 0 ? undefined : { value: stateOf(task), enumerable: true, configurable: true };
    },
    set: () => {
      throw new FlowError('bad_option', 'A view of a situation cannot be changed', { flow: name });
    },
  });
  return { flow: name, status: run.value as RunStatus, cause: run.context.cause, tasks };
}
