import type { AnyStateMachine } from 'xstate';
import { waysFrom } from './machine-mermaid.ts';

/** Flat machines in Graphviz's language: one frame for each. */
export function dotOfMachines(machines: readonly AnyStateMachine[]): string {
  const lines = [
    'digraph machines {',
    '  rankdir=LR;',
    '  node [shape=box, style=rounded, fontname="Helvetica", fontsize=11];',
    '  edge [fontname="Helvetica", fontsize=9, color="#8c959f"];',
  ];
  for (const machine of machines) {
    const { root } = machine;
    const nameOf = (state: string): string => `"${root.id}.${state}"`;
    lines.push(`  subgraph "cluster_${root.id}" {`, `    label="${root.id}";`);
    for (const state of Object.values(root.states))
      lines.push(
        `    ${nameOf(state.key)} [label="${state.key}"${state.type === 'final' ? ', peripheries=2' : ''}];`,
      );
    for (const { from, to, label } of waysFrom(machine))
      lines.push(`    ${nameOf(from)} -> ${nameOf(to)} [label="${label}"];`);
    lines.push('  }');
  }
  return `${lines.join('\n')}\n}\n`;
}
