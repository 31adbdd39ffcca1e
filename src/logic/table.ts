import type { AnyTransitionDefinition } from 'xstate';

export type Params = Record<string, unknown> | undefined;

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

/** What is done to get to a state. */
export interface Move {
  /** Number of the next state; the present one's where nothing is left or entered. */
  readonly target: number;
  /** Whether a final state is entered: then the machine is done. */
  readonly completes: boolean;
  /** Exit, transition and entry actions in the order in which they run. */
  readonly actions: readonly ActionEntry[];
}

/** One way an event can go from a state: taken by the first whose guard holds. */
export interface Candidate extends Move {
  readonly guard: GuardEntry | undefined;
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
  /** A final state's own `output`, given or worked out. */
  readonly output: unknown;
  /** Exit actions of the state and of the root: they run when the machine is done. */
  readonly exit: readonly ActionEntry[];
  /** By event type: the state's own candidates, then the root's; none after one that has no guard. */
  readonly on: ReadonlyMap<string, readonly Candidate[]>;
}

/** A flat machine with nothing left to look up but the state, the event type and the guards. */
export interface Table {
  readonly id: string;
  readonly states: readonly StateEntry[];
  readonly numberOf: ReadonlyMap<string, number>;
  /** How a new actor gets to its first state. */
  readonly initial: Move;
  /** The machine's `context`, given or worked out from the input. */
  readonly context: unknown;
  /** The machine's `output`, given or worked out. */
  readonly output: unknown;
}
