import type { ErrorView } from './error.ts';
import type { Cause } from './status.ts';

/** Version of the entries' form. Stands in each `run.started`; raised when an old reader would misread a new entry. */
export const journalVersion = 1;

/** What may be said of one run beside its flow. */
export interface RunSettings {
  /** Attempts at the same time. Default: the flow's. */
  readonly concurrency?: number | undefined;
  /** Bounds the run from its start, in milliseconds. Default: the flow's. */
  readonly totalTimeoutMs?: number | undefined;
  /** As an actor, sends its events to its parent. Default: the flow's. */
  readonly forwardEvents?: boolean | undefined;
}

/** What a task's machine says happened. */
export type TaskFact =
  /** Its trigger rule said run: it waits for a slot. */
  | { readonly type: 'task.ready'; readonly at: number }
  /** An attempt began. */
  | { readonly type: 'task.started'; readonly at: number; readonly attempt: number }
  /** Its body said how far it is. */
  | {
      readonly type: 'task.progress';
      readonly at: number;
      readonly attempt: number;
      /** From 0 to 1. */
      readonly fraction: number;
      readonly note?: string | undefined;
    }
  /** An attempt failed, and another will be made. */
  | {
      readonly type: 'task.retrying';
      readonly at: number;
      /** The attempt that failed. */
      readonly attempt: number;
      /** When the next is due. */
      readonly retryAt: number;
      readonly error: ErrorView;
    }
  /** It settled: its body returned. */
  | { readonly type: 'task.done'; readonly at: number; readonly attempt: number; readonly output: unknown }
  /** It settled: its last attempt failed, or its time was over. */
  | {
      readonly type: 'task.failed';
      readonly at: number;
      readonly attempt: number;
      readonly error: ErrorView;
      readonly cause: Cause;
    }
  /** It settled: by its trigger rule, or since its body threw `SkipTask`. */
  | {
      readonly type: 'task.skipped';
      readonly at: number;
      readonly attempt: number;
      /** `rule` where its trigger rule said so; absent where the task skipped itself. */
      readonly cause?: Cause | undefined;
      /** What the task said of it. */
      readonly reason?: unknown;
      /** The dependency whose ending decided it. */
      readonly because?: string | undefined;
    }
  /** It settled without a try, since a dependency failed. */
  | {
      readonly type: 'task.upstream_failed';
      readonly at: number;
      readonly cause: Cause;
      readonly because?: string | undefined;
    }
  /** It settled, since the run ended early. */
  | {
      readonly type: 'task.cancelled';
      readonly at: number;
      readonly attempt: number;
      readonly cause: Cause;
      readonly reason?: unknown;
    };

/** What the orchestrator says happened. */
export type RunFact =
  /** The input was accepted. */
  | {
      readonly type: 'run.started';
      readonly at: number;
      readonly version: number;
      readonly flow: string;
      readonly flowHash: string;
      readonly input: unknown;
      /** What was said of this run beside its flow. */
      readonly settings?: RunSettings | undefined;
    }
  /** No attempt starts from now on. */
  | { readonly type: 'run.paused'; readonly at: number }
  /** Attempts may start again. */
  | { readonly type: 'run.resumed'; readonly at: number }
  /** It was cancelled, is out of time, or its input was refused: it ends when all attempts have. */
  | {
      readonly type: 'run.cancelling';
      readonly at: number;
      readonly cause: Cause;
      readonly reason?: unknown;
    }
  /** It settled: every task that is not optional is done or was skipped. */
  | { readonly type: 'run.done'; readonly at: number; readonly output: unknown }
  /** It settled: a task that is not optional failed or could not run, or the run failed as a whole. */
  | {
      readonly type: 'run.failed';
      readonly at: number;
      readonly cause?: Cause | undefined;
      readonly error?: ErrorView | undefined;
    }
  /** It settled after someone had cancelled it. */
  | { readonly type: 'run.cancelled'; readonly at: number; readonly reason?: unknown };

/** A settled task that runs again. */
export interface TaskRerun {
  readonly type: 'task.rerun';
  readonly at: number;
}

/** Where an entry stands. */
export interface Stamp {
  /** From 1, without gaps, over all reruns of the run. */
  readonly seq: number;
  readonly runId: string;
}

/** A stored fact about a task. */
export type TaskEntry = (TaskFact | TaskRerun) & Stamp & { readonly taskId: string };

/** A stored fact about a run. */
export type RunEntry = RunFact & Stamp;

/** A stored fact, which is also the event that listeners get: the journal of a run is its entries in `seq` order. */
export type Entry = TaskEntry | RunEntry;
