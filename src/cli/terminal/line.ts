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

/** Columns that the pieces take together. */
export function widthOfAll(pieces: readonly Piece[]): number {
  return pieces.reduce((width, [, text]) => width + widthOf(text), 0);
}
