import type { Machine, MachineState } from './machine.ts';
import { type Arrow, arrowsFrom, stayingIn } from './machine-ways.ts';

/** Writes several machines, a chart for each, with its name in a comment above. */
export function mermaidOfMachines(machines: readonly Machine[]): string {
  return machines.map((machine) => `%% ${machine.name}\n${diagramOf(machine)}\n`).join('\n');
}

/**
 * Writes a flat machine as a Mermaid state diagram. A box lists the events that a state takes without leaving; an event
 * that leaves all states in the same way leaves a frame around them.
 */
export function diagramOf(machine: Machine): string {
  const open = machine.states.filter(({ isFinal }) => !isFinal);
  const final = machine.states.filter(({ isFinal }) => isFinal);
  const shared = arrowsFrom('any', machine.transitions).map(lineOf);
  const inner = [
    `[*] --> ${machine.initial}`,
    ...open.flatMap((state) => boxOf(machine, state)),
    ...open.flatMap(({ name, transitions }) => arrowsFrom(name, transitions)).map(lineOf),
  ];
  const lines = [
    'direction LR',
    ...(shared.length === 0
      ? inner
      : ['state "any of these" as any {', ...inner.map(indent), '}', ...shared]),
    'classDef final stroke-width:3px',
    `class ${final.map(({ name }) => name).join(',')} final`,
  ];
  return ['stateDiagram-v2', ...lines.map(indent)].join('\n');
}

/** Writes a box; its first line is Mermaid's title. */
function boxOf(machine: Machine, state: MachineState): string[] {
  return [state.name, ...stayingIn(machine, state)].map((line) => `${state.name} : ${line}`);
}

function lineOf({ from, to, label }: Arrow): string {
  return `${from} --> ${to} : ${label}`;
}

function indent(line: string): string {
  return `  ${line}`;
}
