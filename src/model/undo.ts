import { badOption, boundRule, checkKeys, checkNumber, type Place } from './check.ts';
import type { UndoScope } from './perform.ts';
import { checkRetry, type RetryPolicy } from './retry.ts';

/** When there is something to undo. */
export type UndoAfter = 'done' | 'started';

/**
 * How a task is undone, once its run ends `failed` or `cancelled`: a function, or one with options.
 *
 * @typeParam Scope what it is called with if the task is done
 */
export type Compensate<Scope extends { readonly output: unknown } = UndoScope, After = 'done'> =
  | ((scope: Scope) => unknown)
  | CompensateOptions<Scope, After>;

/** The undo of a task, with options. Durations are in milliseconds. */
export interface CompensateOptions<Scope extends { readonly output: unknown }, After> {
  /** Undoes what the task did. What it returns is of no account. */
  readonly perform: (scope: [After] extends ['started'] ? MayLackOutput<Scope> : Scope) => unknown;
  /** Default: one attempt. */
  readonly retry?: RetryPolicy | undefined;
  /** Limits one attempt, from its start. Default: no limit. */
  readonly timeoutMs?: number | undefined;
  /**
   * `started`: also if an attempt failed, was cancelled or cut short, since what it did may have happened. Default `done`:
   * only if the task is done.
   */
  readonly after?: After | undefined;
}

/** The scope of an undo whose task may have no output. */
export type MayLackOutput<Scope extends { readonly output: unknown }> = Omit<Scope, 'output'> & {
  readonly output: Scope['output'] | undefined;
};

/** The undo of a task as the engine reads it: checked, with defaults filled in. */
export interface UndoDefinition {
  readonly perform: (scope: UndoScope) => unknown;
  readonly retry: RetryPolicy | undefined;
  readonly timeoutMs: number | undefined;
  readonly after: UndoAfter;
}

const undoKeys: ReadonlySet<string> = new Set(['perform', 'retry', 'timeoutMs', 'after']);

/** Checks the option `compensate` of a task. Throws FlowError. */
export function readUndo(place: Place, given: unknown): UndoDefinition | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'function')
    return { perform: given as never, retry: undefined, timeoutMs: undefined, after: 'done' };
  if (typeof given !== 'object' || given === null)
    throw badOption(place, 'a function, or an object with `perform`', given);
  checkKeys(place, given, undoKeys);
  const {
    perform,
    retry,
    timeoutMs,
    after = 'done',
  } = given as Partial<CompensateOptions<UndoScope, UndoAfter>>;
  const inside = (option: string): Place => ({ ...place, option: `${place.option}.${option}` });
  if (typeof perform !== 'function') throw badOption(inside('perform'), 'a function', perform);
  if (timeoutMs !== undefined) checkNumber(inside('timeoutMs'), timeoutMs, boundRule);
  if (after !== 'done' && after !== 'started') throw badOption(inside('after'), '`done` or `started`', after);
  const policy = retry === undefined ? undefined : checkRetry(place.taskId ?? '', retry, place.flow);
  return { perform, retry: policy, timeoutMs, after };
}

/** The same undo, which undoes nothing: of a task whose body was replaced, and so did nothing either. */
export function withoutEffect(undo: UndoDefinition | undefined): UndoDefinition | undefined {
  return undo && { ...undo, perform: () => undefined };
}
