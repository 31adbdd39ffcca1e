import { showCount } from '../../model/duration.ts';
import type { TaskStatus } from '../../model/status.ts';
import type { Piece } from '../terminal/line.ts';
import { hasRoomBeside, padTo, widthOf, wrapWords } from '../terminal/text.ts';
import { blockedByRoot, didNotRun, failuresInOrder } from './did-not-run.ts';
import { marks } from './marks.ts';
import type { RunProgress, TaskProgress } from './progress.ts';
import { maxIdColumns, reasonOf, rootTask, showId } from './reasons.ts';

const titles = ['Failed, or did not run', 'Not done'] as const;

/** Columns of a status mark, with the spaces around it. */
const markColumns = 4;

/** A task with its reason, or the tasks that did not run because of one. */
type Item =
  | { readonly task: TaskProgress }
  | { readonly root: TaskProgress; readonly blocked: readonly TaskProgress[] };

/**
 * Tells which tasks ended otherwise than `done`: each failure with its reason, followed by the tasks that did not run
 * because of it.
 */
export function unfinishedLines(progress: RunProgress, maxLines: number, columns: number): Piece[][] {
  const items = inOrderOfBlame(progress);
  if (items.length === 0) return [];
  const shown = items.slice(0, maxLines);
  const tasks = shown.flatMap((item) => ('task' in item ? [item.task] : []));
  const most = Math.max(Math.min(Math.floor(columns / 3), maxIdColumns), 8);
  const idColumns = Math.max(...tasks.map(({ id }) => widthOf(showId(id, most))));
  const hasRoom = hasRoomBeside(columns, markColumns + idColumns + 2);
  const below = Math.max(columns - markColumns, 8);
  const lines = shown.flatMap((item): Piece[][] => {
    // The characters around an id in a sentence take three columns.
    const inSentence = Math.min(Math.max(below - 3, 5), maxIdColumns);
    if ('blocked' in item) {
      const text = didNotRun(item.root, item.blocked, inSentence);
      return linesOf('upstream_failed', wrapWords(text, below), markColumns);
    }
    const { task } = item;
    const reason = `${reasonOf(progress, task, inSentence)}${task.optional && task.status === 'failed' ? ' (optional)' : ''}`;
    if (!hasRoom)
      return linesOf(task.status, [showId(task.id, below), ...wrapWords(reason, below)], markColumns);
    const beside = markColumns + idColumns + 2;
    const [first = '', ...more] = wrapWords(reason, columns - beside);
    return linesOf(task.status, [`${padTo(showId(task.id, most), idColumns)}  ${first}`, ...more], beside);
  });
  const title: Piece = ['bold', titles.find((words) => words.length <= columns) ?? titles[1]];
  const left = countTasks(items) - countTasks(shown);
  return left === 0 ? [[title], ...lines] : [[title], ...lines, [['dim', `  … and ${showCount(left)} more`]]];
}

function countTasks(items: readonly Item[]): number {
  return items.reduce((sum, item) => sum + ('blocked' in item ? item.blocked.length : 1), 0);
}

/** Lines of which the first has a status mark, and the others start at that column. */
function linesOf(status: TaskStatus, [first = '', ...more]: readonly string[], column: number): Piece[][] {
  const { glyph, style } = marks[status];
  return [
    [
      ['none', '  '],
      [style, `${glyph} `],
      ['none', first],
    ],
    ...more.map((line): Piece[] => [['none', ' '.repeat(column) + line]]),
  ];
}

const ranks: readonly TaskStatus[] = ['upstream_failed', 'cancelled', 'skipped'];

/**
 * Failures by time, each with the tasks that did not run because of it; optional ones that kept no required task from
 * running come last. Then the other tasks, in the order of their roots.
 */
function inOrderOfBlame(progress: RunProgress): Item[] {
  const roots = new Map<TaskProgress, TaskProgress>();
  const blocked = blockedByRoot(progress, roots);
  const failed = failuresInOrder(progress);
  const withBlocked = (root: TaskProgress): Item[] => {
    const behind = blocked.get(root);
    return behind === undefined ? [{ task: root }] : [{ task: root }, { root, blocked: behind }];
  };
  const places = new Map(failed.map((task, place) => [task, place]));
  const placeOf = (task: TaskProgress): number =>
    places.get(rootTask(progress, task, roots)) ?? failed.length;
  const others = progress.tasks
    .filter((task) => ranks.includes(task.status) && (task.status !== 'upstream_failed' || blocked.has(task)))
    .map((task) => ({ task, place: placeOf(task) }));
  others.sort((a, b) => ranks.indexOf(a.task.status) - ranks.indexOf(b.task.status) || a.place - b.place);
  return [...failed.flatMap(withBlocked), ...others.flatMap(({ task }) => withBlocked(task))];
}
