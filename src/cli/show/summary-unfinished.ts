import type { TaskStatus } from '../../model/status.ts';
import type { Piece } from '../terminal/line.ts';
import { escapeControls, padTo, truncateMiddle, widthOf, wrapWords } from '../terminal/text.ts';
import { marks } from './marks.ts';
import type { RunProgress, TaskProgress } from './progress.ts';
import { reasonOf, rootTask } from './reasons.ts';

const title: Piece = ['bold', 'Failed, or did not run'];

/** What ended otherwise than `done`, each with its reason: what failed itself first, then what it brought down with it. */
export function unfinishedLines(progress: RunProgress, maxLines: number, columns: number): Piece[][] {
  const tasks = inOrderOfBlame(progress);
  if (tasks.length === 0) return [];
  const shown = tasks.slice(0, maxLines);
  const ids = shown.map(({ id }) =>
    truncateMiddle(escapeControls(id), Math.max(Math.min(Math.floor(columns / 3), 40), 8)),
  );
  const idColumns = Math.max(...ids.map(widthOf));
  const lines = shown.flatMap((task, at): Piece[][] => {
    const { glyph, style } = marks[task.status];
    const id = padTo(ids[at] as string, idColumns);
    const reason = `${reasonOf(progress, task)}${task.optional && task.status === 'failed' ? ' (optional)' : ''}`;
    const [first = '', ...more] = besideOrBelow(reason, columns, idColumns + 6);
    const mark: Piece[] = [
      ['none', '  '],
      [style, `${glyph} `],
    ];
    return [[...mark, ['none', `${id}  ${first}`]], ...more.map((line): Piece[] => [['none', line]])];
  });
  const left = tasks.length - shown.length;
  return left === 0
    ? [[title], ...lines]
    : [[title], ...lines, [['dim', `  … and ${left.toLocaleString('en')} more`]]];
}

/** A text in lines: from that column on, or where that leaves no room, all of it below. */
function besideOrBelow(text: string, columns: number, indent: number): string[] {
  if (columns - indent < 24) return ['', ...indented(wrapWords(text, Math.max(columns - 4, 8)), 4)];
  const [first = '', ...more] = wrapWords(text, columns - indent);
  return [first, ...indented(more, indent)];
}

function indented(lines: readonly string[], columns: number): string[] {
  return lines.map((line) => ' '.repeat(columns) + line);
}

const ranks: readonly TaskStatus[] = ['failed', 'upstream_failed', 'cancelled', 'skipped'];

/** Failures as they happened, the optional ones last; behind them the rest, by what it goes back to. */
function inOrderOfBlame(progress: RunProgress): TaskProgress[] {
  const isOf = (...statuses: TaskStatus[]) =>
    progress.tasks.filter(({ status }) => statuses.includes(status));
  const failed = isOf('failed').sort(
    (a, b) => Number(a.optional) - Number(b.optional) || (a.endedAt ?? 0) - (b.endedAt ?? 0),
  );
  const places = new Map(failed.map((task, place) => [task, place]));
  const placeOf = (task: TaskProgress): number => places.get(rootTask(progress, task)) ?? failed.length;
  const others = isOf('upstream_failed', 'cancelled', 'skipped').map((task) => ({
    task,
    place: placeOf(task),
  }));
  others.sort((a, b) => ranks.indexOf(a.task.status) - ranks.indexOf(b.task.status) || a.place - b.place);
  return [...failed, ...others.map(({ task }) => task)];
}
