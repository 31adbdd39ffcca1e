import { showCount, showDuration } from '../../model/duration.ts';
import type { SettledRunStatus, TaskStatus } from '../../model/status.ts';
import { fill, type Piece, widthOfAll } from '../terminal/line.ts';
import { escapeControls, truncateMiddle, widthOf } from '../terminal/text.ts';
import { marks } from './marks.ts';
import type { RunProgress } from './progress.ts';
import { maxIdColumns } from './reasons.ts';
import { rootReason } from './root-reason.ts';

/** Minimum number of columns for a reason, at the expense of the text before it. */
const leastReason = 24;

/** Tells in one line how the run ended, and why if it is not done. On a narrow terminal the reason is kept. */
export function endPieces(progress: RunProgress, columns: number): Piece[] {
  const { flow, startedAt, endedAt } = progress;
  const status = progress.status as SettledRunStatus;
  const { glyph, style } = marks[status];
  const took = showDuration((endedAt ?? 0) - (startedAt ?? endedAt ?? 0));
  const idColumns = Math.min(Math.max(Math.floor(columns / 4), 9), maxIdColumns);
  const why = status === 'done' ? undefined : rootReason(progress, idColumns);
  const name = escapeControls(flow);
  const shortName = truncateMiddle(name, Math.max(Math.floor(columns / 4), 9));
  const verb = { done: 'is done', failed: 'failed', cancelled: 'was cancelled' }[status];
  const forms: readonly Piece[][] = [
    [
      ['bold', name],
      ['none', ` ${verb} after ${took}`],
    ],
    [
      ['bold', shortName],
      ['none', ` ${verb} after ${took}`],
    ],
    [['none', `${status} after ${took}`]],
    [['none', status]],
  ];
  const wanted = why === undefined ? 0 : Math.min(widthOf(why), Math.max(leastReason, columns / 2)) + 2;
  const said = forms.find((pieces) => widthOfAll(pieces) <= columns - 2 - wanted);
  const mark: Piece = [style, `${glyph} `];
  if (why === undefined) return [mark, ...(said ?? forms[3] ?? [])];
  return said === undefined ? [mark, ['none', why]] : [mark, ...said, ['none', `: ${why}`]];
}

const order: readonly TaskStatus[] = ['done', 'failed', 'upstream_failed', 'skipped', 'cancelled'];

/** Tells how many tasks ended in which way. */
export function countLines({ counts, tasks }: RunProgress, columns: number): Piece[][] {
  if (tasks.length === 0) return [[['dim', 'no tasks']]];
  const groups = order
    .filter((status) => counts[status] > 0)
    .map((status): Piece[] => [
      [marks[status].style, `${marks[status].glyph} `],
      ['none', `${showCount(counts[status])} ${status}`],
    ]);
  return fill(groups, '   ', columns);
}
