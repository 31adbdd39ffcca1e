import { orchestratorMachine, taskMachine } from '../../../machines/index.ts';
import { dotOfMachines } from '../../draw/machine-dot.ts';
import { diagramOf, waysFrom } from '../../draw/machine-mermaid.ts';
import { svgOfMachines } from '../../draw/machine-svg.ts';

const machines = [taskMachine, orchestratorMachine];

/** The two machines that decide all, in one text. Mermaid has one chart for each, with a comment between. */
export function drawMachines(format: 'mermaid' | 'dot' | 'svg' | 'json'): string {
  if (format === 'dot') return dotOfMachines(machines);
  if (format === 'svg') return svgOfMachines(machines);
  if (format === 'mermaid')
    return machines.map((machine) => `%% ${machine.root.id}\n${diagramOf(machine)}\n`).join('\n');
  const documents = machines.map((machine) => {
    const states = Object.values(machine.root.states);
    return [
      machine.root.id,
      {
        states: states.map(({ key, type, description }) => ({
          name: key,
          isFinal: type === 'final',
          description,
        })),
        transitions: waysFrom(machine),
      },
    ];
  });
  return `${JSON.stringify(Object.fromEntries(documents), undefined, 2)}\n`;
}
