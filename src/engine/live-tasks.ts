import { isRunBody, type TaskDefinition } from '../model/definition.ts';
import type { Verdict } from '../model/ledger.ts';
import { type Cause, isSettled } from '../model/status.ts';
import type { TaskView } from '../model/view.ts';
import { LiveTask, type TaskRun } from './live-task.ts';
import type { RunLanes } from './run-lanes.ts';

/** Milliseconds of notifying tasks to end before yielding to the event loop; the consequences take extra time. */
const SLICE_MS = 5;

interface Ending {
  readonly cause: Cause;
  readonly reason?: unknown;
}

/** Gives a task's state at the end of its run's earlier life. */
export type EarlierTask = (index: number) => TaskView;

/** The tasks of a run that have a verdict and have not settled. */
export class LiveTasks {
  readonly #run: TaskRun;
  readonly #lanes: RunLanes;
  /** Set if the run is recovered. */
  readonly #left: EarlierTask | undefined;
  /** By their places in definition order. */
  readonly #tasks: (LiveTask | undefined)[];
  /** The cause for ending all tasks, once set. */
  #ending: Ending | undefined;
  /** The tasks to notify, and the verdicts of tasks that do not live yet. */
  #toEnd: readonly (LiveTask | Verdict)[] = [];
  /** The number of these notified. */
  #told = 0;

  constructor(run: TaskRun, lanes: RunLanes, left: EarlierTask | undefined) {
    this.#run = run;
    this.#lanes = lanes;
    this.#left = left;
    this.#tasks = new Array(run.definition.graph.size).fill(undefined);
  }

  /** Whether all tasks are to end. */
  get isEnding(): boolean {
    return this.#ending !== undefined;
  }

  get(index: number): LiveTask | undefined {
    return this.#tasks[index];
  }

  /** All tasks, in definition order. */
  toArray(): LiveTask[] {
    return this.#tasks.filter((task) => task !== undefined);
  }

  /** Gives a task its verdict: from then on it lives. */
  deliver({ task: index, decision, because }: Verdict, at: number): void {
    const definition = this.#run.definition.tasks[index] as TaskDefinition;
    const left = this.#left && earlierFor(decision, this.#left(index));
    const lane = isRunBody(definition.body) ? this.#lanes.free : this.#lanes.of(definition.pool);
    const task = new LiveTask(this.#run, index, definition, lane, left);
    this.#tasks[index] = task;
    if (left !== undefined && decision === 'run') return task.recover(left);
    if (left?.status === 'running') task.takeUp(left.attempts);
    const by = because === undefined ? undefined : this.#run.definition.graph.ids[because];
    switch (decision) {
      case 'run':
        return task.ready(at);
      case 'skip':
        return task.send({ type: 'task.skip', at, cause: 'rule', because: by });
      case 'upstream_failed':
        return task.send({ type: 'task.fail_upstream', at, cause: 'upstream', because: by });
      case 'cancel':
        return task.send({ type: 'task.cancel', at, ...(this.#ending as Ending) });
    }
  }

  /**
   * Ends all tasks, and those whose only verdict is this, in slices, since there may be many; at once on a clock that
   * stands still meanwhile. Tasks with an attempt under way are notified first.
   */
  cancel(ending: Ending, verdicts: readonly Verdict[]): void {
    this.#ending = ending;
    const live = this.toArray();
    const running = live.filter((task) => task.isRunning);
    this.#toEnd = [...running, ...live.filter((task) => !task.isRunning), ...verdicts];
    this.#tellMore();
  }

  /** Removes a settled task. */
  remove(index: number): void {
    this.#tasks[index] = undefined;
  }

  /** Ends all tasks without telling the run, which is being stopped. */
  stop(): void {
    this.#toEnd = [];
    for (const task of this.toArray()) task.stop();
    this.#tasks.fill(undefined);
  }

  readonly #tellMore = (): void => {
    try {
      this.#tell(this.#run.timers.monotonicNow() + SLICE_MS);
    } catch (error) {
      this.#run.fault(error);
    }
  };

  #tell(until: number): void {
    const at = this.#run.now();
    for (; this.#told < this.#toEnd.length; this.#told++) {
      if (this.#run.timers.monotonicNow() >= until) return this.#run.afterEventLoop(this.#tellMore);
      this.#tellOne(this.#toEnd[this.#told] as LiveTask | Verdict, at);
    }
    this.#toEnd = [];
    this.#told = 0;
  }

  #tellOne(toEnd: LiveTask | Verdict, at: number): void {
    if (!(toEnd instanceof LiveTask)) this.deliver(toEnd, at);
    // It may have settled before.
    else if (this.get(toEnd.index) === toEnd)
      toEnd.send({ type: 'task.cancel', at, ...(this.#ending as Ending) });
  }
}

/** A task's state left by an earlier actor, if any. An attempt that is not repeated counts as made; a child run goes on. */
function earlierFor(decision: Verdict['decision'], left: TaskView): TaskView | undefined {
  if (left.readyAt === undefined || isSettled(left.status)) return undefined;
  return decision === 'run' || left.status === 'running' ? left : { ...left, status: 'pending' };
}
