import type { AnyStateMachine } from 'xstate';
import { orchestratorMachine, taskMachine } from '../../../machines/index.ts';
import { dotOfMachines } from '../../draw/machine-dot.ts';
import { jsonOfMachines } from '../../draw/machine-json.ts';
import { mermaidOfMachines } from '../../draw/machine-mermaid.ts';
import { svgOfMachines } from '../../draw/machine-svg.ts';
import { count } from '../../model/duration.ts';
import { describeMachine } from './describe-machine.ts';

type Format = 'mermaid' | 'dot' | 'svg' | 'json';

/** The two machines that decide all, in one text. */
export function drawOwnMachines(format: Format): string {
  const heading = { title: 'topple', subtitle: 'the two machines that decide' };
  return draw([taskMachine, orchestratorMachine], format, { heading, actions: false });
}

/**
 * Machines of a file, in one text, with their actions.
 *
 * @param expand Whether an SVG shows all states of a large machine
 */
export function drawMachines(
  machines: readonly AnyStateMachine[],
  format: Format,
  { file, expand }: { readonly file: string; readonly expand: boolean },
): string {
  const heading = { title: file, subtitle: count(machines.length, 'state machine') };
  return draw(machines, format, { heading, actions: true, expand });
}

function draw(
  machines: readonly AnyStateMachine[],
  format: Format,
  options: {
    readonly heading: { readonly title: string; readonly subtitle: string };
    readonly actions: boolean;
    readonly expand?: boolean;
  },
): string {
  const described = machines.map(describeMachine);
  if (format === 'dot') return dotOfMachines(described, options.actions);
  if (format === 'svg') return svgOfMachines(described, options.heading, options);
  if (format === 'json') return jsonOfMachines(described);
  return mermaidOfMachines(described, options.actions);
}
