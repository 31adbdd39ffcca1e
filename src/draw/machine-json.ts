import { type Machine, pathOf } from './machine.ts';

/** Writes the states and transitions of machines, by machine name. States are named by their paths from the machine. */
export function jsonOfMachines(machines: readonly Machine[]): string {
  return `${JSON.stringify(Object.fromEntries(machines.map((machine) => [machine.name, documentOf(machine)])), undefined, 2)}\n`;
}

function documentOf(machine: Machine): object {
  const [root, ...states] = machine.states.map(({ parent, kind, initial, hidden, ...state }, index) => ({
    path: pathOf(machine, index),
    kind,
    initial: initial === undefined ? undefined : pathOf(machine, initial),
    description: state.description,
    tags: state.tags,
    entry: state.entry,
    exit: state.exit,
    invokes: state.invokes,
    hidden,
  }));
  return {
    ...root,
    path: undefined,
    states,
    transitions: machine.states.flatMap(({ transitions }, index) =>
      transitions.map(({ event, guard, targets, description, actions }) => ({
        from: pathOf(machine, index),
        event,
        guard,
        to: targets.map((target) => pathOf(machine, target)),
        description,
        actions,
      })),
    ),
  };
}
