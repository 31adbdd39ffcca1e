import { type RunFold, tasksBegunAnew } from './fold.ts';
import type { Entry, TaskEntry } from './journal.ts';
import { isSettled, type SettledStatus } from './status.ts';

/** The place of a span. Instants are epoch milliseconds. */
interface SpanPlace {
  /** The task's place in definition order. */
  readonly task: number;
  /** The number of times that the task began anew before it: by a rerun, or by a change of its flow. */
  readonly life: number;
  /** The attempt that was under way or waited for, from 1 in each life. */
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** An attempt that has ended. */
export interface AttemptSpan extends SpanPlace {
  readonly kind: 'attempt';
  readonly ending: Exclude<SettledStatus, 'upstream_failed'>;
}

/** A span in which no attempt ran to its end. */
export interface WaitSpan extends SpanPlace {
  /**
   * - `slot`: the task was ready or due, and waited for a slot
   * - `backoff`: its last attempt had failed, and the next was not due
   * - `wait`: it waited for a value from outside, or for an instant
   * - `lost`: an attempt that a stop cut short, until it was started again; no entry tells when it was cut
   */
  readonly kind: 'slot' | 'backoff' | 'wait' | 'lost';
}

/** A span of a task's time that is over. */
export type Span = AttemptSpan | WaitSpan;

export function isAttempt(span: Span): span is AttemptSpan {
  return span.kind === 'attempt';
}

/**
 * Folds a run's journal, together with its `RunFold`, to how each task spends its time.
 *
 * It keeps a few numbers for each task. A rerun of a task starts them anew; the spans before and after it differ in
 * their `life`. A task's spans follow one another without gaps, from its `readyAt` to its `endedAt`.
 */
export class TaskTimes {
  readonly #fold: RunFold;
  readonly #since: Float64Array;
  readonly #lives: Int32Array;
  readonly #spentMs: Readonly<Record<Span['kind'], Float64Array>>;

  /** @param fold gets its entries from `apply` alone */
  constructor(fold: RunFold) {
    const { size } = fold.graph;
    this.#fold = fold;
    this.#since = new Float64Array(size).fill(Number.NaN);
    this.#lives = new Int32Array(size);
    this.#spentMs = {
      slot: new Float64Array(size),
      attempt: new Float64Array(size),
      backoff: new Float64Array(size),
      wait: new Float64Array(size),
      lost: new Float64Array(size),
    };
  }

  /** When the task became ready, started, failed an attempt, settled or was rerun last; `undefined` before that. */
  since(task: number): number | undefined {
    const at = this.#since[task] as number;
    return Number.isNaN(at) ? undefined : at;
  }

  /** Total milliseconds of the task's spans of a kind, since its last rerun. Those not yet over do not count. */
  spentMs(task: number, kind: Span['kind']): number {
    return this.#spentMs[kind][task] as number;
  }

  /** Folds the next entry, and returns the spans that it ends, in the order of time. Empty waits are no spans. */
  apply(entry: Entry): readonly Span[] {
    const ended = 'taskId' in entry && entry.type !== 'task.progress' ? this.#applyToTask(entry) : nothing;
    if (entry.type === 'run.flow_changed') {
      for (const task of tasksBegunAnew(this.#fold.graph, entry)) {
        this.#since[task] = Number.NaN;
        this.#restart(task);
      }
    }
    this.#fold.apply(entry);
    return ended;
  }

  #applyToTask(entry: TaskEntry): readonly Span[] {
    const task = this.#fold.graph.indexOf(entry.taskId);
    // A value that comes early ends nothing.
    if (task < 0 || entry.type === 'task.delivered') return nothing;
    const ended = this.#spansEnded(task, entry);
    this.#since[task] = entry.at;
    if (entry.type === 'task.rerun') this.#restart(task);
    for (const { kind, startedAt, endedAt } of ended) {
      const spentMs = this.#spentMs[kind];
      spentMs[task] = (spentMs[task] as number) + endedAt - startedAt;
    }
    return ended;
  }

  /** The spans from the task's last entry to this one, which the fold has not yet got. */
  #spansEnded(task: number, { type, at }: TaskEntry): readonly Span[] {
    const { status, attempts, readyAt, retryAt } = this.#fold.task(task);
    const isOpen = readyAt !== undefined || attempts > 0;
    if (!isOpen || isSettled(status)) return nothing;
    const startedAt = this.#since[task] as number;
    const place = { task, life: this.#lives[task] as number };
    // The fold shows an attempt that was cut short as pending only if it was told of the stop.
    const isLost = status === 'running' ? type === 'task.started' : status === 'pending' && attempts > 0;
    if (isLost) return [{ ...place, kind: 'lost', attempt: attempts, startedAt, endedAt: at }];
    if (status === 'running') {
      const ending = endingBy(type);
      return [{ ...place, kind: 'attempt', attempt: attempts, startedAt, endedAt: at, ending }];
    }
    if (status === 'waiting')
      return at > startedAt
        ? [{ ...place, kind: 'wait', attempt: attempts + 1, startedAt, endedAt: at }]
        : nothing;
    // The time of day may have been set back meanwhile.
    const dueAt = Math.max(Math.min(retryAt ?? startedAt, at), startedAt);
    const attempt = attempts + 1;
    const waits: readonly WaitSpan[] = [
      { ...place, kind: 'backoff', attempt, startedAt, endedAt: dueAt },
      { ...place, kind: 'slot', attempt, startedAt: dueAt, endedAt: at },
    ];
    return waits.filter((wait) => wait.endedAt > wait.startedAt);
  }

  #restart(task: number): void {
    this.#lives[task] = (this.#lives[task] as number) + 1;
    for (const spentMs of Object.values(this.#spentMs)) spentMs[task] = 0;
  }
}

/** How an attempt ended, by the entry of its end: a retry or a settled status that has attempts. */
function endingBy(type: TaskEntry['type']): AttemptSpan['ending'] {
  return type === 'task.retrying' ? 'failed' : (type.slice('task.'.length) as AttemptSpan['ending']);
}

const nothing: readonly never[] = [];
