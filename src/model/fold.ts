import { childIdOf } from './child-id.ts';
import type { Graph } from './graph.ts';
import type { Entry, FlowChange, RunEntry, TaskEntry } from './journal.ts';
import { Lives } from './lives.ts';
import { isSettledRun, type RunStatus, type TaskStatus } from './status.ts';
import { TaskRows } from './task-rows.ts';
import { plainTasks, tasksById } from './tasks-by-id.ts';
import type { DeliveryView, RunView, TaskView } from './view.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What a fold needs to know of a run's flow. */
export interface FoldedFlow {
  readonly name: string;
  readonly graph: Graph;
  /** The ids of a task's dependencies, as they are shown. */
  dependsOn(task: number): readonly string[];
  /** Whether the body of a task is a run. */
  isChild(task: number): boolean;
}

/**
 * Folds a run's journal, entry by entry, to the view shown at edges and the state from which a run is recovered.
 *
 * Each entry must be the next by `seq`. Entries of tasks that the graph lacks belong to an earlier version of the flow:
 * they change nothing. `view` copies each task's row; `moment` costs only the rows changed since the
 * last one.
 */
export class RunFold {
  readonly graph: Graph;
  readonly #run: Mutable<Omit<RunView, 'tasks'>>;
  readonly #tasks: TaskRows;
  readonly #flow: FoldedFlow;
  /** Of tasks whose body is a run. */
  readonly #lives = new Lives();
  #seq = 0;
  #input: unknown;
  #flowHash: string | undefined;

  constructor(runId: string, flow: FoldedFlow) {
    this.graph = flow.graph;
    this.#flow = flow;
    this.#run = { id: runId, flow: flow.name, status: 'running', startedAt: null, endedAt: null };
    this.#tasks = new TaskRows(flow.graph.size, (task) => newTask(flow.dependsOn(task)));
  }

  /** `seq` of the last entry folded; 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  /** The input as returned by the schema. `undefined` before `run.started`. */
  get input(): unknown {
    return this.#input;
  }

  /** The hash of the flow's version that the run follows. `undefined` before `run.started`. */
  get flowHash(): string | undefined {
    return this.#flowHash;
  }

  get status(): RunStatus {
    return this.#run.status;
  }

  /** The run without its tasks, after the last entry folded. Later entries change it. */
  get run(): Omit<RunView, 'tasks'> {
    return this.#run;
  }

  /** Each task's status, in definition order. */
  get statuses(): readonly TaskStatus[] {
    return this.graph.ids.map((_, task) => this.#tasks.get(task).status);
  }

  /** A task's row after the last entry folded. Later entries may change it. */
  task(index: number): TaskView {
    return this.#tasks.get(index);
  }

  apply(entry: Entry): void {
    this.#seq = entry.seq;
    if ('taskId' in entry) this.#applyToTask(entry);
    else this.#applyToRun(entry);
  }

  /**
   * Continues on another engine: attempts that were under way are gone, and wait for slots to be made again. A child run
   * goes on, so its task stays `running`.
   */
  recover(): void {
    for (let task = 0; task < this.graph.size; task++)
      if (this.#tasks.get(task).status === 'running' && !this.#flow.isChild(task))
        this.#tasks.edit(task).status = 'pending';
  }

  /** The view after the last entry folded. Later entries do not change it. */
  view(): RunView {
    return { ...this.#run, tasks: plainTasks(this.graph, (task) => ({ ...this.#tasks.get(task) })) };
  }

  /** The same view, frozen. Its tasks are assembled on reading, and unchanged ones are shared. */
  moment(): RunView {
    const graph = this.graph;
    const rowsAt = this.#tasks.give();
    let tasks: RunView['tasks'] | undefined;
    return Object.freeze({
      ...this.#run,
      get tasks() {
        tasks ??= tasksById(graph, rowsAt);
        return tasks;
      },
    });
  }

  #applyToRun(entry: RunEntry): void {
    const run = this.#run;
    switch (entry.type) {
      case 'run.started':
        run.startedAt = entry.at;
        this.#input = entry.input;
        this.#flowHash = entry.flowHash;
        return;
      case 'run.flow_changed':
        this.#flowHash = entry.flowHash;
        for (const task of tasksBegunAnew(this.graph, entry)) {
          if (this.#flow.isChild(task)) this.#lives.begin(task);
          this.#begin(task);
        }
        return;
      case 'run.paused':
        run.status = 'paused';
        return;
      case 'run.resumed':
        run.status = 'running';
        return;
      case 'run.cancelling':
        run.status = 'cancelling';
        run.cause = entry.cause;
        if (entry.reason !== undefined) run.reason = entry.reason;
        return;
      case 'run.done':
      case 'run.failed':
      case 'run.cancelled':
        run.status = entry.type.slice('run.'.length) as 'done' | 'failed' | 'cancelled';
        run.endedAt = entry.at;
        if (entry.type === 'run.failed' && entry.cause !== undefined) run.cause = entry.cause;
        if (entry.type === 'run.failed' && entry.error !== undefined) run.reason = entry.error.message;
        return;
    }
  }

  #applyToTask(entry: TaskEntry): void {
    if (entry.type === 'task.progress') return;
    const index = this.graph.indexOf(entry.taskId);
    if (index < 0) return;
    const task = this.#tasks.edit(index);
    switch (entry.type) {
      case 'task.ready':
        task.readyAt = entry.at;
        return;
      case 'task.waiting':
        task.status = 'waiting';
        if (entry.until !== undefined) task.until = entry.until;
        if (entry.timeoutAt !== undefined) task.timeoutAt = entry.timeoutAt;
        return;
      case 'task.delivered':
        task.delivery = {
          at: entry.at,
          ...(entry.key !== undefined && { key: entry.key }),
          value: entry.value,
        };
        return;
      case 'task.started':
        task.status = 'running';
        task.attempts = entry.attempt;
        task.startedAt ??= entry.at;
        delete task.retryAt;
        if (this.#flow.isChild(index))
          task.child = { runId: childIdOf(this.#run.id, entry.taskId, this.#lives.of(index).life) };
        return;
      case 'task.retrying':
        task.status = 'retrying';
        task.retryAt = entry.retryAt;
        task.error = entry.error;
        if (entry.child !== undefined && task.child !== undefined)
          task.child = { ...task.child, counts: entry.child };
        return;
      case 'task.rerun':
        if (this.#flow.isChild(index)) this.#lives.rerun(index, entry);
        this.#begin(index);
        this.#reopen();
        return;
      default:
        task.status = entry.type.slice('task.'.length) as TaskStatus;
        task.endedAt = entry.at;
        delete task.retryAt;
        if (task.until !== undefined) delete task.until;
        if (task.timeoutAt !== undefined) delete task.timeoutAt;
        if (task.delivery !== undefined) task.delivery = withoutValue(task.delivery);
        if ('cause' in entry && entry.cause !== undefined) task.cause = entry.cause;
        if ('child' in entry && entry.child !== undefined && task.child !== undefined)
          task.child = { ...task.child, counts: entry.child };
        if (entry.type === 'task.failed') task.error = entry.error;
        if (entry.type !== 'task.done') return;
        if (entry.childRunId !== undefined && task.child !== undefined)
          task.child = { ...task.child, runId: entry.childRunId };
        delete task.error;
        task.output = entry.output;
    }
  }

  /** Has a task begin, perhaps anew. */
  #begin(task: number): void {
    this.#tasks.set(task, newTask(this.#tasks.get(task).dependsOn));
  }

  /** Reopens a settled run for a rerun; `startedAt` stays. */
  #reopen(): void {
    const run = this.#run;
    if (!isSettledRun(run.status)) return;
    run.status = 'running';
    run.endedAt = null;
    delete run.cause;
    delete run.reason;
  }
}

function withoutValue({ value: _, ...rest }: DeliveryView): DeliveryView {
  return rest;
}

function newTask(dependsOn: readonly string[]): TaskView {
  return { status: 'pending', attempts: 0, dependsOn };
}

/** The places of the tasks that a change of the flow has begin anew. */
export function* tasksBegunAnew(graph: Graph, { dropped, waiting }: FlowChange): Generator<number> {
  for (const ids of [dropped, waiting]) {
    for (const id of ids) {
      const task = graph.indexOf(id);
      if (task >= 0) yield task;
    }
  }
}
