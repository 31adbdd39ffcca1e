/** A flat state machine as plain data, which goes through JSON: what can be shown of it without running it. */
export interface Machine {
  readonly name: string;
  readonly description: string | undefined;
  /** Name of the state in which it starts. */
  readonly initial: string;
  /** Names of the actions as it starts. */
  readonly entry: readonly string[];
  readonly states: readonly MachineState[];
  /** Those of every state that has none of its own for the event. */
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

/** One way that an event may go: of several for the same event the first whose guard holds is taken. */
export interface MachineTransition {
  readonly event: string;
  /** Name of the guard; `undefined` where there is none. */
  readonly guard: string | undefined;
  /** Name of the state that it leads to; `undefined` where it stays. */
  readonly target: string | undefined;
  readonly description: string | undefined;
  /** Names of actions. */
  readonly actions: readonly string[];
}
