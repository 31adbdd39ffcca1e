import type { SettledRunStatus, TaskStatus } from '../../model/status.ts';
import { count, showCount, showDuration } from '../duration.ts';
import type { Piece } from '../terminal/line.ts';
import { escapeControls } from '../terminal/text.ts';
import { marks } from './marks.ts';
import type { RunProgress } from './progress.ts';
import { showReason } from './reasons.ts';

/** How the run ended, in one line. */
export function endPieces(progress: RunProgress): Piece[] {
  const { flow, startedAt, endedAt } = progress;
  const status = progress.status as SettledRunStatus;
  const { glyph, style } = marks[status];
  const verb = { done: 'is done after', failed: 'failed after', cancelled: 'was cancelled after' }[status];
  const took = showDuration((endedAt ?? 0) - (startedAt ?? endedAt ?? 0));
  const why = status === 'done' ? undefined : whyOf(progress);
  return [
    [style, `${glyph} `],
    ['bold', escapeControls(flow)],
    ['none', ` ${verb} ${took}${why === undefined ? '' : `: ${why}`}`],
  ];
}

function whyOf({ status, cause, reason, tasks }: RunProgress): string | undefined {
  if (status === 'cancelled') return showReason(reason);
  if (cause === 'timeout') return 'it was out of time';
  if (cause !== undefined)
    return `its ${cause} was refused${reason === undefined ? '' : `: ${showReason(reason)}`}`;
  const counting = tasks.filter(({ optional }) => !optional);
  const failed = counting.filter((task) => task.status === 'failed').length;
  const blocked = counting.filter((task) => task.status === 'upstream_failed').length;
  if (failed === 0) return `${count(blocked, 'task')} did not run`;
  return `${count(failed, 'task')} failed${blocked === 0 ? '' : `, ${showCount(blocked)} did not run`}`;
}

const order: readonly TaskStatus[] = ['done', 'failed', 'upstream_failed', 'skipped', 'cancelled'];

/** How many tasks ended how. */
export function countPieces({ counts, tasks }: RunProgress): Piece[] {
  if (tasks.length === 0) return [['dim', '  no tasks']];
  return order
    .filter((status) => counts[status] > 0)
    .flatMap((status, at): Piece[] => [
      ['none', at === 0 ? '  ' : '   '],
      [marks[status].style, `${marks[status].glyph} `],
      ['none', `${counts[status].toLocaleString('en')} ${status}`],
    ]);
}
