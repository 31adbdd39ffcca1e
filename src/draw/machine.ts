/** A state machine as plain data that goes through JSON: what can be shown without running it. */
export interface Machine {
  readonly name: string;
  readonly description: string | undefined;
  /** All states, each before those in it, siblings in order. The first is the machine itself. */
  readonly states: readonly MachineState[];
}

/** `shallow` and `deep` are states of history. */
export type StateKind = 'atomic' | 'compound' | 'parallel' | 'final' | 'shallow' | 'deep';

/** A state of a `Machine`, or the machine itself. Actions stand in the order in which they are taken. */
export interface MachineState {
  readonly name: string;
  /** The index of the state around it; -1 for the machine itself. */
  readonly parent: number;
  readonly kind: StateKind;
  /** The index of the state in which it starts; of a compound state. */
  readonly initial: number | undefined;
  readonly description: string | undefined;
  readonly tags: readonly string[];
  /** Names of actions. */
  readonly entry: readonly string[];
  /** Names of actions. */
  readonly exit: readonly string[];
  /** Names of the actors that run while it is active. */
  readonly invokes: readonly string[];
  /** Those of a compound state are taken in each state in it that has none of its own for the event. */
  readonly transitions: readonly MachineTransition[];
  /** The number of states in it that are left out. Default: 0. */
  readonly hidden?: number;
}

/** A possible transition for an event: of several, the first whose guard holds is taken. */
export interface MachineTransition {
  /**
   * The type of the event, or what takes its place: `after 1 s`, `always`, `done`, `done: actor`, `error: actor`,
   * `snapshot: actor`. Empty for the default of a history state.
   */
  readonly event: string;
  /** The name of the guard; `undefined` if there is none. */
  readonly guard: string | undefined;
  /** The indexes of the states that it leads to; empty if it stays. */
  readonly targets: readonly number[];
  readonly description: string | undefined;
  /** Names of actions. */
  readonly actions: readonly string[];
}

/** Finds the states right inside each state, by index. */
export function childrenOf({ states }: Machine): number[][] {
  const children: number[][] = states.map(() => []);
  for (const [index, { parent }] of states.entries()) children[parent]?.push(index);
  return children;
}

/** Names a state by the states around it and itself, joined by dots; the machine by its own name. */
export function pathOf({ states }: Machine, index: number): string {
  const names: string[] = [];
  for (let at = index; at > 0; at = states[at]?.parent ?? 0) names.unshift(states[at]?.name ?? '');
  return index === 0 ? (states[0]?.name ?? '') : names.join('.');
}
