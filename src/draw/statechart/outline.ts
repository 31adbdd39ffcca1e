import type { Machine, StateKind } from '../machine.ts';
import { at, escapeXml, measure, shorten } from '../svg-text.ts';

/** A line of the outline of a machine. */
export interface OutlineRow {
  /** The index of the state. */
  readonly state: number;
  /** 0 for the machine itself. */
  readonly depth: number;
  readonly name: string;
  readonly kind: StateKind;
  /** The number of all states inside it. */
  readonly inside: number;
}

/** Lists all states of a machine, each before those in it. */
export function outlineOf({ states }: Machine): OutlineRow[] {
  const depths: number[] = [];
  const inside = states.map(() => 0);
  for (const { parent } of states) depths.push(parent < 0 ? 0 : (depths[parent] as number) + 1);
  for (let index = states.length - 1; index > 0; index--) {
    const parent = states[index]?.parent as number;
    inside[parent] = (inside[parent] as number) + (inside[index] as number) + 1;
  }
  return states.map(({ name, kind }, index) => ({
    state: index,
    depth: depths[index] as number,
    name,
    kind,
    inside: inside[index] as number,
  }));
}

/** The rules for the classes of a painted outline. */
export const outlineCss = `
.topple .row{font-size:11px}
.topple .row.outer{font-weight:600}
`;

const rowHeight = 16;
const rowsInColumn = 80;
/** The most rows that are written; what is left out is counted. */
const mostRows = 400;

/** Writes the outline of a machine in columns. */
export function paintOutline(machine: Machine): { body: string[]; width: number; height: number } {
  const all = outlineOf(machine);
  const rows = all
    .slice(0, all.length > mostRows ? mostRows - 1 : mostRows)
    .map(({ depth, name, inside }) => {
      const text = `${shorten(name, 24)}${inside > 0 ? ` (${inside})` : ''}`;
      return { text, indent: 12 * Math.min(depth, 12), isOuter: inside > 0 };
    });
  if (rows.length < all.length)
    rows.push({ text: `… ${all.length - rows.length} more`, indent: 0, isOuter: false });
  const body: string[] = [];
  let width = 0;
  for (let start = 0; start < rows.length; start += rowsInColumn) {
    const column = rows.slice(start, start + rowsInColumn);
    const left = width === 0 ? 0 : width + 20;
    for (const [index, { text, indent, isOuter }] of column.entries()) {
      body.push(
        `<text class="row${isOuter ? ' outer' : ''}" x="${at(left + indent)}" y="${at(index * rowHeight + 12)}">${escapeXml(text)}</text>`,
      );
      width = Math.max(width, left + indent + measure(text) * 11.5);
    }
  }
  return { body, width, height: Math.min(rows.length, rowsInColumn) * rowHeight };
}
