import type { AttemptRun, AttemptTask } from './attempt.ts';

/** What a task without an attempt is doing: its condition is asked, or it waits. */
export interface Pending {
  /** Begins it, once. Must not throw. */
  begin(): void;
  /** Ends it: no answer is taken any more. */
  stop(): void;
}

/** A task that has a condition, or waits. */
export interface PendingTask extends Pick<AttemptTask, 'index' | 'definition' | 'send'> {
  readonly run: AttemptRun & {
    /** Whether it is being cancelled or is out of time: each task is about to be cancelled. */
    readonly isEnding: boolean;
    /** Resolves once everything recorded so far is kept. */
    whenKept(): Promise<void>;
    /** The value that has come for a task; `undefined` if none has. */
    deliveryFor(index: number): { readonly value: unknown } | undefined;
  };
  /** Takes a value that has come for it. */
  delivered(at: number, output: unknown): void;
}

/** Asks conditions, and knows until when tasks wait. Loaded with the first of these. */
export interface Waits {
  /** The condition of a task, to be asked by `begin`. */
  ask(task: PendingTask): Pending;
  /** Until when a task waits: to be found by `begin`, which tells it. */
  plan(task: PendingTask, readyAt: number): Pending;
  /** Has a task wait until an instant; `undefined` for as long as it takes. */
  until(task: PendingTask, at: number | undefined): Pending;
}
