import type { CommonOptions, ConditionOption, DepsOf, OutcomesOf } from './flow-types.ts';
import type { OnTimeout } from './model/definition.ts';
import type { WaitScope } from './model/perform.ts';
import type { Schema, SchemaOutput } from './model/schema.ts';
import type { TriggerRule } from './model/trigger-rule.ts';

/** What may become of a wait whose time is over. */
export type LateOption = OnTimeout;

/** Whether a wait whose time is over is skipped. */
export type SkipsLate<Late> = Late extends 'skip' ? true : false;

/** The output of a wait: a value as its schema returns it, or the one for the case that none comes in time. */
export type AwaitedOf<ValueSchema, Late> =
  | ([ValueSchema] extends [Schema] ? SchemaOutput<ValueSchema> : unknown)
  | (Late extends { readonly value: infer Value } ? Value : never);

/** The options that a task that waits shares with every task. */
export interface WaitOptions<
  Tasks,
  Input,
  Ids extends readonly unknown[],
  Rule extends TriggerRule,
  Optional,
  Answer,
> extends Pick<CommonOptions<Tasks, Ids, Rule, Optional, false>, 'dependsOn' | 'triggerRule' | 'optional'>,
    ConditionOption<Tasks, Input, Ids, Rule, Answer> {
  readonly perform?: undefined;
  readonly actor?: undefined;
}

/** Options of a task that waits for a value. */
export interface DeliveryOptions<
  Tasks,
  Input,
  Ids extends readonly unknown[],
  Rule extends TriggerRule,
  Optional,
  ValueSchema,
  Late,
  Answer = never,
> extends WaitOptions<Tasks, Input, Ids, Rule, Optional, Answer> {
  /** Checks a value that is delivered; dependents get the schema's result. Default: any value. */
  readonly schema?: ValueSchema | undefined;
  /** Limits the wait, from when the task is ready, in milliseconds of the time of day. Default: no limit. */
  readonly timeoutMs?: number | undefined;
  /**
   * What becomes of the task when its time is over: it fails (`fail`, the default) or is skipped (`skip`), cause `timeout`, or
   * is done with a value (`{ value }`).
   */
  readonly onTimeout?: Late | undefined;
  /** Expected duration of the wait, for critical paths and simulations. Default: not known. */
  readonly durationMs?: number | undefined;
}

/** Options of a task that waits for an instant: either `ms` or `until`. */
export type SleepOptions<
  Tasks,
  Input,
  Ids extends readonly unknown[],
  Rule extends TriggerRule,
  Optional,
  Answer = never,
> = WaitOptions<Tasks, Input, Ids, Rule, Optional, Answer> &
  (
    | {
        /** How long it sleeps from when it is ready, in milliseconds of the time of day. */
        readonly ms: number;
        readonly until?: undefined;
      }
    | {
        readonly ms?: undefined;
        /**
         * Returns the instant until which it sleeps, in epoch milliseconds or as a `Date`; past ones end it at once. Called once;
         * the instant is kept. If it throws, the task fails, cause `input`.
         */
        readonly until: (scope: WaitScope<Input, DepsOf<Tasks, Ids, Rule>, OutcomesOf<Ids>>) => Date | number;
      }
  );
