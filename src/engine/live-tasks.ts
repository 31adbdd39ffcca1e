import type { TaskDefinition } from '../model/definition.ts';
import type { Verdict } from '../model/ledger.ts';
import { type Cause, isSettled } from '../model/status.ts';
import type { TaskView } from '../model/view.ts';
import { LiveTask, type TaskRun } from './live-task.ts';
import type { RunLanes } from './run-lanes.ts';

/** So long tasks are told to end before the event loop gets its turn; what follows from that comes on top. */
const SLICE_MS = 5;

interface Ending {
  readonly cause: Cause;
  readonly reason?: unknown;
}

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
  #ending: Ending | undefined;
  /** Those that are to hear of it, and the verdicts of those that do not live yet. */
  #toEnd: readonly (LiveTask | Verdict)[] = [];
  /** How many of these have. */
  #told = 0;

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
        return task.send({ type: 'task.cancel', at, ...(this.#ending as Ending) });
    }
  }

  /**
   * Has all of them end, and those that have no verdict but this: in slices, since there may be many. On a clock that
   * stands still meanwhile, at once. Those with an attempt under way hear of it first.
   */
  cancel(ending: Ending, verdicts: readonly Verdict[]): void {
    this.#ending = ending;
    const live = this.toArray();
    const running = live.filter((task) => task.isRunning);
    this.#toEnd = [...running, ...live.filter((task) => !task.isRunning), ...verdicts];
    this.#tellMore();
  }

  /** A task has settled. */
  remove(index: number): void {
    this.#tasks[index] = undefined;
  }

  /** Ends all of them without a word to the run: that is being stopped. */
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
    // It may have settled before its turn came.
    else if (this.get(toEnd.index) === toEnd)
      toEnd.send({ type: 'task.cancel', at, ...(this.#ending as Ending) });
  }
}

/** How an earlier actor of a task was left, if there was one. An attempt that is not to run again counts as made. */
function leftFor(decision: Verdict['decision'], left: TaskView): TaskView | undefined {
  if (left.readyAt === undefined || isSettled(left.status)) return undefined;
  return decision === 'run' ? left : { ...left, status: 'pending' };
}
