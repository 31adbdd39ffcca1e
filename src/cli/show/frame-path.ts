import { isSettled } from '../../model/status.ts';
import { type Piece, widthOfAll } from '../terminal/line.ts';
import { marks } from './marks.ts';
import type { RunProgress, TaskProgress } from './progress.ts';
import { showId } from './reasons.ts';

const arrow: Piece = ['dim', ' → '];
const cut: Piece = ['dim', '… '];

/** The critical path from the run's position on it: the last settled task, then as many of the following as fit. */
export function pathLine({ criticalPath }: RunProgress, columns: number): Piece[] | undefined {
  if (criticalPath.length < 2) return undefined;
  const title: Piece = ['dim', columns >= 60 ? 'critical path  ' : 'path '];
  const at = criticalPath.findIndex(({ status }) => !isSettled(status));
  const before = columns < 40 ? 0 : 1;
  const from = Math.max((at < 0 ? criticalPath.length - 1 : at) - before, 0);
  const pieces = from > 0 ? [title, cut] : [title];
  for (const [index, task] of criticalPath.slice(from).entries()) {
    const next = [...(index === 0 ? [] : [arrow]), ...pieceOf(task, columns)];
    const isLast = from + index === criticalPath.length - 1;
    if (index > 0 && widthOfAll(pieces) + widthOfAll(next) > columns - (isLast ? 0 : 4))
      return [...pieces, ['dim', ' → …']];
    pieces.push(...next);
  }
  return pieces;
}

function pieceOf(task: TaskProgress, columns: number): Piece[] {
  const { glyph, style } = marks[task.status];
  // On a narrow terminal one readable id is better than two.
  const id = showId(task.id, Math.max(Math.floor(columns / 4), Math.min(13, columns - 11), 5));
  return [
    [style, `${glyph} `],
    [task.status === 'pending' ? 'dim' : 'none', id],
  ];
}
