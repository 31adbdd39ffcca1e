import { orchestratorMachine, taskMachine } from '../../../machines/index.ts';
import { dotOfMachines } from '../../draw/machine-dot.ts';
import { jsonOfMachines } from '../../draw/machine-json.ts';
import { mermaidOfMachines } from '../../draw/machine-mermaid.ts';
import { svgOfMachines } from '../../draw/machine-svg.ts';
import { describeMachine } from './describe-machine.ts';

/** The two machines that decide all, in one text. */
export function drawMachines(format: 'mermaid' | 'dot' | 'svg' | 'json'): string {
  const machines = [taskMachine, orchestratorMachine].map(describeMachine);
  if (format === 'dot') return dotOfMachines(machines);
  if (format === 'svg')
    return svgOfMachines(machines, { title: 'topple', subtitle: 'the two machines that decide' });
  if (format === 'json') return jsonOfMachines(machines);
  return mermaidOfMachines(machines);
}
