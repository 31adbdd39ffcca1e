import { showCount } from '../../model/duration.ts';
import type { Piece } from '../terminal/line.ts';
import { padTo, widthOf } from '../terminal/text.ts';
import { marks } from './marks.ts';
import type { RunProgress, TaskProgress } from './progress.ts';
import { maxIdColumns, showId } from './reasons.ts';

/** Columns of a status mark, with the spaces around it. */
const markColumns = 4;

/** The tasks that are runs, each in a line with how many tasks of its run have settled: `resize  812/1,000, 2 failed`. */
export function childLines({ tasks }: RunProgress, maxLines: number, columns: number): Piece[][] {
  const runs = tasks.filter(
    (task): task is TaskProgress & Required<Pick<TaskProgress, 'child'>> => task.child !== undefined,
  );
  if (runs.length === 0) return [];
  const shown = runs.slice(0, maxLines);
  const most = Math.max(Math.min(Math.floor((columns - markColumns) / 2), maxIdColumns), 5);
  const ids = shown.map(({ id }) => showId(id, most));
  const idColumns = Math.max(...ids.map(widthOf));
  const lines = shown.map(({ status, child }, at): Piece[] => {
    const { glyph, style } = marks[status];
    return [
      ['none', '  '],
      [style, `${glyph} `],
      ['none', `${padTo(ids[at] as string, idColumns)}  ${child}`],
    ];
  });
  const left = runs.length - shown.length;
  const more: Piece[][] = left === 0 ? [] : [[['dim', `  … and ${showCount(left)} more`]]];
  return [[['bold', 'Runs inside']], ...lines, ...more];
}
