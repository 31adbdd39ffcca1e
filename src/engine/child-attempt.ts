import { isA } from '../model/check.ts';
import { CancelledError, EngineStoppedError, textOf } from '../model/error.ts';
import type { ParentTask } from '../model/journal.ts';
import { Attempt, type AttemptTask } from './attempt.ts';
import type { RunCommand } from './run-command.ts';

/** The run that is the body of a task, while it is under way. */
export interface ChildRun {
  command(command: RunCommand): void;
  stop(error: unknown): void;
}

/** A task whose body is a run. */
export interface ParentOfChild extends AttemptTask {
  readonly run: AttemptTask['run'] & {
    /** What the runs of its tree share. */
    readonly tree: { passDown(pass: () => void): void };
    beginChild(attempt: ChildAttempt): void;
    /** Has the run of a failed attempt undone. Calls back after that; not if it was stopped. */
    undoChild(attempt: ChildAttempt, done: () => void): void;
  };
  readonly priority: number;
}

/**
 * An attempt of a task whose body is a run: it starts that run or has it continue, and takes its end. It holds no slot.
 * Ended, it has the run cancelled, which the graces of that run's own bodies bound. Ended while the input or the list is still made, it waits for that no longer than its
 * own grace.
 */
export class ChildAttempt extends Attempt {
  declare readonly task: ParentOfChild;
  /** The run, while it is under way. */
  child: ChildRun | undefined;
  /** Whether the user's code makes what the run begins with, and takes its time. */
  isPreparing = false;
  /** What the run knows it by. */
  place: ParentTask | undefined;

  /** In a turn of its own: what the run begins with is kept before any of its bodies is called. */
  override begin(): void {
    const { run } = this.task;
    run.next(() => {
      if (!this.isClosed) run.beginChild(this);
    });
  }

  /** Only the user's code needs one. The run ends within those of its own bodies. */
  protected override startGrace(): void {
    if (this.isPreparing) super.startGrace();
  }

  /** Has its run undone, in place of a retry that will not follow. Calls back after that; not if it was stopped. */
  undo(done: () => void): void {
    this.task.run.undoChild(this, done);
  }

  /** Ends its time limit: its run has ended, and only its undo is under way. */
  closing(): void {
    this.task.run.timers.cancel(this);
  }

  protected override abort(reason: Error): void {
    super.abort(reason);
    this.passOn(reason);
  }

  /** Has its run end for the reason for which the attempt does. */
  passOn(reason: Error): void {
    if (this.child !== undefined) this.task.run.tree.passDown(() => this.#pass(reason));
  }

  #pass(reason: Error): void {
    if (isA(reason, EngineStoppedError)) return this.child?.stop(reason);
    this.child?.command({
      type: 'run.cancel',
      reason: isA(reason, CancelledError) ? (reason as CancelledError).reason : textOf(reason),
      ...(this.place && { parent: this.place }),
    });
  }
}
