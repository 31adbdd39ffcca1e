import type { Paint, Style } from './paint.ts';
import { truncate, widthOf } from './text.ts';

/** A part of a line, with its style. */
export type Piece = readonly [style: Style, text: string];

/** Joins pieces to a line of at most that many columns; the end is cut. */
export function layOut(pieces: readonly Piece[], columns: number, paint: Paint): string {
  let line = '';
  let left = columns;
  for (const [style, text] of pieces) {
    if (left <= 0) break;
    const width = widthOf(text);
    line += paint(style, width <= left ? text : truncate(text, left));
    left -= width;
  }
  return line.trimEnd();
}

/** Joins groups of pieces with a gap between them; breaks lines only between groups. */
export function fill(groups: readonly (readonly Piece[])[], gap: string, columns: number): Piece[][] {
  const lines: Piece[][] = [];
  for (const group of groups) {
    const line = lines.at(-1);
    const fits = line !== undefined && widthOfAll([...line, ['none', gap], ...group]) <= columns;
    if (fits) line.push(['none', gap], ...group);
    else lines.push([...group]);
  }
  return lines;
}

/** The total width of the pieces, in columns. */
export function widthOfAll(pieces: readonly Piece[]): number {
  return pieces.reduce((width, [, text]) => width + widthOf(text), 0);
}
