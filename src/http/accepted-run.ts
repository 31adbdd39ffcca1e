import type { Run } from '../index.ts';
import { isSettled } from '../model/status.ts';
import type { Batch } from './batch.ts';
import type { PendingRun } from './pending.ts';

/** Accepted work, from the moment when its first task was added. */
export class AcceptedRun implements PendingRun {
  static #count = 0;
  readonly number = ++AcceptedRun.#count;
  /** Empty until it is known. */
  id: string;
  readonly flow: string;
  /** Its tasks, if they are functions. */
  readonly batch: Batch | undefined;
  /** Reason why it was cancelled, once it was. */
  cancelled: string | undefined;
  readonly #onCancel: ((reason: string) => void) | undefined;
  #run: Run | undefined;

  /** @param onCancel called if it is cancelled before it runs */
  constructor(id: string, flow: string, batch?: Batch, onCancel?: (reason: string) => void) {
    this.id = id;
    this.flow = flow;
    this.batch = batch;
    this.#onCancel = onCancel;
  }

  get isRecoverable(): boolean {
    return this.batch === undefined;
  }

  /** Tells it that its run has started, perhaps paused. */
  began(run: Run): void {
    this.#run = run;
    if (this.cancelled !== undefined) run.cancel(this.cancelled);
  }

  unsettled(): readonly string[] {
    if (this.#run === undefined) return this.batch?.ids ?? [];
    const tasks = Object.entries(this.#run.view().tasks);
    return tasks.filter(([, { status }]) => !isSettled(status)).map(([id]) => id);
  }

  cancel(reason: string): void {
    if (this.cancelled !== undefined) return;
    this.cancelled = reason;
    if (this.#run === undefined) this.#onCancel?.(reason);
    else this.#run.cancel(reason);
  }
}
