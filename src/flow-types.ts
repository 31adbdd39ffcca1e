import type { AnyActorLogic, InputFrom } from 'xstate';
import type { StartOptions } from './engine/engine-options.ts';
import type { RunsFlow } from './engine/run-logic.ts';
import type { FixedIds, IsListed, KnownIds, LooseId, RestIds } from './flow-ids.ts';
import type { FlowDefinition, TaskSettings } from './model/definition.ts';
import type { ConditionScope, ItemScope, Outcome, PerformScope } from './model/perform.ts';
import type { Schema } from './model/schema.ts';
import type { SkippedBy, TriggerRule } from './model/trigger-rule.ts';

/** The output of a task; `unknown` where its type is not known. */
export type OutputOf<Tasks, Id> = Id extends keyof Tasks
  ? Tasks[Id] extends { readonly output: infer Output }
    ? Output
    : never
  : unknown;

/** Outputs by id of dependencies that are all done. */
export type DoneDeps<Tasks, Ids extends readonly unknown[]> =
  IsListed<Ids> extends true
    ? {
        readonly [Id in FixedIds<Ids> & keyof Tasks]: OutputOf<Tasks, Id>;
      } & { readonly [Id in RestIds<Ids> & keyof Tasks]?: OutputOf<Tasks, Id> | undefined } & {
        readonly [Id in LooseId<Ids[number]>]: OutputOf<Tasks, Id>;
      }
    : { readonly [Id in Ids[number] & keyof Tasks]: OutputOf<Tasks, Id> };

/** Outputs of the dependencies by id: all of them under `all_success`; under any other rule each may be missing. */
export type DepsOf<Tasks, Ids extends readonly unknown[], Rule extends TriggerRule> = [Rule] extends [
  'all_success',
]
  ? DoneDeps<Tasks, Ids>
  : { readonly [Id in keyof DoneDeps<Tasks, Ids>]?: DoneDeps<Tasks, Ids>[Id] | undefined };

/** The endings of dependencies, by id. */
export type OutcomesOf<Ids extends readonly unknown[]> =
  IsListed<Ids> extends true
    ? { readonly [Id in FixedIds<Ids>]: Outcome } & {
        readonly [Id in RestIds<Ids>]?: Outcome | undefined;
      } & { readonly [Id in LooseId<Ids[number]>]: Outcome }
    : { readonly [Id in Ids[number] & string]: Outcome };

/** Why a task may have no output in a run that is done: skipped, or optional and failed. */
export type Absence = 'skipped' | 'failed';

/** Why one of these tasks may have no output. A task that the types do not know may be skipped. */
export type AbsenceIn<Tasks, Ids extends readonly unknown[]> =
  | (Tasks[Ids[number] & keyof Tasks] extends { readonly absence: infer Upstream } ? Upstream : never)
  | ([Ids[number]] extends [keyof Tasks] ? never : 'skipped');

/**
 * Finds why a task may have no output. In a run that is done, each task that is not optional is done or skipped, so the
 * failure of an optional dependency never makes its output missing.
 *
 * Computed at each `task`, as the default of a type parameter: inside the object type it would be deferred, and
 * accumulate.
 */
export type AbsenceOf<
  Tasks,
  Ids extends readonly unknown[],
  Rule,
  Optional extends boolean,
  Skippable extends boolean,
> =
  | (true extends Optional ? 'failed' : never)
  | (true extends Skippable ? 'skipped' : never)
  | SkippedBy<Rule, AbsenceIn<Tasks, Ids>>;

/**
 * One more task of a flow, if the text of its id is known. Otherwise nothing, so that a loop can add a task for each item
 * of a list.
 *
 * The flow's other tasks are no part of it, nor is a scope, which has their outputs: for each task the compiler would go
 * through all before it, and all before those.
 */
export type Added<
  Id extends string,
  Output,
  Ids extends readonly unknown[],
  Rule extends TriggerRule,
  Absent extends Absence,
> = [LooseId<Id>] extends [never]
  ? {
      readonly [Key in Id]: {
        readonly output: Output;
        readonly absence: Absent;
        readonly dependsOn: Ids;
        readonly triggerRule: Rule;
      };
    }
  : unknown;

/** One more task of a flow, which is a run of another. */
export type AddedFlow<
  Id extends string,
  Output,
  Inner,
  Ids extends readonly unknown[],
  Rule extends TriggerRule,
  Absent extends Absence,
> = [LooseId<Id>] extends [never]
  ? {
      readonly [Key in Id]: {
        readonly output: Output;
        readonly absence: Absent;
        readonly dependsOn: Ids;
        readonly triggerRule: Rule;
        readonly inner: Inner;
      };
    }
  : unknown;

/** One more task of a flow, which is a map. */
export type AddedMap<
  Id extends string,
  Item,
  Output,
  Element,
  Inner,
  Ids extends readonly unknown[],
  Rule extends TriggerRule,
  Absent extends Absence,
> = [LooseId<Id>] extends [never]
  ? {
      readonly [Key in Id]: {
        readonly output: Element[];
        readonly absence: Absent;
        readonly dependsOn: Ids;
        readonly triggerRule: Rule;
        readonly item: Item;
        readonly made: Output;
        readonly itemInner: Inner;
      };
    }
  : unknown;

/**
 * The outputs of a run that is done, by task id. A task that may be skipped, or is optional and may fail, has
 * `undefined` in its type.
 */
export type OutputsOf<Tasks> = {
  readonly [Id in keyof Tasks]: Tasks[Id] extends {
    readonly output: infer Output;
    readonly absence: infer Absent;
  }
    ? [Absent] extends [never]
      ? Output
      : Output | undefined
    : never;
};

/** Whether a task with a condition that returns this may be skipped: without a condition it returns nothing at all. */
export type SkipsBy<Answer> = [Answer] extends [never] ? false : true;

/** The condition of a task. */
export interface ConditionOption<
  Tasks,
  Input,
  Ids extends readonly unknown[],
  Rule extends TriggerRule,
  Answer,
> {
  /**
   * Says whether the task runs, once its trigger rule says so and before it takes a slot; it may return a promise.
   * `false` skips the task, a throw fails it, without a retry. `totalTimeoutMs` limits it too. Default: it runs.
   */
  readonly when?:
    | ((scope: ConditionScope<Input, DepsOf<Tasks, Ids, Rule>, OutcomesOf<Ids>>) => Answer)
    | undefined;
}

/** What a condition may return. */
export type Answers = boolean | PromiseLike<boolean>;

/** Options of a task, whatever its body. */
export interface CommonOptions<Tasks, Ids extends readonly unknown[], Rule, Optional, Skippable>
  extends Omit<TaskSettings, 'triggerRule' | 'optional' | 'skippable' | 'output' | 'when'> {
  /** Ids of tasks defined before this one. Default: none. */
  readonly dependsOn?: (Ids & KnownIds<Tasks, Ids>) | readonly (keyof Tasks & string)[] | undefined;
  /** When the task may start. Default `all_success`. */
  readonly triggerRule?: Rule | undefined;
  /**
   * Lets the run be `done` even if this task failed or could not run. Applies to this task alone: a downstream task
   * that is not optional and cannot run without it fails the run. Default false.
   */
  readonly optional?: Optional | undefined;
  /** The task may end itself with `SkipTask`; downstream its output is then missing. Default false. */
  readonly skippable?: Skippable | undefined;
}

/** Options of a task whose body is a function. */
export interface PerformOptions<
  Tasks,
  Input,
  Ids extends readonly unknown[],
  Rule extends TriggerRule,
  Optional,
  Skippable,
  Returned,
  Output,
  Answer = never,
> extends CommonOptions<Tasks, Ids, Rule, Optional, Skippable>,
    ConditionOption<Tasks, Input, Ids, Rule, Answer> {
  /** The task's function. The value that it returns, or its promise resolves to, is the task's output. */
  readonly perform: (scope: PerformScope<Input, DepsOf<Tasks, Ids, Rule>, OutcomesOf<Ids>>) => Returned;
  /** Checks the value that the body returns; dependents get the schema's result. Default: the value as returned. */
  readonly output?: Schema<unknown, Output> | undefined;
  readonly actor?: undefined;
  readonly input?: undefined;
}

/** Refuses logic whose actors are runs of a flow: such a task is added by `.flow`. */
export type NoRun<Logic> = keyof RunsFlow extends keyof Logic
  ? { readonly 'use `.flow` to make a task a run of a flow': never }
  : unknown;

/** Options of a task whose body is an actor. */
export interface ActorOptions<
  Tasks,
  Input,
  Ids extends readonly unknown[],
  Rule extends TriggerRule,
  Optional,
  Skippable,
  Logic extends AnyActorLogic,
  Output,
  Answer = never,
> extends CommonOptions<Tasks, Ids, Rule, Optional, Skippable>,
    ConditionOption<Tasks, Input, Ids, Rule, Answer> {
  /**
   * Any XState logic, spawned as a child of the task's actor. Its output is the task's output, its error fails the
   * attempt.
   */
  readonly actor: Logic & NoRun<Logic>;
  /** The input of the actor. */
  readonly input?:
    | ((scope: PerformScope<Input, DepsOf<Tasks, Ids, Rule>, OutcomesOf<Ids>>) => InputFrom<Logic>)
    | undefined;
  /** Checks the actor's output; dependents get the schema's result. Default: the output as it is. */
  readonly output?: Schema<unknown, Output> | undefined;
  readonly perform?: undefined;
}

/** Bodies that replace a flow's own, by task id. */
export type BodiesFor<Tasks, Input> = {
  readonly [Id in keyof Tasks]?: Tasks[Id] extends {
    readonly inner: infer Inner;
    readonly output: infer Output;
  }
    ? FlowBodyFor<ScopeIn<Tasks, Input, Tasks[Id]>, Inner, Output>
    : Tasks[Id] extends {
          readonly item: infer Item;
          readonly made: infer Made;
          readonly itemInner: infer Inner;
        }
      ?
          | MapBodyFor<
              ScopeIn<Tasks, Input, Tasks[Id]>,
              Item,
              ItemScopeIn<Tasks, Input, Tasks[Id], Item>,
              Made
            >
          | BodiesInside<Inner>
      : Tasks[Id] extends { readonly output: infer Output }
        ? BodyFor<ScopeIn<Tasks, Input, Tasks[Id]>, Output>
        : never;
};

/** The scope of the body of one of a flow's tasks. */
export type ScopeIn<Tasks, Input, Task> = Task extends {
  readonly dependsOn: infer Ids extends readonly unknown[];
  readonly triggerRule: infer Rule extends TriggerRule;
}
  ? PerformScope<Input, DepsOf<Tasks, Ids, Rule>, OutcomesOf<Ids>>
  : Task extends { readonly scope: infer Scope }
    ? Scope
    : never;

/** The scope of the body of a map's items. */
export type ItemScopeIn<Tasks, Input, Task, Item> = Task extends {
  readonly dependsOn: infer Ids extends readonly unknown[];
  readonly triggerRule: infer Rule extends TriggerRule;
}
  ? ItemScope<Item, Input, DepsOf<Tasks, Ids, Rule>, OutcomesOf<Ids>>
  : never;

/**
 * A body that fits a task that is a run of a flow: one like any other task's, another flow with the same input and
 * output, or bodies for tasks inside that flow.
 */
export type FlowBodyFor<Scope, Inner, Output> =
  | BodyFor<Scope, Output>
  | FlowLike<Scope, Output>
  | BodiesInside<Inner>;

/** A flow in place of another; without `input`, it gets the input that the other would get. */
export interface FlowLike<Scope, Output> {
  readonly flow: AnyFlow & { readonly types?: FlowTypes<unknown, unknown, Output> };
  readonly input?: ((scope: Scope) => unknown) | undefined;
}

/** Bodies for tasks of the flow that a task runs; the types do not know its input. */
export interface BodiesInside<Inner> {
  readonly tasks: BodiesFor<Inner, unknown>;
}

/** A list, or a body of the items, that fits a map. */
export interface MapBodyFor<Scope, Item, EachScope, Output> {
  readonly over?: ((scope: Scope) => Listed<Item>) | undefined;
  /** A function, or a flow whose output is an item's. */
  readonly perform?:
    | ((scope: EachScope) => Output | PromiseLike<Output>)
    | (AnyFlow & { readonly types?: FlowTypes<unknown, unknown, Output> })
    | undefined;
  /** The input of that flow. Default: the item. */
  readonly input?: ((scope: EachScope) => unknown) | undefined;
}

/** A list, or a promise of one: what `over` of a map returns. */
export type Listed<Item> = Later<Iterable<Item> & object>;

/** A value, or a promise of it. */
export type Later<Value> = Value | PromiseLike<Value>;

/** A body that fits a task. */
export type BodyFor<Scope, Output> =
  | { readonly perform: (scope: Scope) => Output | PromiseLike<Output> }
  | { readonly actor: AnyActorLogic; readonly input?: ((scope: Scope) => unknown) | undefined };

/** Stands for "the outputs of the tasks, by id", if a flow does not define the output of its runs. */
export interface ByTask {
  readonly 'returns the outputs of the tasks, by id': never;
}

/** The output of a run. */
export type ResultOf<Tasks, Returned> = [Returned] extends [ByTask] ? OutputsOf<Tasks> : Returned;

/** Types that a flow carries; there is no value. */
export interface FlowTypes<Input, Tasks, Outputs> {
  readonly input: Input;
  readonly tasks: Tasks;
  readonly outputs: Outputs;
}

/** Any flow, whatever its types. */
export interface AnyFlow {
  readonly name: string;
  readonly types?: FlowTypes<unknown, unknown, unknown>;
  readonly definition: FlowDefinition;
}

/** The tasks of a flow, as its types know them; `never` for no flow. */
export type InnerOf<F extends AnyFlow> = NonNullable<F['types']>['tasks'];

/** The input with which a run of a flow is started. */
export type InputOf<F extends AnyFlow> = NonNullable<F['types']>['input'];

/** The output of a run of a flow. */
export type ReturnedBy<F extends AnyFlow> = NonNullable<F['types']>['outputs'];

/** The arguments of a start. `input` may be left out if its type allows `undefined`. */
export type StartArguments<Input, Options = StartOptions> = undefined extends Input
  ? [input?: Input, options?: Options]
  : [input: Input, options?: Options];
