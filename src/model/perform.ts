import type { ErrorView } from './error.ts';
import type { TaskStatus } from './status.ts';

/** How a dependency stands when a task starts. */
export interface Outcome {
  readonly status: TaskStatus;
  readonly error?: ErrorView | undefined;
}

/** What a body is given. Each part may be taken out by destructuring. */
export interface PerformScope<
  Input = unknown,
  Deps = Record<string, unknown>,
  Outcomes = Record<string, Outcome>,
> {
  /** The run's input, as the flow's schema made it. */
  readonly input: Input;
  /** Outputs of the task's dependencies, by id. */
  readonly deps: Deps;
  /** How each dependency ended, by id. */
  readonly outcomes: Outcomes;
  readonly runId: string;
  readonly taskId: string;
  /** Number of this attempt, from 1. */
  readonly attempt: number;
  /** The same for all attempts of one task of one run, and for no other: for services that can drop repeats. */
  readonly idempotencyKey: string;
  /** Aborted when the attempt is to end early: cancel, time-out or stop; its `reason` says which. */
  readonly signal: AbortSignal;
  /** Writes a line to the engine's logger, marked with run, task and attempt. */
  readonly log: (message: string, data?: unknown) => void;
  /** Tells how far the attempt is, from 0 to 1: a `task.progress` event. */
  readonly progress: (fraction: number, note?: string) => void;
}

/** A task's function. What it returns, or the promise of it, is the task's output. */
export type Perform = (scope: PerformScope) => unknown;

/** What a task does: a function, or an actor of any XState logic with the input it gets. */
export type Body =
  | { readonly kind: 'perform'; readonly perform: Perform }
  | {
      readonly kind: 'actor';
      /** An XState `ActorLogic`; the model knows no more of it. */
      readonly logic: unknown;
      readonly input?: ((scope: PerformScope) => unknown) | undefined;
    };
