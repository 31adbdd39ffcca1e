import type {
  AnyFlow,
  CommonOptions,
  ConditionOption,
  DepsOf,
  InputOf,
  Later,
  Listed,
  OutcomesOf,
} from './flow-types.ts';
import type { TaskSettings } from './model/definition.ts';
import type { ItemScope, PerformScope } from './model/perform.ts';
import type { Schema } from './model/schema.ts';
import type { TriggerRule } from './model/trigger-rule.ts';

/** The options that a child run's task shares with every task. */
export interface ChildOptions<
  Tasks,
  Input,
  Ids extends readonly unknown[],
  Rule extends TriggerRule,
  Optional,
  Answer,
> extends Pick<CommonOptions<Tasks, Ids, Rule, Optional, false>, 'dependsOn' | 'triggerRule' | 'optional'>,
    ConditionOption<Tasks, Input, Ids, Rule, Answer> {
  /** Limits all attempts and the waits between them, from the first start. Default: no limit. */
  readonly totalTimeoutMs?: number | undefined;
  readonly actor?: undefined;
}

/** Options of a task that is one run of another flow. */
export interface FlowTaskOptions<
  Tasks,
  Input,
  Ids extends readonly unknown[],
  Rule extends TriggerRule,
  Optional,
  F extends AnyFlow,
  Answer = never,
> extends ChildOptions<Tasks, Input, Ids, Rule, Optional, Answer> {
  /** The flow to run. Its tasks take their own slots; this task holds none. */
  readonly flow: F;
  /** Makes the input of the child run, once for all attempts. Needed unless the flow runs without an input. */
  readonly input?:
    | ((scope: PerformScope<Input, DepsOf<Tasks, Ids, Rule>, OutcomesOf<Ids>>) => Later<InputOf<F>>)
    | undefined;
  /** A retry repeats what failed in the child run, and keeps what is done. Default: one attempt. */
  readonly retry?: TaskSettings['retry'];
  /** Limits one attempt, from its start: what is unsettled in the child run then is cancelled. Default: no limit. */
  readonly timeoutMs?: number | undefined;
  /** Added to the priorities of the flow's own tasks. Default 0. */
  readonly priority?: number | undefined;
  readonly perform?: undefined;
  readonly over?: undefined;
}

/** Requires `input` of a task that is a run of a flow, unless that flow runs without an input. */
export type ChildInput<F extends AnyFlow> = undefined extends InputOf<F> ? unknown : GivenInputOf;

/** An option `input` that must be given. */
export interface GivenInputOf {
  readonly input: object;
}

/** Options of a map, whatever is done with its items. */
export interface MapOptions<
  Tasks,
  Input,
  Ids extends readonly unknown[],
  Rule extends TriggerRule,
  Optional,
  Item,
  Skippable,
  Tolerate,
  Output,
  Answer,
> extends ChildOptions<Tasks, Input, Ids, Rule, Optional, Answer>,
    Omit<
      TaskSettings,
      'triggerRule' | 'when' | 'optional' | 'skippable' | 'output' | 'totalTimeoutMs' | 'retry' | 'timeoutMs'
    > {
  /**
   * Gives the list when the map starts, once for all its attempts: an iterable of at most a million items, or a promise
   * of one. Write it before `perform`, so that `item` has its type there.
   */
  readonly over: (scope: PerformScope<Input, DepsOf<Tasks, Ids, Rule>, OutcomesOf<Ids>>) => Listed<Item>;
  /** Of each item. Default: one attempt. */
  readonly retry?: TaskSettings['retry'];
  /** Limits one attempt of an item. Default: no limit. */
  readonly timeoutMs?: number | undefined;
  /** An item may end itself with `SkipTask`; its output is then `undefined`. Default false. */
  readonly skippable?: Skippable | undefined;
  /** Maximum number of items under way at the same time. Default: no limit of its own. */
  readonly concurrency?: number | undefined;
  /**
   * The failed items that the map accepts: a number, or `{ share }` of the list. One more ends the map and cancels the
   * rest; 0 fails fast. Default: all items are tried, and any failure fails the map.
   */
  readonly tolerate?: Tolerate | undefined;
  /** Checks the output of each item; the list has the schema's results. Default: the outputs as they are. */
  readonly output?: Schema<unknown, Output> | undefined;
  readonly flow?: undefined;
}

/** Options of a map whose items are done by a function. */
export interface PerformMapOptions<
  Tasks,
  Input,
  Ids extends readonly unknown[],
  Rule extends TriggerRule,
  Optional,
  Item,
  Skippable,
  Tolerate,
  Returned,
  Output,
  Answer = never,
> extends MapOptions<Tasks, Input, Ids, Rule, Optional, Item, Skippable, Tolerate, Output, Answer> {
  /** Called with each item. The value that it returns, or its promise resolves to, is the item's output. */
  readonly perform: (scope: ItemScope<Item, Input, DepsOf<Tasks, Ids, Rule>, OutcomesOf<Ids>>) => Returned;
  readonly input?: undefined;
}

/** Options of a map that runs a flow for each item. */
export interface FlowMapOptions<
  Tasks,
  Input,
  Ids extends readonly unknown[],
  Rule extends TriggerRule,
  Optional,
  Item,
  Skippable,
  Tolerate,
  F extends AnyFlow,
  Output,
  Answer = never,
> extends MapOptions<Tasks, Input, Ids, Rule, Optional, Item, Skippable, Tolerate, Output, Answer> {
  /** The tasks of the flow take slots, not the items. */
  readonly pool?: undefined;
  readonly graceMs?: undefined;
  /** The flow to run for each item. */
  readonly perform: F;
  /** Makes the input of an item's run. Default: the item. Needed unless the item is an input of the flow. */
  readonly input?:
    | ((scope: ItemScope<Item, Input, DepsOf<Tasks, Ids, Rule>, OutcomesOf<Ids>>) => Later<InputOf<F>>)
    | undefined;
}

/**
 * Requires `input` of a map that runs a flow, unless each item is an input of that flow. Items that the compiler does not
 * know yet may be: it asks before it has looked at `over`.
 */
export type ItemInput<F extends AnyFlow, Item> = unknown extends Item
  ? unknown
  : [Item] extends [InputOf<F>]
    ? unknown
    : GivenInputOf;

/** An element of a map's output: `undefined` where an item may be skipped, or its failure is tolerated. */
export type ElementOf<Output, Skippable, Tolerate> = true extends Skippable
  ? Output | undefined
  : [Tolerate] extends [undefined | 0]
    ? Output
    : Output | undefined;
