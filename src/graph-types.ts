import type { AnyActorLogic, OutputFrom } from 'xstate';
import type { TextId } from './flow-ids.ts';
import type { GraphDefinition } from './model/graph-definition.ts';
import type { PerformScope } from './model/perform.ts';
import type { Schema } from './model/schema.ts';
import type { RuleOfFailure } from './model/trigger-rule.ts';

/** A function that is the body of a task in a flow made of data. */
export type GraphPerform<Output = unknown, Deps = Record<string, Output>> = (
  scope: PerformScope<unknown, Deps>,
) => Output | PromiseLike<Output>;

/** A body of a task in a flow made of data. */
export type GraphBody<Output = unknown, Deps = Record<string, Output>> =
  | GraphPerform<Output, Deps>
  | { readonly perform: GraphPerform<Output, Deps> }
  | {
      readonly actor: AnyActorLogic;
      readonly input?: ((scope: PerformScope<unknown, Deps>) => unknown) | undefined;
    };

/** One body for all tasks, or a body for each, by id; `Output` is the output of any of them. */
export type GraphBodies<Output = unknown> =
  | GraphPerform<Output>
  | Readonly<Record<string, GraphBody<Output>>>
  | ReadonlyMap<string, GraphBody<Output>>;

/** Ids of the tasks of a graph; `string` if they are not literals. */
export type GraphIds<Definition extends GraphDefinition> = Definition['tasks'] extends infer Tasks
  ? Tasks extends ReadonlyMap<infer Id, unknown>
    ? Id & string
    : Tasks extends readonly { readonly id: infer Id }[]
      ? Id & string
      : keyof Tasks & string
  : never;

/** The definition of one task in a graph. */
export type GraphTaskOf<Definition extends GraphDefinition, Id> = Definition['tasks'] extends infer Tasks
  ? Tasks extends ReadonlyMap<string, infer Task>
    ? Task
    : Tasks extends readonly { readonly id: string }[]
      ? Extract<Tasks[number], { readonly id: Id }>
      : Id extends keyof Tasks
        ? Tasks[Id]
        : never
  : never;

/**
 * Outputs of the dependencies of a task, by id, as `unknown`: the compiler needs this type before it knows the bodies.
 */
export type GraphDeps<Definition extends GraphDefinition, Id> =
  GraphTaskOf<Definition, Id> extends infer Task
    ? { readonly [Dependency in ListOf<Task, 'dependsOn'> | ListOf<Task, 'needs'>]: unknown }
    : never;

/** The ids in one of a task's lists. */
export type ListOf<Task, Key extends string> =
  Task extends Readonly<Record<Key, readonly (infer Id)[]>>
    ? Id & string
    : Key extends keyof Task
      ? string
      : never;

/** A body for each task of a graph, by id. */
export type GraphBodiesById<Definition extends GraphDefinition> = {
  readonly [Id in GraphIds<Definition>]: GraphBody<unknown, GraphDeps<Definition, Id>>;
};

/** Refuses bodies under ids known to be no tasks. */
export type NoOthers<Ids, Bodies> = [Exclude<TextId<keyof Bodies>, Ids>] extends [never]
  ? unknown
  : { readonly [Id in Exclude<TextId<keyof Bodies>, Ids>]: never };

/** The output of a task: the return value of its body, or the result of its schema. */
export type GraphOutput<Task, Body> = Task extends { readonly output: Schema<unknown, infer Output> }
  ? Output
  : Body extends (...args: never) => infer Returned
    ? Awaited<Returned>
    : Body extends { readonly perform: (...args: never) => infer Returned }
      ? Awaited<Returned>
      : Body extends { readonly actor: infer Logic extends AnyActorLogic }
        ? OutputFrom<Logic>
        : unknown;

/**
 * Whether every task of a graph has an output when a run is done: the graph is a literal, and no output may be missing.
 */
export type IsSureGraph<Definition extends GraphDefinition> =
  string extends GraphIds<Definition>
    ? false
    : true extends MayMiss<GraphTaskOf<Definition, GraphIds<Definition>>>
      ? false
      : true;

/** Whether a task may have no output in a run that is done. */
export type MayMiss<Task> = Task extends
  | { readonly optional: true }
  | { readonly skippable: true }
  | { readonly triggerRule: RuleOfFailure }
  ? true
  : false;

/** The tasks of a flow made of a graph and a body for each task. */
export type GraphTasks<Definition extends GraphDefinition, Bodies> = {
  readonly [Id in keyof Bodies & string]: {
    readonly output: GraphOutput<GraphTaskOf<Definition, Id>, Bodies[Id]>;
    readonly absence: IsSureGraph<Definition> extends true ? never : 'skipped';
    readonly scope: PerformScope<unknown, GraphDeps<Definition, Id>>;
  };
};
