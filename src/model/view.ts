import type { ErrorView } from './error.ts';
import type { ChildCounts } from './journal.ts';
import type { Cause, RunStatus, TaskStatus } from './status.ts';

/** The child run of a task whose body is a run. */
export interface ChildView {
  readonly runId: string;
  /** Its tasks by how they ended: up to now while it is under way here; as it ended, once its task has settled. */
  readonly counts?: ChildCounts | undefined;
}

/** A value from outside that came for a task. */
export interface DeliveryView {
  readonly at: number;
  /** What the sender knows it by. */
  readonly key?: string | undefined;
  /** Until the task has settled: then it is its output. */
  readonly value?: unknown;
}

/** A task of a run, as shown at edges. Instants are epoch milliseconds. */
export interface TaskView {
  readonly status: TaskStatus;
  /** The number of attempts started. */
  readonly attempts: number;
  /** When its trigger rule said run. */
  readonly readyAt?: number | undefined;
  /** When its first attempt started. */
  readonly startedAt?: number | undefined;
  /** When it settled. */
  readonly endedAt?: number | undefined;
  /** When its next attempt is due, while it is `retrying`. */
  readonly retryAt?: number | undefined;
  /** When its sleep ends, while it is `waiting`. */
  readonly until?: number | undefined;
  /** When its time to wait for a value is over, while it is `waiting`. */
  readonly timeoutAt?: number | undefined;
  /** The value that came for it, perhaps before it was ready. */
  readonly delivery?: DeliveryView | undefined;
  readonly output?: unknown;
  /** The error of its last failed attempt, unless it is done. */
  readonly error?: ErrorView | undefined;
  readonly cause?: Cause | undefined;
  readonly dependsOn: readonly string[];
  /** Its child run, once that may have started. */
  readonly child?: ChildView | undefined;
}

/** A run, as shown at edges: a fold of its journal, and plain data. Instants are epoch milliseconds. */
export interface RunView {
  readonly id: string;
  readonly flow: string;
  readonly status: RunStatus;
  readonly cause?: Cause | undefined;
  readonly reason?: unknown;
  /** `null` until the input is accepted. */
  readonly startedAt: number | null;
  /** `null` until the run settles. */
  readonly endedAt: number | null;
  readonly tasks: { readonly [taskId: string]: TaskView };
}
