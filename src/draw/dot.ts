import { escapeControls } from '../model/escape.ts';
import { isCritical, noteText, type Picture, type PictureTask } from './picture.ts';
import { statusStyles } from './status-style.ts';

/** Writes a flow in Graphviz's language. */
export function dotOf(picture: Picture): string {
  const { name, dependsOn } = picture;
  const lines = [
    `digraph ${quote(name)} {`,
    '  rankdir=LR;',
    '  node [shape=box, style="rounded,filled", fillcolor="#f6f8fa", color="#8c959f", fontname="Helvetica", fontsize=11];',
    '  edge [color="#8c959f", arrowsize=0.7];',
  ];
  addNodes(picture, 't', '  ', lines);
  for (const [to, upstream] of dependsOn.entries()) {
    for (const from of upstream)
      lines.push(
        `  t${from} -> t${to}${isCritical(picture, from, to) ? ' [color="#8250df", penwidth=2]' : ''};`,
      );
  }
  return `${lines.join('\n')}\n}\n`;
}

/** Adds a box for each task; one that is expanded stands in a cluster, with what it runs. */
function addNodes(picture: Picture, prefix: string, indent: string, lines: string[]): void {
  for (const [index, task] of picture.tasks.entries()) {
    const name = `${prefix}${index}`;
    const node = `${name} [${attributesOf(task, picture.criticalPath.has(index))}];`;
    if (task.inner === undefined) {
      lines.push(`${indent}${node}`);
      continue;
    }
    lines.push(
      `${indent}subgraph cluster_${name} {`,
      `${indent}  style=rounded; color="#8c959f";`,
      `${indent}  ${node}`,
    );
    addNodes(task.inner, `${name}_`, `${indent}  `, lines);
    for (const [to, upstream] of task.inner.dependsOn.entries())
      for (const from of upstream) lines.push(`${indent}  ${name}_${from} -> ${name}_${to};`);
    lines.push(`${indent}}`);
  }
}

function attributesOf(task: PictureTask, isCriticalTask: boolean): string {
  const { id, status, triggerRule, isFocus } = task;
  const notes = [noteText(task), triggerRule === 'all_success' ? undefined : triggerRule].filter(
    (note) => note !== undefined,
  );
  const attributes = [`label=${quote(id, ...notes)}`];
  if (task.child !== undefined) attributes.push('peripheries=2');
  if (status !== undefined) {
    const { fill, ink } = statusStyles[status];
    attributes.push(`fillcolor="${fill}"`, `fontcolor="${ink}"`, `tooltip=${quote(`${id}: ${status}`)}`);
  }
  if (isCriticalTask) attributes.push('color="#8250df"', 'penwidth=2');
  if (isFocus) attributes.push('penwidth=3');
  return attributes.join(', ');
}

/** Quotes lines: escapes backslashes and ampersands, as Graphviz has escapes and entities. */
function quote(...lines: readonly string[]): string {
  const inQuotes = (part: string): string =>
    escapeControls(part.toWellFormed().replaceAll(/\p{Cc}+/gu, ' '))
      .replaceAll('&', '&amp;')
      .replaceAll('\\', '\\\\')
      .replaceAll('"', '\\"');
  return `"${lines.map(inQuotes).join('\\n')}"`;
}
