import type { ErrorView } from './error.ts';
import type { Cause } from './status.ts';

/**
 * Version of the entries' form, stored in each `run.started`: the first that reads them right. Version 2 knows child runs,
 * and escapes the ids of tasks in keys. Version 3 knows tasks that wait, and conditions.
 */
export type JournalVersion = 1 | 2 | 3;

/** The newest version. */
export const journalVersion: JournalVersion = 3;

/** The versions that can be read. */
export const journalVersions: readonly JournalVersion[] = [1, 2, 3];

/** The task whose body a run is, in the meaning and the attempt for which it runs. */
export interface ParentTask {
  readonly runId: string;
  readonly taskId: string;
  /** From 1: a new one begins where the task means something else, as in a rerun. */
  readonly life: number;
  readonly attempt: number;
  /** How often a retry of a run above has had the task run again in this life. Default 0. */
  readonly round?: number | undefined;
}

/** Options of one run, besides its flow. */
export interface RunSettings {
  /** Maximum number of attempts at the same time. Default: the flow's. */
  readonly concurrency?: number | undefined;
  /** Limits the run from its start, in milliseconds. Default: the flow's. */
  readonly totalTimeoutMs?: number | undefined;
  /** Whether a recovery resumes the run if it is paused and never was resumed. Default false. */
  readonly resumesWhenRecovered?: boolean | undefined;
  /** Sends the run's events to its parent if the run is an actor. Default: the flow's. */
  readonly forwardEvents?: boolean | undefined;
}

/** The tasks of a child run: all, and those that have settled, by their status. */
export interface ChildCounts {
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  readonly upstream_failed: number;
  readonly cancelled: number;
}

/** What the end of a task whose body is a run, or of its attempt, says of that run. */
export interface ChildEnd {
  readonly child?: ChildCounts | undefined;
}

/** A fact reported by a task's machine. */
export type TaskFact =
  /** Its trigger rule said run: it waits for a slot. */
  | { readonly type: 'task.ready'; readonly at: number }
  /** It waits: for an instant, or for a value from outside. */
  | {
      readonly type: 'task.waiting';
      readonly at: number;
      /** Of a sleep: when it ends. */
      readonly until?: number | undefined;
      /** Of a wait for a value: when its time is over. Without it, it waits for as long as it takes. */
      readonly timeoutAt?: number | undefined;
    }
  /** An attempt began. */
  | { readonly type: 'task.started'; readonly at: number; readonly attempt: number }
  /** Its body reported progress. */
  | {
      readonly type: 'task.progress';
      readonly at: number;
      readonly attempt: number;
      /** From 0 to 1. */
      readonly fraction: number;
      readonly note?: string | undefined;
    }
  /** An attempt failed, and another will follow. */
  | ({
      readonly type: 'task.retrying';
      readonly at: number;
      /** The attempt that failed. */
      readonly attempt: number;
      /** When the next is due. */
      readonly retryAt: number;
      readonly error: ErrorView;
    } & ChildEnd)
  /** It settled: its body returned. */
  | ({
      readonly type: 'task.done';
      readonly at: number;
      readonly attempt: number;
      readonly output: unknown;
      /** Where its end was copied from an earlier run: the id of its child run, which is below that one. */
      readonly childRunId?: string | undefined;
    } & ChildEnd)
  /** It settled: its last attempt failed, or its time limit passed. */
  | ({
      readonly type: 'task.failed';
      readonly at: number;
      readonly attempt: number;
      readonly error: ErrorView;
      readonly cause: Cause;
    } & ChildEnd)
  /** It settled: by its trigger rule or its condition, because its body threw `SkipTask`, or its wait timed out. */
  | {
      readonly type: 'task.skipped';
      readonly at: number;
      readonly attempt: number;
      /** `rule`, `condition` or `timeout` if one of these said so; absent if the task skipped itself. */
      readonly cause?: Cause | undefined;
      /** The reason given by the task. */
      readonly reason?: unknown;
      /** The dependency whose ending decided it. */
      readonly because?: string | undefined;
    }
  /** It settled without an attempt, because a dependency failed. */
  | {
      readonly type: 'task.upstream_failed';
      readonly at: number;
      readonly cause: Cause;
      readonly because?: string | undefined;
    }
  /** It settled, because the run ended early. */
  | ({
      readonly type: 'task.cancelled';
      readonly at: number;
      readonly attempt: number;
      readonly cause: Cause;
      readonly reason?: unknown;
    } & ChildEnd);

/** A fact reported by the orchestrator. */
export type RunFact =
  /** The input was accepted. */
  | {
      readonly type: 'run.started';
      readonly at: number;
      readonly version: number;
      readonly flow: string;
      readonly flowHash: string;
      readonly input: unknown;
      /** The options of this run. */
      readonly settings?: RunSettings | undefined;
      /** Of a child run. */
      readonly parent?: ParentTask | undefined;
      /** The run from which it has what is done already. */
      readonly continues?: string | undefined;
    }
  /** No attempt starts until the run is resumed. */
  | { readonly type: 'run.paused'; readonly at: number }
  /** Attempts may start again. */
  | { readonly type: 'run.resumed'; readonly at: number }
  /** It was cancelled, is out of time, or its input was refused. It settles once all attempts have ended. */
  | {
      readonly type: 'run.cancelling';
      readonly at: number;
      readonly cause: Cause;
      readonly reason?: unknown;
      /** Of a child run that ends because the attempt of its parent's task does. */
      readonly parent?: ParentTask | undefined;
    }
  /** It settled: every task that is not optional is done or skipped. */
  | { readonly type: 'run.done'; readonly at: number; readonly output: unknown }
  /** It settled: a task that is not optional failed or could not run, or the run failed as a whole. */
  | {
      readonly type: 'run.failed';
      readonly at: number;
      readonly cause?: Cause | undefined;
      readonly error?: ErrorView | undefined;
    }
  /** It settled after it was cancelled. */
  | { readonly type: 'run.cancelled'; readonly at: number; readonly reason?: unknown };

/** A value from outside has come for a task that waits for one, perhaps before it is ready. */
export interface TaskDelivered {
  readonly type: 'task.delivered';
  readonly at: number;
  /** The value as its schema returned it: the output of the task. */
  readonly value: unknown;
  /** What the sender knows the delivery by; repeated, it is the same delivery. */
  readonly key?: string | undefined;
}

/** A settled task that runs again. */
export interface TaskRerun {
  readonly type: 'task.rerun';
  readonly at: number;
  /** In a child run: the attempt of its parent's task that repeats what is not done. */
  readonly parent?: ParentTask | undefined;
  /** Of a task whose body is a run: its next run begins with what is done in the last one. Default: with nothing. */
  readonly keepsDone?: boolean | undefined;
  /** Of a task whose body is a run: its life stays, so what is not done in its run runs again there. Default: a new life. */
  readonly keepsLife?: boolean | undefined;
}

/** An unsettled run goes on with another version of its flow. Settled tasks that both versions have stay as they are. */
export interface FlowChange {
  readonly type: 'run.flow_changed';
  readonly at: number;
  /** The hash of the new version. */
  readonly flowHash: string;
  /** How it differs from the version before, in words; empty if that was not known any more. */
  readonly changes: readonly string[];
  /** Tasks with entries that the new version lacks. Should a later version have one again, it begins anew. */
  readonly dropped: readonly string[];
  /** Unsettled tasks that had been ready and now wait for other dependencies: they begin anew. */
  readonly waiting: readonly string[];
}

/** The place of an entry. */
export interface Stamp {
  /** From 1, without gaps, across all reruns of the run. */
  readonly seq: number;
  readonly runId: string;
}

/** A stored fact about a task. */
export type TaskEntry = (TaskFact | TaskDelivered | TaskRerun) & Stamp & { readonly taskId: string };

/** A stored fact about a run. */
export type RunEntry = (RunFact | FlowChange) & Stamp;

/** A stored fact, which is also the event that listeners get. The journal of a run is its entries in `seq` order. */
export type Entry = TaskEntry | RunEntry;
