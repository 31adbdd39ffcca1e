import type { AnyActorLogic } from 'xstate';
import type { Outcome, PerformScope, Schema, TaskSettings, TriggerRule } from '../index.ts';

/** A task that was added; it carries the type of its output to its dependents. */
export interface TaskHandle<Id extends string = string, Output = unknown> {
  readonly id: Id;
  /** Carries the type; there is no value. */
  readonly output?: Output;
}

/** A dependency: the handle that `add` or `task` returned, or an id, also of a task that is added later. */
export type Dependency = string | TaskHandle;

/** The id of a dependency. */
export type DependencyId<D> = D extends { readonly id: infer Id extends string } ? Id : D & string;

/** The output of a dependency; `unknown` for an id. */
export type DependencyOutput<D> = D extends TaskHandle<string, infer Output> ? Output : unknown;

/** Outputs of dependencies, by id. */
export type DependencyOutputs<List extends readonly unknown[]> = {
  readonly [D in List[number] as DependencyId<D>]: DependencyOutput<D>;
};

/** The `deps` of a body: under `all_success` each output is there, under any other rule each may be missing. */
export type TaskDepsOf<List extends readonly unknown[], Rule> = [Rule] extends ['all_success']
  ? DependencyOutputs<List>
  : Partial<DependencyOutputs<List>>;

/** The argument of a background task's body. */
export type TaskScopeOf<List extends readonly unknown[], Rule> = PerformScope<
  undefined,
  TaskDepsOf<List, Rule>,
  { readonly [D in List[number] as DependencyId<D>]: Outcome }
>;

/** Options of a background task, whatever its body. */
export interface CommonTask<List, Rule> extends Omit<TaskSettings, 'triggerRule' | 'output'> {
  /** Tasks that must settle before. Default: none, so that it starts at once. */
  readonly dependsOn?: List | undefined;
  /** When the task may start. Default `all_success`. */
  readonly triggerRule?: Rule | undefined;
}

/** A background task whose body is a function. */
export interface PerformTask<List extends readonly Dependency[], Rule extends TriggerRule, Returned, Output>
  extends CommonTask<List, Rule> {
  /** The body of the task. Its result, or that of its promise, is the task's output. */
  readonly perform: (scope: TaskScopeOf<List, Rule>) => Returned;
  /** Checks the result of the body; dependents get the result of the schema. Default: as returned. */
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
