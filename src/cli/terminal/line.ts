import type { Paint, Style } from './paint.ts';
import { truncate, widthOf } from './text.ts';

/** A part of a line, with its look. */
export type Piece = readonly [style: Style, text: string];

/** Puts pieces side by side, in at most that many columns: what comes last is cut. */
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

/** Puts groups of pieces side by side with a gap between them, in lines that are broken only between groups. */
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

/** Columns that the pieces take together. */
export function widthOfAll(pieces: readonly Piece[]): number {
  return pieces.reduce((width, [, text]) => width + widthOf(text), 0);
}
