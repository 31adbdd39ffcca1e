import type { Machine } from './machine.ts';
import { arrowsOf } from './machine-ways.ts';

/** Writes flat machines in Graphviz's language: one frame for each. */
export function dotOfMachines(machines: readonly Machine[]): string {
  const lines = [
    'digraph machines {',
    '  rankdir=LR;',
    '  node [shape=box, style=rounded, fontname="Helvetica", fontsize=11];',
    '  edge [fontname="Helvetica", fontsize=9, color="#8c959f"];',
  ];
  for (const machine of machines) {
    const nodeOf = (state: string): string => `"${machine.name}.${state}"`;
    lines.push(`  subgraph "cluster_${machine.name}" {`, `    label="${machine.name}";`);
    for (const { name, isFinal } of machine.states)
      lines.push(`    ${nodeOf(name)} [label="${name}"${isFinal ? ', peripheries=2' : ''}];`);
    for (const { from, to, label } of arrowsOf(machine))
      lines.push(`    ${nodeOf(from)} -> ${nodeOf(to)} [label="${label}"];`);
    lines.push('  }');
  }
  return `${lines.join('\n')}\n}\n`;
}
