import type { AnyActorLogic, InputFrom } from 'xstate';
import type { StartOptions } from './engine/engine.ts';
import type { FixedIds, IsListed, KnownIds, LooseId, RestIds } from './flow-ids.ts';
import type { FlowDefinition, TaskSettings } from './model/definition.ts';
import type { Outcome, PerformScope } from './model/perform.ts';
import type { Schema } from './model/schema.ts';
import type { TriggerRule } from './model/trigger-rule.ts';

/** The output of a task; `unknown` where its type is not known. */
export type OutputOf<Tasks, Id> = Id extends keyof Tasks
  ? Tasks[Id] extends { readonly output: infer Output }
    ? Output
    : never
  : unknown;

/** Outputs of dependencies, by id, all of which are done. */
export type DoneDeps<Tasks, Ids extends readonly unknown[]> =
  IsListed<Ids> extends true
    ? {
        readonly [Id in FixedIds<Ids> & keyof Tasks]: OutputOf<Tasks, Id>;
      } & { readonly [Id in RestIds<Ids> & keyof Tasks]?: OutputOf<Tasks, Id> | undefined } & {
        readonly [Id in LooseId<Ids[number]>]: OutputOf<Tasks, Id>;
      }
    : { readonly [Id in Ids[number] & keyof Tasks]: OutputOf<Tasks, Id> };

/** Under `all_success` a task has every output of its dependencies; under any other rule each may be missing. */
export type DepsOf<Tasks, Ids extends readonly unknown[], Rule extends TriggerRule> = [Rule] extends [
  'all_success',
]
  ? DoneDeps<Tasks, Ids>
  : { readonly [Id in keyof DoneDeps<Tasks, Ids>]?: DoneDeps<Tasks, Ids>[Id] | undefined };

/** How dependencies ended, by id. */
export type OutcomesOf<Ids extends readonly unknown[]> =
  IsListed<Ids> extends true
    ? { readonly [Id in FixedIds<Ids>]: Outcome } & {
        readonly [Id in RestIds<Ids>]?: Outcome | undefined;
      } & { readonly [Id in LooseId<Ids[number]>]: Outcome }
    : { readonly [Id in Ids[number] & string]: Outcome };

/** How a task may come to be without output in a run that is done: skipped, or optional and failed. */
export type Absence = 'skipped' | 'failed';

/** Rules that never say skip. */
export type RuleThatNeverSkips = 'all_settled' | 'always' | 'none_failed';

/** Rules that skip where everything went well. */
export type RuleOfFailure = 'all_failed' | 'all_skipped' | 'one_failed';

/** How one of these tasks may come to be without output. Of one that the types do not know, it may be skipped. */
export type AbsenceIn<Tasks, Ids extends readonly unknown[]> =
  | (Tasks[Ids[number] & keyof Tasks] extends { readonly absence: infer Upstream } ? Upstream : never)
  | ([Ids[number]] extends [keyof Tasks] ? never : 'skipped');

/** Whether a rule may skip a task. Distributes over the rules, where there may be more than one. */
export type SkippedBy<Rule, Upstream> = Rule extends RuleThatNeverSkips
  ? never
  : Rule extends RuleOfFailure
    ? 'skipped'
    : Rule extends 'one_settled'
      ? [Upstream] extends [never]
        ? never
        : 'skipped'
      : Extract<Upstream, 'skipped'>;

/**
 * Finds how a task may come to be without output. A task that is not optional is done or skipped in a run that is
 * done, so a failure of an optional dependency never makes its output missing.
 *
 * Worked out at each `task`, as the default of a type parameter: left inside the object it would be put off, and pile up.
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

/** The tasks of a flow, and one more. */
export type WithTask<
  Tasks,
  Input,
  Id extends string,
  Output,
  Ids extends readonly unknown[],
  Rule extends TriggerRule,
  Absent extends Absence,
> = Tasks & {
  readonly [Key in Id]: {
    readonly output: Output;
    readonly absence: Absent;
    readonly scope: PerformScope<Input, DepsOf<Tasks, Ids, Rule>, OutcomesOf<Ids>>;
  };
};

/**
 * The tasks of a flow, and one more if the text of its id is known. Where it is not, the type stays as it is, so that a
 * loop can add a task for each part of a list.
 */
export type Grown<
  Tasks,
  Input,
  Id extends string,
  Output,
  Ids extends readonly unknown[],
  Rule extends TriggerRule,
  Absent extends Absence,
> = [LooseId<Id>] extends [never] ? WithTask<Tasks, Input, Id, Output, Ids, Rule, Absent> : Tasks;

/** The outputs of a run that is done, by task id: `undefined` where a task may have been skipped, or failed as an optional one. */
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

/** Options of a task, whatever its body. */
export interface CommonOptions<Tasks, Ids extends readonly unknown[], Rule, Optional, Skippable>
  extends Omit<TaskSettings, 'triggerRule' | 'optional' | 'skippable' | 'output'> {
  /** Ids of tasks defined before this one. Default: none. */
  readonly dependsOn?: (Ids & KnownIds<Tasks, Ids>) | readonly (keyof Tasks & string)[] | undefined;
  /** When the task may start. Default `all_success`. */
  readonly triggerRule?: Rule | undefined;
  /**
   * The run may be `done` although this task failed or could not run. It speaks for this task alone: a task behind it
   * that is not optional and cannot run without it fails the run. Default false.
   */
  readonly optional?: Optional | undefined;
  /** The task may end itself with `SkipTask`: its output is then missing downstream. Default false. */
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
> extends CommonOptions<Tasks, Ids, Rule, Optional, Skippable> {
  /** What the task does. What it returns, or the promise of it, is the task's output. */
  readonly perform: (scope: PerformScope<Input, DepsOf<Tasks, Ids, Rule>, OutcomesOf<Ids>>) => Returned;
  /** Checks what the body returns; dependents get what it makes of it. Default: as returned. */
  readonly output?: Schema<unknown, Output> | undefined;
  readonly actor?: undefined;
  readonly input?: undefined;
}

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
> extends CommonOptions<Tasks, Ids, Rule, Optional, Skippable> {
  /** Any XState logic, spawned under the task's actor: its output is the task's, its error the attempt's. */
  readonly actor: Logic;
  /** What the actor gets as its input. */
  readonly input?:
    | ((scope: PerformScope<Input, DepsOf<Tasks, Ids, Rule>, OutcomesOf<Ids>>) => InputFrom<Logic>)
    | undefined;
  /** Checks the actor's output; dependents get what it makes of it. Default: as it is. */
  readonly output?: Schema<unknown, Output> | undefined;
  readonly perform?: undefined;
}

/** Bodies to take the place of a flow's own, by task id. */
export type BodiesFor<Tasks> = {
  readonly [Id in keyof Tasks]?: Tasks[Id] extends {
    readonly scope: infer Scope;
    readonly output: infer Output;
  }
    ? BodyFor<Scope, Output>
    : never;
};

/** A body that fits a task. */
export type BodyFor<Scope, Output> =
  | { readonly perform: (scope: Scope) => Output | PromiseLike<Output> }
  | { readonly actor: AnyActorLogic; readonly input?: ((scope: Scope) => unknown) | undefined };

/** Stands for "the outputs of the tasks, by id", where a flow does not say what its runs return. */
export interface ByTask {
  readonly 'returns the outputs of the tasks, by id': never;
}

/** What a run returns. */
export type ResultOf<Tasks, Returned> = [Returned] extends [ByTask] ? OutputsOf<Tasks> : Returned;

/** What a flow carries for the types alone. */
export interface FlowTypes<Input, Tasks, Outputs> {
  readonly input: Input;
  readonly tasks: Tasks;
  readonly outputs: Outputs;
}

/** Any flow, whatever its types are. */
export interface AnyFlow {
  readonly name: string;
  readonly types?: FlowTypes<unknown, unknown, unknown>;
  readonly definition: FlowDefinition;
}

/** What a run of a flow is started with. */
export type InputOf<F extends AnyFlow> = NonNullable<F['types']>['input'];

/** What a run of a flow returns. */
export type ReturnedBy<F extends AnyFlow> = NonNullable<F['types']>['outputs'];

/** `input` may be left out where `undefined` will do. */
export type StartArguments<Input> = undefined extends Input
  ? [input?: Input, options?: StartOptions]
  : [input: Input, options?: StartOptions];
