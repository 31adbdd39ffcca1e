import type { Machine, MachineState, MachineTransition, StateKind } from '../../../draw/machine.ts';

/** What a picture shows of a machine, in few characters. */
export interface PackedMachine {
  readonly name: string;
  readonly states: readonly PackedState[];
}

/** Transitions are texts: `event`, the targets joined by `,`, the guard, and `a` if there is an action. */
type PackedState = readonly [
  name: string,
  parent: number,
  kind: StateKind,
  description: string,
  initial: number,
  ...transitions: string[],
];

/** Packs a machine of which no name has a blank. */
export function packMachine({ name, states }: Machine): PackedMachine {
  return {
    name,
    states: states.map(({ name, parent, kind, description = '', initial = -1, transitions }): PackedState => {
      return [name, parent, kind, description, initial, ...transitions.map(pack)];
    }),
  };
}

function pack({ event, targets, guard = '', actions }: MachineTransition): string {
  return `${event} ${targets} ${guard} ${actions.length === 0 ? '' : 'a'}`.trimEnd();
}

/** The machine, as far as it is drawn: of actions, that there are some. */
export function unpackMachine({ name, states }: PackedMachine): Machine {
  return {
    name,
    description: undefined,
    states: states.map(([name, parent, kind, description, initial, ...own]): MachineState => {
      const none = { tags: [], entry: [], exit: [], invokes: [] };
      const start = initial < 0 ? undefined : initial;
      return { name, parent, kind, description, initial: start, ...none, transitions: own.map(unpack) };
    }),
  };
}

function unpack(text: string): MachineTransition {
  const [event = '', targets = '', guard, acts] = text.split(' ');
  return {
    event,
    targets: targets === '' ? [] : targets.split(',').map(Number),
    guard: guard || undefined,
    description: undefined,
    actions: acts === undefined ? [] : [acts],
  };
}
