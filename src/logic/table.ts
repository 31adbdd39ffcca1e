import type { AnyTransitionDefinition } from 'xstate';

type Params = Record<string, unknown> | undefined;

/** `params` of a guard or an action, given or worked out. */
export type ParamsOf = Params | ((args: { readonly context: unknown; readonly event: unknown }) => Params);

export interface GuardEntry {
  readonly type: string;
  readonly params: ParamsOf;
  readonly check: (args: { readonly context: unknown; readonly event: unknown }, params: Params) => boolean;
}

/** What a transition does, in order: change the context, emit an event, or have something done outside. */
export type ActionEntry =
  | {
      readonly kind: 'assign';
      readonly type: string;
      readonly params: ParamsOf;
      readonly assignment: Assignment;
    }
  | { readonly kind: 'emit'; readonly type: string; readonly params: ParamsOf; readonly event: Emission }
  | {
      readonly kind: 'effect';
      readonly type: string;
      readonly params: ParamsOf;
      readonly run: Run | undefined;
    };

type Update = Record<string, unknown>;
type Run = (args: object, params: Params) => void;

/** XState's two forms of `assign`: a function, or a function or value for each key. */
export type Assignment = ((args: object, params: Params) => Update) | Readonly<Record<string, unknown>>;

/** An event, or the function that makes it. */
export type Emission = object | ((args: object, params: Params) => object);

/** One way an event can go from a state: taken by the first whose guard holds. */
export interface Candidate {
  readonly guard: GuardEntry | undefined;
  /** Number of the next state; the present one's where nothing is left or entered. */
  readonly target: number;
  /** Whether the target is entered. */
  readonly enters: boolean;
  /** Exit, transition and entry actions in the order in which they run. */
  readonly actions: readonly ActionEntry[];
  /** What an inspector is told was taken. */
  readonly definition: AnyTransitionDefinition;
}

export interface StateEntry {
  readonly key: string;
  readonly id: string;
  /** The root's and the state's own. */
  readonly tags: ReadonlySet<string>;
  /** The same, by id. */
  readonly meta: Readonly<Record<string, unknown>>;
  readonly final: FinalEntry | undefined;
  /** Exit actions of the state and of the root: they run when the machine is done. */
  readonly exit: readonly ActionEntry[];
  /** By event type: the state's own candidates, then the root's. */
  readonly on: ReadonlyMap<string, readonly Candidate[]>;
}

export interface FinalEntry {
  /** The state's own `output`, given or worked out. */
  readonly output: unknown;
}

/** A flat machine with nothing left to look up but the state, the event type and the guards. */
export interface Table {
  readonly id: string;
  readonly states: readonly StateEntry[];
  readonly numberOf: ReadonlyMap<string, number>;
  readonly initial: number;
  readonly initialActions: readonly ActionEntry[];
  /** The machine's `context`, given or worked out from the input. */
  readonly context: unknown;
  /** The machine's `output`, given or worked out. */
  readonly output: unknown;
}
