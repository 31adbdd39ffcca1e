import { findBlockers } from '../model/blockers.ts';
import type { ErrorView, TaskFailure } from '../model/error.ts';
import type { Plan } from '../model/ledger.ts';
import type { Cause, SettledStatus } from '../model/status.ts';

/** Of a task that was cancelled in an earlier life of its run, and is none of those that run again. */
const leftOut: ErrorView = {
  name: 'CancelledError',
  message: 'The task was cancelled before, and is not one of those that were run again',
};

/** What went wrong with the tasks of a run, and which of it counts. */
export class Failures {
  readonly #plan: Plan;
  /** Optional tasks too, first failure first. */
  readonly #failed = new Map<number, Omit<TaskFailure, 'taskId'>>();
  readonly #upstreamFailed = new Set<number>();
  /** As it was thrown, by task. */
  readonly #thrown = new Map<number, unknown>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** Enters a task that ended neither `done` nor `skipped`. One that is being cancelled with its run is no failure. */
  add(task: number, status: SettledStatus, error: ErrorView | undefined, cause: Cause | undefined): void {
    if (status === 'upstream_failed') this.#upstreamFailed.add(task);
    else if (status === 'failed' && error !== undefined) this.#failed.set(task, { error, cause });
  }

  /** Enters a task that was cancelled in an earlier life of its run: it counts as failed. */
  addLeftOut(task: number, cause: Cause | undefined): void {
    this.#failed.set(task, { error: leftOut, cause });
  }

  /** Keeps what a task threw. */
  note(task: number, thrown: unknown): void {
    const { graph, optional } = this.#plan;
    const isLeaf = graph.downstreamStart[task] === graph.downstreamStart[task + 1];
    // Of an optional task it only counts if it kept others from running.
    if (optional[task] === 0 || !isLeaf) this.#thrown.set(task, thrown);
  }

  /**
   * Failures of tasks that are not optional, and of optional ones that kept such tasks from running; with the first
   * that was thrown, as it was thrown.
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
