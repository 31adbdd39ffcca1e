import type { AnyTransitionDefinition } from 'xstate';

export type Params = Record<string, unknown> | undefined;

/** `params` of a guard or an action, given or computed. */
export type ParamsOf = Params | ((args: { readonly context: unknown; readonly event: unknown }) => Params);

export interface GuardEntry {
  readonly type: string;
  readonly params: ParamsOf;
  readonly check: (args: { readonly context: unknown; readonly event: unknown }, params: Params) => boolean;
}

/** An action of a transition: changes the context, emits an event, or has an effect outside. */
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

/** The way to a state: its target and the actions. */
export interface Move {
  /** Number of the next state; of the current one if no state is left or entered. */
  readonly target: number;
  /** Whether a final state is entered, which makes the machine done. */
  readonly completes: boolean;
  /** Exit, transition and entry actions in the order in which they run. */
  readonly actions: readonly ActionEntry[];
}

/** One possible transition for an event; the first whose guard holds is taken. */
export interface Candidate extends Move {
  readonly guard: GuardEntry | undefined;
  /** The definition of the transition, for inspectors. */
  readonly definition: AnyTransitionDefinition;
}

export interface StateEntry {
  readonly key: string;
  readonly id: string;
  /** Tags of the root and of the state. */
  readonly tags: ReadonlySet<string>;
  /** Meta of the root and of the state, by id. */
  readonly meta: Readonly<Record<string, unknown>>;
  /** A final state's own `output`, given or computed. */
  readonly output: unknown;
  /** Exit actions of the state and of the root, run when the machine is done. */
  readonly exit: readonly ActionEntry[];
  /** Candidates by event type: the state's own, then the root's; none after one without a guard. */
  readonly on: ReadonlyMap<string, readonly Candidate[]>;
}

/** A flat machine, resolved: only the state, the event type and the guards are left to look up. */
export interface Table {
  readonly id: string;
  readonly states: readonly StateEntry[];
  readonly numberOf: ReadonlyMap<string, number>;
  /** The move into a new actor's first state. */
  readonly initial: Move;
  /** The machine's `context`, given or computed from the input. */
  readonly context: unknown;
  /** The machine's `output`, given or computed. */
  readonly output: unknown;
}
