import type { TaskDefinition } from '../model/definition.ts';
import type { Verdict } from '../model/ledger.ts';
import { type Cause, isSettled } from '../model/status.ts';
import type { TaskView } from '../model/view.ts';
import { LiveTask, type TaskRun } from './live-task.ts';
import type { RunLanes } from './run-lanes.ts';

/** How a task was left by an earlier life of its run. */
export type LeftTask = (index: number) => TaskView;

/** The tasks of a run that have their verdict and have not settled. */
export class LiveTasks {
  readonly #run: TaskRun;
  readonly #lanes: RunLanes;
  /** Where the run is taken up again. */
  readonly #left: LeftTask | undefined;
  /** By their places in definition order. */
  readonly #tasks: (LiveTask | undefined)[];
  /** Why all of them are to end, once they are. */
  #ending: { readonly cause: Cause; readonly reason?: unknown } | undefined;

  constructor(run: TaskRun, lanes: RunLanes, left: LeftTask | undefined) {
    this.#run = run;
    this.#lanes = lanes;
    this.#left = left;
    this.#tasks = new Array(run.definition.graph.size).fill(undefined);
  }

  /** Whether all of them are to end. */
  get isEnding(): boolean {
    return this.#ending !== undefined;
  }

  get(index: number): LiveTask | undefined {
    return this.#tasks[index];
  }

  /** All of them, in definition order. */
  toArray(): LiveTask[] {
    return this.#tasks.filter((task) => task !== undefined);
  }

  /** A task has its verdict: it lives from now on. */
  deliver({ task: index, decision, because }: Verdict, at: number): void {
    const definition = this.#run.definition.tasks[index] as TaskDefinition;
    const left = this.#left && leftFor(decision, this.#left(index));
    const task = new LiveTask(this.#run, index, definition, this.#lanes.of(definition.pool), left);
    this.#tasks[index] = task;
    if (left !== undefined && decision === 'run') return task.takeUp(left);
    const by = because === undefined ? undefined : this.#run.definition.graph.ids[because];
    switch (decision) {
      case 'run':
        return task.ready(at);
      case 'skip':
        return task.send({ type: 'task.skip', at, cause: 'rule', because: by });
      case 'upstream_failed':
        return task.send({ type: 'task.fail_upstream', at, cause: 'upstream', because: by });
      case 'cancel':
        return task.send({ type: 'task.cancel', at, ...(this.#ending ?? { cause: 'cancelled' }) });
    }
  }

  /** Has all of them end, those included that are cancelled by a verdict to come. */
  cancel(at: number, cause: Cause, reason: unknown): void {
    this.#ending = { cause, reason };
    for (const task of this.toArray()) task.send({ type: 'task.cancel', at, cause, reason });
  }

  /** A task has settled. */
  remove(index: number): void {
    this.#tasks[index] = undefined;
  }

  /** Ends all of them without a word to the run: that is being stopped. */
  stop(): void {
    for (const task of this.toArray()) task.stop();
    this.#tasks.fill(undefined);
  }
}

/** How an earlier actor of a task was left, if there was one. An attempt that is not to run again counts as made. */
function leftFor(decision: Verdict['decision'], left: TaskView): TaskView | undefined {
  if (left.readyAt === undefined || isSettled(left.status)) return undefined;
  return decision === 'run' ? left : { ...left, status: 'pending' };
}
