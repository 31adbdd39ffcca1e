import type { ErrorView } from './error.ts';
import type { TaskStatus } from './status.ts';

/** The ending of a dependency, when a task starts. */
export interface Outcome {
  readonly status: TaskStatus;
  readonly error?: ErrorView | undefined;
}

/** The argument of a body. Each part may be destructured. */
export interface PerformScope<
  Input = unknown,
  Deps = Record<string, unknown>,
  Outcomes = Record<string, Outcome>,
> {
  /** The run's input, as returned by the flow's schema. */
  readonly input: Input;
  /** Outputs of the task's dependencies, by id. */
  readonly deps: Deps;
  /** The ending of each dependency, by id. */
  readonly outcomes: Outcomes;
  readonly runId: string;
  readonly taskId: string;
  /** Number of this attempt, from 1. */
  readonly attempt: number;
  /** The same for all attempts of one task of one run, and for no other: for services that drop repeats. */
  readonly idempotencyKey: string;
  /** Aborted when the attempt must end early: cancel, time-out or stop; its `reason` tells which. */
  readonly signal: AbortSignal;
  /** Writes a line to the engine's logger, marked with run, task and attempt. */
  readonly log: (message: string, data?: unknown) => void;
  /** Reports the attempt's progress, from 0 to 1, as a `task.progress` event. */
  readonly progress: (fraction: number, note?: string) => void;
}

/** The argument of a condition, and of a function that says until when a task sleeps. */
export type WaitScope<
  Input = unknown,
  Deps = Record<string, unknown>,
  Outcomes = Record<string, Outcome>,
> = Pick<PerformScope<Input, Deps, Outcomes>, 'input' | 'deps' | 'outcomes' | 'runId' | 'taskId'>;

/** The argument of a condition. */
export interface ConditionScope<
  Input = unknown,
  Deps = Record<string, unknown>,
  Outcomes = Record<string, Outcome>,
> extends WaitScope<Input, Deps, Outcomes> {
  /** Aborted when the answer is no longer wanted: cancel, time-out or stop. */
  readonly signal: AbortSignal;
}

/** Says whether a task is to run. */
export type Condition<Scope = ConditionScope, Answer = boolean | PromiseLike<boolean>> = (
  scope: Scope,
) => Answer;

/** The argument of the body of a map's item. */
export interface ItemScope<
  Item = unknown,
  Input = unknown,
  Deps = Record<string, unknown>,
  Outcomes = Record<string, Outcome>,
> extends PerformScope<Input, Deps, Outcomes> {
  readonly item: Item;
  /** Its place in the list, from 0; as text, the item's `taskId`. */
  readonly index: number;
}

/** A task's function. The value that it returns, or its promise resolves to, is the task's output. */
export type Perform = (scope: PerformScope) => unknown;

/** A body that takes a slot while it runs: a function, or an actor of any XState logic with its input. */
export type Body =
  | { readonly kind: 'perform'; readonly perform: Perform }
  | {
      readonly kind: 'actor';
      /** An XState `ActorLogic`, opaque to the model. */
      readonly logic: unknown;
      readonly input?: ((scope: PerformScope) => unknown) | undefined;
    };
