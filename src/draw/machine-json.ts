import type { Machine } from './machine.ts';
import { arrowsOf } from './machine-ways.ts';

/** Writes the states and arrows of flat machines, by machine name. */
export function jsonOfMachines(machines: readonly Machine[]): string {
  const documents = machines.map((machine) => [
    machine.name,
    {
      states: machine.states.map(({ name, isFinal, description }) => ({ name, isFinal, description })),
      transitions: arrowsOf(machine),
    },
  ]);
  return `${JSON.stringify(Object.fromEntries(documents), undefined, 2)}\n`;
}
