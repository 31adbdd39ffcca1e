import type { FlowDefinition } from '../../model/definition.ts';
import type { ErrorView } from '../../model/error.ts';
import type { Graph } from '../../model/graph.ts';
import type { Entry, RunEntry, TaskEntry } from '../../model/journal.ts';
import { type Cause, isSettled, type RunStatus, type TaskStatus } from '../../model/status.ts';
import type { TriggerRule } from '../../model/trigger-rule.ts';

/** The state of a task, and how it spent its time. Instants are epoch milliseconds. */
export interface TaskProgress {
  readonly id: string;
  readonly maxAttempts: number;
  readonly triggerRule: TriggerRule;
  readonly optional: boolean;
  status: TaskStatus;
  /** Number of attempts started. */
  attempts: number;
  /** When its rule said run. */
  readyAt?: number;
  /** When its last attempt started. */
  startedAt?: number;
  endedAt?: number;
  /** When its last attempt failed, and when the next is due, while it is `retrying`. */
  failedAt?: number;
  retryAt?: number;
  /** Total time of all ended attempts. */
  ranMs: number;
  /** Time for which it was ready or due, and no slot was free. */
  slotMs: number;
  /** Time between attempts. */
  backoffMs: number;
  /** From 0 to 1, as last reported by the body of this attempt. */
  fraction?: number | undefined;
  note?: string | undefined;
  error?: ErrorView;
  cause?: Cause | undefined;
  because?: string | undefined;
  reason?: unknown;
}

/** The progress of a run: a fold of its events that tracks the tasks under way. */
export class RunProgress {
  readonly flow: string;
  readonly graph: Graph;
  /** In definition order. */
  readonly tasks: readonly TaskProgress[];
  /** In the order in which they started. */
  readonly running = new Set<TaskProgress>();
  readonly retrying = new Set<TaskProgress>();
  /** Tasks that wait for a slot, longest first. */
  readonly ready = new Set<TaskProgress>();
  readonly counts: Record<TaskStatus, number>;
  status: RunStatus = 'running';
  cause?: Cause | undefined;
  reason?: unknown;
  startedAt?: number;
  endedAt?: number;
  #path: readonly TaskProgress[] | undefined;

  constructor({ name, graph, tasks }: Pick<FlowDefinition, 'name' | 'graph' | 'tasks'>) {
    this.flow = name;
    this.graph = graph;
    this.tasks = tasks.map(({ id, retry, triggerRule, optional }) => ({
      id,
      maxAttempts: retry?.maxAttempts ?? 1,
      triggerRule,
      optional,
      status: 'pending',
      attempts: 0,
      ranMs: 0,
      slotMs: 0,
      backoffMs: 0,
    }));
    this.counts = {
      pending: tasks.length,
      running: 0,
      retrying: 0,
      done: 0,
      failed: 0,
      skipped: 0,
      upstream_failed: 0,
      cancelled: 0,
    };
  }

  /** The number of settled tasks. */
  get settled(): number {
    const { pending, running, retrying } = this.counts;
    return this.tasks.length - pending - running - retrying;
  }

  /** The longest path by expected durations, or by number of tasks if none has one. */
  get criticalPath(): readonly TaskProgress[] {
    this.#path ??= this.graph.criticalPath().map((id) => this.task(id));
    return this.#path;
  }

  task(id: string): TaskProgress {
    return this.tasks[this.graph.indexOf(id)] as TaskProgress;
  }

  /** The task's dependencies, in the order of its `dependsOn`. */
  *upstream(task: TaskProgress): Generator<TaskProgress> {
    const { upstreamStart, upstreamList } = this.graph;
    const index = this.graph.indexOf(task.id);
    const end = upstreamStart[index + 1] as number;
    for (let edge = upstreamStart[index] as number; edge < end; edge++) {
      yield this.tasks[upstreamList[edge] as number] as TaskProgress;
    }
  }

  /** Takes the next event of the run. */
  apply(entry: Entry): void {
    if ('taskId' in entry) this.#applyToTask(this.task(entry.taskId), entry);
    else this.#applyToRun(entry);
  }

  #applyToRun(entry: RunEntry): void {
    switch (entry.type) {
      case 'run.started':
        this.startedAt = entry.at;
        return;
      case 'run.paused':
        this.status = 'paused';
        return;
      case 'run.resumed':
        this.status = 'running';
        return;
      case 'run.cancelling':
        this.status = 'cancelling';
        this.cause = entry.cause;
        this.reason = entry.reason;
        return;
      default:
        this.status = entry.type.slice('run.'.length) as RunStatus;
        this.endedAt = entry.at;
        if (entry.type === 'run.failed' && entry.cause !== undefined) this.cause = entry.cause;
        if (entry.type === 'run.failed' && entry.error !== undefined) this.reason = entry.error.message;
    }
  }

  #applyToTask(task: TaskProgress, entry: TaskEntry): void {
    switch (entry.type) {
      case 'task.ready':
        task.readyAt = entry.at;
        this.ready.add(task);
        return;
      case 'task.started':
        this.#start(task, entry.at, entry.attempt);
        return;
      case 'task.progress':
        task.fraction = entry.fraction;
        task.note = entry.note;
        return;
      case 'task.retrying':
        this.#move(task, 'retrying');
        task.ranMs += entry.at - (task.startedAt ?? entry.at);
        task.failedAt = entry.at;
        task.retryAt = entry.retryAt;
        task.error = entry.error;
        return;
      case 'task.rerun':
        this.#move(task, 'pending');
        return;
      default:
        this.#settle(task, entry);
    }
  }

  #start(task: TaskProgress, at: number, attempt: number): void {
    if (task.status === 'retrying') this.#endWait(task, at);
    else task.slotMs += at - (task.readyAt ?? at);
    this.#move(task, 'running');
    task.attempts = attempt;
    task.startedAt = at;
    task.fraction = undefined;
    task.note = undefined;
  }

  #settle(task: TaskProgress, entry: TaskEntry): void {
    const before = task.status;
    const now = entry.type.slice('task.'.length) as TaskStatus;
    this.#move(task, now);
    if (before === 'running') task.ranMs += entry.at - (task.startedAt ?? entry.at);
    if (before === 'retrying') this.#endWait(task, entry.at);
    task.endedAt = entry.at;
    if ('cause' in entry) task.cause = entry.cause;
    if ('because' in entry) task.because = entry.because;
    if ('reason' in entry) task.reason = entry.reason;
    if (entry.type === 'task.failed') task.error = entry.error;
    if (entry.type === 'task.done') delete task.error;
  }

  /** Ends a wait for a retry: time after the attempt was due counts as waiting for a slot, not as backoff. */
  #endWait(task: TaskProgress, at: number): void {
    const due = Math.min(task.retryAt ?? at, at);
    task.backoffMs += due - (task.failedAt ?? due);
    task.slotMs += at - due;
    delete task.failedAt;
    delete task.retryAt;
  }

  #move(task: TaskProgress, to: TaskStatus): void {
    this.counts[task.status]--;
    this.counts[to]++;
    this.ready.delete(task);
    this.running.delete(task);
    this.retrying.delete(task);
    task.status = to;
    if (isSettled(to)) return;
    if (to === 'running') this.running.add(task);
    if (to === 'retrying') this.retrying.add(task);
  }
}
