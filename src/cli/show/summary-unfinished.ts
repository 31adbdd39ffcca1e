import type { TaskStatus } from '../../model/status.ts';
import type { Piece } from '../terminal/line.ts';
import { escapeControls, padTo, truncateMiddle, widthOf, wrapWords } from '../terminal/text.ts';
import { blockedByRoot, didNotRun } from './did-not-run.ts';
import { marks } from './marks.ts';
import type { RunProgress, TaskProgress } from './progress.ts';
import { reasonOf, rootTask } from './reasons.ts';

const title: Piece = ['bold', 'Failed, or did not run'];

/** A task with its reason, or those that did not run because of one. */
type Item =
  | { readonly task: TaskProgress }
  | { readonly root: TaskProgress; readonly blocked: readonly TaskProgress[] };

/** Tells what ended otherwise than `done`: each failure with its reason, and below it what did not run because of it. */
export function unfinishedLines(progress: RunProgress, maxLines: number, columns: number): Piece[][] {
  const items = inOrderOfBlame(progress);
  if (items.length === 0) return [];
  const shown = items.slice(0, maxLines);
  const tasks = shown.flatMap((item) => ('task' in item ? [item.task] : []));
  const maxColumns = Math.max(Math.min(Math.floor(columns / 3), 40), 8);
  const idOf = ({ id }: TaskProgress): string => truncateMiddle(escapeControls(id), maxColumns);
  const idColumns = Math.max(...tasks.map((task) => widthOf(idOf(task))));
  const lines = shown.flatMap((item): Piece[][] => {
    if ('blocked' in item) {
      const text = didNotRun(item.root, item.blocked);
      return linesOf('upstream_failed', wrapWords(text, Math.max(columns - 4, 8)), 4);
    }
    const { task } = item;
    const id = padTo(idOf(task), idColumns);
    const reason = `${reasonOf(progress, task)}${task.optional && task.status === 'failed' ? ' (optional)' : ''}`;
    const [first = '', ...more] = besideOrBelow(reason, columns, idColumns + 6);
    return linesOf(task.status, [`${id}  ${first}`, ...more], 0);
  });
  const left = countTasks(items) - countTasks(shown);
  return left === 0
    ? [[title], ...lines]
    : [[title], ...lines, [['dim', `  … and ${left.toLocaleString('en')} more`]]];
}

function countTasks(items: readonly Item[]): number {
  return items.reduce((sum, item) => sum + ('blocked' in item ? item.blocked.length : 1), 0);
}

/** Lines of which the first has the mark of a status. */
function linesOf(status: TaskStatus, [first = '', ...more]: readonly string[], indent: number): Piece[][] {
  const { glyph, style } = marks[status];
  return [
    [
      ['none', '  '],
      [style, `${glyph} `],
      ['none', first],
    ],
    ...indented(more, indent).map((line): Piece[] => [['none', line]]),
  ];
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

const ranks: readonly TaskStatus[] = ['upstream_failed', 'cancelled', 'skipped'];

/**
 * Failures as they happened, each with what did not run because of it; those last that are optional and kept no task
 * from running that is not. Behind them the rest, by what it goes back to.
 */
function inOrderOfBlame(progress: RunProgress): Item[] {
  const roots = new Map<TaskProgress, TaskProgress>();
  const blocked = blockedByRoot(progress, roots);
  const counts = (task: TaskProgress): boolean =>
    !task.optional || (blocked.get(task)?.some(({ optional }) => !optional) ?? false);
  const failed = progress.tasks
    .filter(({ status }) => status === 'failed')
    .sort((a, b) => Number(counts(b)) - Number(counts(a)) || (a.endedAt ?? 0) - (b.endedAt ?? 0));
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
