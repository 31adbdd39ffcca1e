/** A flat state machine as plain data that goes through JSON: what can be shown without running it. */
export interface Machine {
  readonly name: string;
  readonly description: string | undefined;
  /** The name of the first state. */
  readonly initial: string;
  /** The names of the actions at the start. */
  readonly entry: readonly string[];
  readonly states: readonly MachineState[];
  /** The transitions of every state that has none of its own for the event. */
  readonly transitions: readonly MachineTransition[];
}

/** A state of a `Machine`. Actions stand in the order in which they are taken. */
export interface MachineState {
  readonly name: string;
  readonly description: string | undefined;
  readonly isFinal: boolean;
  readonly tags: readonly string[];
  /** Names of actions. */
  readonly entry: readonly string[];
  /** Names of actions. */
  readonly exit: readonly string[];
  readonly transitions: readonly MachineTransition[];
}

/** A possible transition for an event: of several, the first whose guard holds is taken. */
export interface MachineTransition {
  readonly event: string;
  /** The name of the guard; `undefined` if there is none. */
  readonly guard: string | undefined;
  /** The name of the state that it leads to; `undefined` if it stays. */
  readonly target: string | undefined;
  readonly description: string | undefined;
  /** Names of actions. */
  readonly actions: readonly string[];
}
