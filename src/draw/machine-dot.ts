import { escapeControls } from '../model/escape.ts';
import { childrenOf, type Machine, type MachineState, pathOf } from './machine.ts';
import { edgesOf } from './statechart/edges.ts';

/** Writes machines in Graphviz's language: a frame for each, and for each state that has others inside. */
export function dotOfMachines(machines: readonly Machine[], withActions = false): string {
  const lines = [
    'digraph machines {',
    '  rankdir=LR;',
    '  compound=true;',
    '  node [shape=box, style=rounded, fontname="Helvetica", fontsize=11];',
    '  edge [fontname="Helvetica", fontsize=9, color="#8c959f"];',
  ];
  for (const machine of machines) lines.push(...clusterOf(machine, withActions));
  return `${lines.join('\n')}\n}\n`;
}

/** Does not call itself, as a machine may be deep. */
function clusterOf(machine: Machine, withActions: boolean): string[] {
  const { states } = machine;
  const children = childrenOf(machine);
  const isOuter = (index: number): boolean => (children[index] as number[]).length > 0;
  const idOf = (index: number): string =>
    index === 0 ? machine.name : `${machine.name}.${pathOf(machine, index)}`;
  const lines: string[] = [];
  const open: (number | string)[] = [0];
  let depth = 1;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === 'string') {
      depth--;
      lines.push(`${'  '.repeat(depth)}${next}`);
      continue;
    }
    const indent = '  '.repeat(depth);
    const { name, kind } = states[next] as MachineState;
    if (!isOuter(next)) {
      lines.push(
        `${indent}${quote(idOf(next))} [label=${quote(name)}${kind === 'final' ? ', peripheries=2' : ''}];`,
      );
      continue;
    }
    lines.push(`${indent}subgraph ${quote(`cluster_${idOf(next)}`)} {`, `${indent}  label=${quote(name)};`);
    // The machine's own frame ends after its arrows.
    if (next > 0) open.push('}');
    open.push(...(children[next] as number[]).toReversed());
    depth++;
  }
  // An arrow of a container goes to a state in it, and is cut at its frame.
  const leafOf = (index: number): number => {
    let at = index;
    while (isOuter(at)) at = states[at]?.initial ?? (children[at]?.[0] as number);
    return at;
  };
  for (const { source, target, lines: labels } of edgesOf(machine, withActions)) {
    const [from, to] = [leafOf(source), leafOf(target)];
    const cuts = [
      ...(from === source ? [] : [`ltail=${quote(`cluster_${idOf(source)}`)}`]),
      ...(to === target ? [] : [`lhead=${quote(`cluster_${idOf(target)}`)}`]),
    ];
    const texts = labels.length === 0 ? [{ text: '', note: '' }] : labels;
    for (const { text, note } of texts) {
      const label = `label=${quote(`${text} ${note}`.trim())}`;
      lines.push(`    ${quote(idOf(from))} -> ${quote(idOf(to))} [${[label, ...cuts].join(', ')}];`);
    }
  }
  return isOuter(0) ? [...lines, '  }'] : lines;
}

function quote(text: string): string {
  const line = escapeControls(text.toWellFormed().replaceAll(/[\r\n\t]+/g, ' '));
  return `"${line.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
