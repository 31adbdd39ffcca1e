import { layOut, type Piece } from '../terminal/line.ts';
import type { Paint } from '../terminal/paint.ts';
import type { RunProgress } from './progress.ts';
import { countPieces, endPieces } from './summary-end.ts';
import { pathLines, slowestLines, timeLines } from './summary-times.ts';
import { unfinishedLines } from './summary-unfinished.ts';

/** How a summary is to look. */
export interface Sheet {
  /** Columns of the terminal; without it lines are as long as they are. */
  readonly columns?: number | undefined;
  readonly paint: Paint;
  /** Of one list; what is left out is counted. */
  readonly maxLines: number;
}

/**
 * What there is to say of a settled run: what failed or did not run and why, what took long, how the time was spent,
 * and, last, where the eye is, how it ended.
 */
export function drawSummary(progress: RunProgress, { columns, paint, maxLines }: Sheet): string[] {
  const width = columns === undefined ? Number.POSITIVE_INFINITY : Math.max(columns - 1, 1);
  // What is only said here may go on in the next line of the terminal; a table would fall apart.
  const whole = (lines: readonly (readonly Piece[])[]): string[] =>
    lines.map((pieces) => layOut(pieces, Number.POSITIVE_INFINITY, paint));
  const sections = [
    whole(unfinishedLines(progress, maxLines, width)),
    slowestLines(progress, width).map((pieces) => layOut(pieces, width, paint)),
    whole([...pathLines(progress, width), ...timeLines(progress)]),
    whole([endPieces(progress), countPieces(progress)]),
  ];
  return sections.filter((lines) => lines.length > 0).flatMap((lines) => ['', ...lines]);
}
