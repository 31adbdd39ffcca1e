import { layOut } from '../terminal/line.ts';
import type { Paint } from '../terminal/paint.ts';
import type { RunProgress } from './progress.ts';
import { childLines } from './summary-children.ts';
import { countLines, endPieces } from './summary-end.ts';
import { pathLines, slowestLines, timeLines } from './summary-times.ts';
import { undoLines } from './summary-undo.ts';
import { unfinishedLines } from './summary-unfinished.ts';

/** The format of a summary. */
export interface Sheet {
  /** Columns of the terminal; lines are not shortened without it. */
  readonly columns?: number | undefined;
  readonly paint: Paint;
  /** Maximum length of one list; the rest are counted. */
  readonly maxLines: number;
}

/**
 * The summary of a settled run: which tasks failed or did not run and why, how far the runs inside
 * came, what was undone, which took long, how the time was spent, and
 * last, where the user looks first, how it ended.
 */
export function drawSummary(progress: RunProgress, { columns, paint, maxLines }: Sheet): string[] {
  const width = columns === undefined ? Number.POSITIVE_INFINITY : Math.max(columns - 1, 1);
  const sections = [
    unfinishedLines(progress, maxLines, width),
    childLines(progress, maxLines, width),
    undoLines(progress, maxLines),
    slowestLines(progress, width),
    [...pathLines(progress, width), ...timeLines(progress, width)],
    [...countLines(progress, width), endPieces(progress, width)],
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .flatMap((lines) => ['', ...lines.map((pieces) => layOut(pieces, width, paint))]);
}
