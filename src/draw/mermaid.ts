import { escapeControls } from '../model/escape.ts';
import { isCritical, noteText, type Picture, type PictureTask } from './picture.ts';
import { statusStyles } from './status-style.ts';

/** The most that Mermaid takes, unless its `maxTextSize` and `maxEdges` say otherwise. */
export const mermaidLimits = { characters: 50_000, edges: 500 } as const;

/** Writes a flow as a Mermaid flowchart. */
export function mermaidOf(picture: Picture): string {
  const { tasks, dependsOn } = picture;
  const lines = ['flowchart LR'];
  const innerEdges: string[] = [];
  addNodes(picture, 't', '  ', lines, innerEdges);
  const critical: number[] = [];
  let edges = 0;
  for (const [to, upstream] of dependsOn.entries()) {
    for (const from of upstream) {
      if (isCritical(picture, from, to)) critical.push(edges);
      lines.push(`  t${from} --> t${to}`);
      edges++;
    }
  }
  lines.push(...innerEdges);
  if (critical.length > 0) lines.push(`  linkStyle ${critical.join(',')} stroke-width:3px`);
  for (const [status, { fill, ink }] of Object.entries(statusStyles)) {
    const those = tasks.flatMap((task, index) => (task.status === status ? [`t${index}`] : []));
    if (those.length > 0)
      lines.push(`  classDef ${status} fill:${fill},color:${ink}`, `  class ${those.join(',')} ${status}`);
  }
  const focus = tasks.findIndex(({ isFocus }) => isFocus);
  if (focus >= 0) lines.push(`  style t${focus} stroke-width:3px`);
  return `${lines.join('\n')}\n`;
}

/** Adds a box for each task; for one that is expanded a subgraph, of which the edges come last. */
function addNodes(
  { tasks }: Picture,
  prefix: string,
  indent: string,
  lines: string[],
  edges: string[],
): void {
  for (const [index, task] of tasks.entries()) {
    const name = `${prefix}${index}`;
    if (task.inner === undefined) {
      // A box with a double border.
      const [open, close] = task.child === undefined ? ['[', ']'] : ['[[', ']]'];
      lines.push(`${indent}${name}${open}"${labelOf(task)}"${close}`);
      continue;
    }
    lines.push(`${indent}subgraph ${name}["${labelOf(task)}"]`);
    addNodes(task.inner, `${name}_`, `${indent}  `, lines, edges);
    lines.push(`${indent}end`);
    for (const [to, upstream] of task.inner.dependsOn.entries())
      for (const from of upstream) edges.push(`  ${name}_${from} --> ${name}_${to}`);
  }
}

/** Says why Mermaid would refuse a chart; `undefined` if it would not. */
export function mermaidProblem(text: string): string | undefined {
  const edges = text.split(' --> ').length - 1;
  const problems = [
    ...(text.length > mermaidLimits.characters
      ? [`${text.length} characters (maxTextSize is ${mermaidLimits.characters})`]
      : []),
    ...(edges > mermaidLimits.edges ? [`${edges} edges (maxEdges is ${mermaidLimits.edges})`] : []),
  ];
  return problems.length === 0 ? undefined : problems.join(' and ');
}

function labelOf(task: PictureTask): string {
  const { id, status, triggerRule } = task;
  const child = noteText(task);
  const run = child === undefined ? '' : `<br/><small>${escapeLabel(child)}</small>`;
  const glyph = status === undefined ? '' : `${statusStyles[status].glyph} `;
  const rule = triggerRule === 'all_success' ? '' : `<br/><i>${triggerRule}</i>`;
  return `${glyph}${escapeLabel(id)}${run}${rule}`;
}

/** Escapes with Mermaid's own entities: it reads a label as Markdown and HTML, and a quote would end it. */
function escapeLabel(text: string): string {
  // Mermaid has no empty labels.
  if (text === '') return '#160;';
  return escapeControls(text.toWellFormed().replaceAll(/\p{Cc}+/gu, ' ')).replaceAll(
    /["#&<>`*_~|\\[\]{}()$;]/g,
    (char) => `#${char.codePointAt(0)};`,
  );
}
