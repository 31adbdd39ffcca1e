import { findBlockers } from '../model/blockers.ts';
import type { ErrorView, TaskFailure } from '../model/error.ts';
import type { Plan } from '../model/ledger.ts';
import type { Cause, SettledStatus } from '../model/status.ts';

/** The error of a task that was cancelled before a rerun and is not part of it. */
const leftOut: ErrorView = {
  name: 'CancelledError',
  message: 'The task was cancelled before, and is not one of those that were run again',
};

/** The failures of a run's tasks, and which of them count. */
export class Failures {
  readonly #plan: Plan;
  /** In order of failure, optional tasks included. */
  readonly #failed = new Map<number, Omit<TaskFailure, 'taskId'>>();
  readonly #upstreamFailed = new Set<number>();
  /** Thrown errors by task. */
  readonly #thrown = new Map<number, unknown>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** Enters a task that ended neither `done` nor `skipped`. A task cancelled with its run is no failure. */
  add(task: number, status: SettledStatus, error: ErrorView | undefined, cause: Cause | undefined): void {
    if (status === 'upstream_failed') this.#upstreamFailed.add(task);
    else if (status === 'failed' && error !== undefined) this.#failed.set(task, { error, cause });
  }

  /** Enters a task that was cancelled before a rerun: it counts as failed. */
  addLeftOut(task: number, cause: Cause | undefined): void {
    this.#failed.set(task, { error: leftOut, cause });
  }

  /** Stores a thrown error. */
  note(task: number, thrown: unknown): void {
    const { graph, optional } = this.#plan;
    const isLeaf = graph.downstreamStart[task] === graph.downstreamStart[task + 1];
    // An optional task counts only if it blocked others.
    if (optional[task] === 0 || !isLeaf) this.#thrown.set(task, thrown);
  }

  /**
   * Failures of non-optional tasks, and of optional tasks that blocked non-optional ones; with the first error as
   * thrown.
   */
  thatCount(): { readonly failures: readonly TaskFailure[]; readonly thrown: unknown } {
    const { graph, optional } = this.#plan;
    const blockers = findBlockers(this.#plan, this.#failed, this.#upstreamFailed);
    const failures: TaskFailure[] = [];
    let thrown: unknown;
    for (const [task, failure] of this.#failed) {
      const blocked = blockers.get(task);
      if (optional[task] === 1 && blocked === undefined) continue;
      thrown ??= this.#thrown.get(task);
      const taskId = graph.ids[task] as string;
      const effect = blocked === undefined ? undefined : { blocked: graph.ids[blocked] as string };
      failures.push({ taskId, ...failure, ...effect });
    }
    return { failures, thrown };
  }
}
