import type { AnyActorLogic } from 'xstate';
import type { Outcome, PerformScope, Schema, TaskSettings, TriggerRule } from '../index.ts';

/** A task that was added: gives its output's type to those that depend on it. */
export interface TaskHandle<Id extends string = string, Output = unknown> {
  readonly id: Id;
  /** Carries the type; there is no value. */
  readonly output?: Output;
}

/** A task that another depends on: what `add` or `task` returned, or its id, also of one that is added later. */
export type Dependency = string | TaskHandle;

/** The id of a task that another depends on. */
export type DependencyId<D> = D extends { readonly id: infer Id extends string } ? Id : D & string;

/** The output of a task that another depends on; `unknown` of an id. */
export type DependencyOutput<D> = D extends TaskHandle<string, infer Output> ? Output : unknown;

/** Outputs of tasks, by id. */
export type DependencyOutputs<List extends readonly unknown[]> = {
  readonly [D in List[number] as DependencyId<D>]: DependencyOutput<D>;
};

/** Under `all_success` each output is there; under any other rule each may be missing. */
export type TaskDepsOf<List extends readonly unknown[], Rule> = [Rule] extends ['all_success']
  ? DependencyOutputs<List>
  : Partial<DependencyOutputs<List>>;

/** What the body of a background task is given. */
export type TaskScopeOf<List extends readonly unknown[], Rule> = PerformScope<
  undefined,
  TaskDepsOf<List, Rule>,
  { readonly [D in List[number] as DependencyId<D>]: Outcome }
>;

/** Options of a background task, whatever its body. */
export interface CommonTask<List, Rule> extends Omit<TaskSettings, 'triggerRule' | 'output'> {
  /** Default: none, so that it starts at once. */
  readonly dependsOn?: List | undefined;
  /** When the task may start. Default `all_success`. */
  readonly triggerRule?: Rule | undefined;
}

/** A background task whose body is a function. */
export interface PerformTask<List extends readonly Dependency[], Rule extends TriggerRule, Returned, Output>
  extends CommonTask<List, Rule> {
  /** What the task does. What it returns, or the promise of it, is the task's output. */
  readonly perform: (scope: TaskScopeOf<List, Rule>) => Returned;
  /** Checks what the body returns; dependents get what it makes of it. Default: as returned. */
  readonly output?: Schema<unknown, Output> | undefined;
  readonly actor?: undefined;
  readonly input?: undefined;
}

/** A background task whose body is an actor. */
export interface ActorTask<
  List extends readonly Dependency[],
  Rule extends TriggerRule,
  Logic extends AnyActorLogic,
  Output,
> extends CommonTask<List, Rule> {
  /** Any XState logic: its output is the task's. */
  readonly actor: Logic;
  readonly input?: ((scope: TaskScopeOf<List, Rule>) => unknown) | undefined;
  readonly output?: Schema<unknown, Output> | undefined;
  readonly perform?: undefined;
}
