import type { Machine, MachineState, MachineTransition } from '../../../draw/machine.ts';

/** What a picture shows of a machine, in few characters. */
export interface PackedMachine {
  readonly name: string;
  readonly initial: string;
  /** A name, a description, `1` of a final state, and transitions: `event target guard` or `event target`. */
  readonly states: readonly (readonly [name: string, description: string, isFinal: 0 | 1, ...string[]])[];
  readonly transitions: readonly string[];
}

/** Packs a machine. */
export function packMachine({ name, initial, states, transitions }: Machine): PackedMachine {
  return {
    name,
    initial,
    states: states.map((state) => {
      const { description = '', isFinal } = state;
      return [state.name, description, isFinal ? 1 : 0, ...packAll(state.transitions)] as const;
    }),
    transitions: packAll(transitions),
  };
}

function packAll(transitions: readonly MachineTransition[]): string[] {
  return transitions.map(({ event, target = '', guard = '', actions }) => {
    return `${event} ${target} ${guard} ${actions.length === 0 ? '' : 'a'}`.trimEnd();
  });
}

/** The machine, as far as it is drawn: of actions, that there are some. */
export function unpackMachine({ name, initial, states, transitions }: PackedMachine): Machine {
  return {
    name,
    description: undefined,
    initial,
    entry: [],
    states: states.map(([name, description, isFinal, ...own]): MachineState => {
      const none = { tags: [], entry: [], exit: [] };
      return { name, description, isFinal: isFinal === 1, ...none, transitions: own.map(unpack) };
    }),
    transitions: transitions.map(unpack),
  };
}

function unpack(text: string): MachineTransition {
  const [event = '', target, guard, acts] = text.split(' ');
  const actions = acts === undefined ? [] : [acts];
  return { event, target: target || undefined, guard: guard || undefined, description: undefined, actions };
}
