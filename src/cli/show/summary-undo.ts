import { showCount } from '../../model/duration.ts';
import type { Piece } from '../terminal/line.ts';
import { marks } from './marks.ts';
import type { RunProgress } from './progress.ts';
import { showError, showId } from './reasons.ts';

/** What was undone of a run, and what could not be; nothing if nothing was to be undone. */
export function undoLines({ compensation }: RunProgress, maxLines: number): Piece[][] {
  if (compensation === undefined) return [];
  const { tasks, failures } = compensation;
  const of = (status: string): string[] => Object.keys(tasks).filter((id) => tasks[id] === status);
  const [undone, blocked] = [of('undone'), of('blocked')];
  const lines: Piece[][] = [];
  if (undone.length > 0)
    lines.push([
      ['yellow', '↶ '],
      ['none', `undone: ${named(undone, maxLines)}`],
    ]);
  for (const { taskId, error } of failures.slice(0, maxLines))
    lines.push([
      [marks.failed.style, `${marks.failed.glyph} `],
      ['bold', showId(taskId)],
      ['none', `  could not be undone: ${showError(error)}`],
    ]);
  const left = failures.length - maxLines;
  if (left > 0) lines.push([['dim', `  ${showCount(left)} more could not be undone`]]);
  if (blocked.length > 0)
    lines.push([
      ['yellow', '· '],
      ['none', `not undone, since something downstream was not: ${named(blocked, maxLines)}`],
    ]);
  return lines;
}

function named(ids: readonly string[], most: number): string {
  const left = ids.length - most;
  const names = ids.slice(0, most).map((id) => showId(id));
  return left > 0 ? `${names.join(', ')} and ${showCount(left)} more` : names.join(', ');
}
