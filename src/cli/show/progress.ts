import type { FlowDefinition, TaskBody, TaskDefinition } from '../../model/definition.ts';
import type { ErrorView } from '../../model/error.ts';
import { RunFold, tasksBegunAnew } from '../../model/fold.ts';
import type { Graph } from '../../model/graph.ts';
import type { Entry, TaskEntry } from '../../model/journal.ts';
import type { Plan } from '../../model/ledger.ts';
import type { Cause, RunStatus, TaskStatus } from '../../model/status.ts';
import { TaskTimes } from '../../model/task-times.ts';
import type { TriggerRule } from '../../model/trigger-rule.ts';
import type { RunView, TaskView } from '../../model/view.ts';
import { ChildProgress } from './child-progress.ts';

/** The state of a task since its last rerun, and how it spent its time. Instants are epoch milliseconds. */
export class TaskProgress {
  readonly id: string;
  readonly maxAttempts: number;
  readonly triggerRule: TriggerRule;
  readonly optional: boolean;
  /** From 0 to 1, as last reported by the body of this attempt. */
  fraction?: number | undefined;
  note?: string | undefined;
  /** The dependency whose ending decided that it does not run. */
  because?: string | undefined;
  reason?: unknown;
  /** If its body is a run, once that has started. */
  child?: ChildProgress | undefined;
  readonly #body: TaskBody;
  readonly #task: number;
  readonly #fold: RunFold;
  readonly #times: TaskTimes;

  constructor(
    { id, retry, triggerRule, optional, body }: TaskDefinition,
    task: number,
    fold: RunFold,
    times: TaskTimes,
  ) {
    this.id = id;
    this.#body = body;
    this.maxAttempts = retry?.maxAttempts ?? 1;
    this.triggerRule = triggerRule;
    this.optional = optional;
    this.#task = task;
    this.#fold = fold;
    this.#times = times;
  }

  get status(): TaskStatus {
    return this.#view.status;
  }

  /** Number of attempts started. */
  get attempts(): number {
    return this.#view.attempts;
  }

  /** When its rule said run. */
  get readyAt(): number | undefined {
    return this.#view.readyAt;
  }

  /** When it became ready, started its last attempt, failed or settled, whichever was last. */
  get since(): number | undefined {
    return this.#times.since(this.#task);
  }

  get endedAt(): number | undefined {
    return this.#view.endedAt;
  }

  /** When its next attempt is due, while it is `retrying`. */
  get retryAt(): number | undefined {
    return this.#view.retryAt;
  }

  /** When its sleep ends, while it is `waiting`. */
  get until(): number | undefined {
    return this.#view.until;
  }

  /** When its time to wait for a value is over, while it is `waiting`. */
  get timeoutAt(): number | undefined {
    return this.#view.timeoutAt;
  }

  /** Total time of all ended attempts. */
  get ranMs(): number {
    return this.#times.spentMs(this.#task, 'attempt');
  }

  /** Time for which it was ready or due, and no slot was free. */
  get slotMs(): number {
    return this.#times.spentMs(this.#task, 'slot');
  }

  /** Time between attempts. */
  get backoffMs(): number {
    return this.#times.spentMs(this.#task, 'backoff');
  }

  get error(): ErrorView | undefined {
    return this.#view.error;
  }

  get cause(): Cause | undefined {
    return this.#view.cause;
  }

  get #view(): TaskView {
    return this.#fold.task(this.#task);
  }

  /** Takes an entry of the run that is its body. */
  applyToChild(entry: Entry): void {
    if (entry.type === 'run.started') this.child = new ChildProgress(totalOf(this.#body, entry.input));
    else this.child?.apply(entry);
  }

  /** Takes the parts of an entry that no view shows. */
  apply(entry: TaskEntry): void {
    switch (entry.type) {
      case 'task.progress':
        this.fraction = entry.fraction;
        this.note = entry.note;
        return;
      case 'task.started':
      case 'task.rerun':
        this.fraction = this.note = this.because = this.reason = undefined;
        return;
    }
    if ('because' in entry) this.because = entry.because;
    if ('reason' in entry) this.reason = entry.reason;
  }
}

/** The progress of a run: a fold of its events that tracks the tasks under way. */
export class RunProgress {
  readonly flow: string;
  readonly graph: Graph;
  readonly plan: Plan;
  /** In definition order. */
  readonly tasks: readonly TaskProgress[];
  /** In the order in which they started. */
  readonly running = new Set<TaskProgress>();
  readonly retrying = new Set<TaskProgress>();
  /** Tasks that wait for a value or an instant, longest first. */
  readonly waiting = new Set<TaskProgress>();
  /** Tasks that wait for a slot, longest first. */
  readonly ready = new Set<TaskProgress>();
  readonly counts: Record<TaskStatus, number>;
  readonly #fold: RunFold;
  readonly #times: TaskTimes;
  #path: readonly TaskProgress[] | undefined;

  constructor(definition: FlowDefinition) {
    const { name, graph, tasks, plan } = definition;
    this.flow = name;
    this.graph = graph;
    this.plan = plan;
    // There is no run yet, and its id is not shown.
    this.#fold = new RunFold('', definition);
    this.#times = new TaskTimes(this.#fold);
    this.tasks = tasks.map((task, index) => new TaskProgress(task, index, this.#fold, this.#times));
    this.counts = {
      pending: tasks.length,
      waiting: 0,
      running: 0,
      retrying: 0,
      done: 0,
      failed: 0,
      skipped: 0,
      upstream_failed: 0,
      cancelled: 0,
    };
  }

  get status(): RunStatus {
    return this.#fold.status;
  }

  get cause(): Cause | undefined {
    return this.#fold.run.cause;
  }

  get reason(): unknown {
    return this.#fold.run.reason;
  }

  get startedAt(): RunView['startedAt'] {
    return this.#fold.run.startedAt;
  }

  get endedAt(): RunView['endedAt'] {
    return this.#fold.run.endedAt;
  }

  /** The number of settled tasks. */
  get settled(): number {
    const { pending, waiting, running, retrying } = this.counts;
    return this.tasks.length - pending - waiting - running - retrying;
  }

  /** The longest path by expected durations, or by number of tasks if none has one. */
  get criticalPath(): readonly TaskProgress[] {
    this.#path ??= this.graph.criticalPath().map((id) => this.task(id));
    return this.#path;
  }

  /** Whether it is a task of the flow: entries before a change of the flow may be of others. */
  has(id: string): boolean {
    return this.graph.indexOf(id) >= 0;
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

  /** Takes the next event of a run below. `path` leads to it. */
  applyBelow(path: readonly string[], entry: Entry): void {
    const [id = ''] = path;
    if (path.length === 1 && this.has(id)) this.task(id).applyToChild(entry);
  }

  /** Takes the next event of the run. */
  apply(entry: Entry): void {
    if ('taskId' in entry && this.has(entry.taskId)) this.#applyToTask(this.task(entry.taskId), entry);
    else if (entry.type === 'run.flow_changed') this.#changeFlow(entry);
    else this.#times.apply(entry);
  }

  #changeFlow(entry: Extract<Entry, { type: 'run.flow_changed' }>): void {
    const anew = Array.from(tasksBegunAnew(this.graph, entry), (task) => this.tasks[task] as TaskProgress);
    const before = anew.map(({ status }) => status);
    this.#times.apply(entry);
    for (const [index, task] of anew.entries()) this.#move(task, before[index] as TaskStatus);
  }

  #applyToTask(task: TaskProgress, entry: TaskEntry): void {
    const before = task.status;
    this.#times.apply(entry);
    task.apply(entry);
    if (entry.type !== 'task.progress') this.#move(task, before);
  }

  #move(task: TaskProgress, from: TaskStatus): void {
    const { status } = task;
    this.counts[from]--;
    this.counts[status]++;
    this.ready.delete(task);
    this.running.delete(task);
    this.retrying.delete(task);
    this.waiting.delete(task);
    if (status === 'running') this.running.add(task);
    if (status === 'retrying') this.retrying.add(task);
    if (status === 'waiting') this.waiting.add(task);
    if (status === 'pending' && task.readyAt !== undefined) this.ready.add(task);
  }
}

/** The number of tasks of the run that is a body. */
function totalOf(body: TaskBody, input: unknown): number {
  if (body.kind === 'flow') return body.flow.tasks.length;
  return Array.isArray(input) ? input.length : 0;
}
