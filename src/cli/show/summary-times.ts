import { showDuration } from '../../model/duration.ts';
import { fill, type Piece } from '../terminal/line.ts';
import { hasRoomBeside, padTo, widthOf } from '../terminal/text.ts';
import { marks } from './marks.ts';
import type { RunProgress, TaskProgress } from './progress.ts';
import { maxIdColumns, showId } from './reasons.ts';

const maxSlowest = 5;
/** Columns of a status mark, with the spaces around it. */
const markColumns = 4;
/** Maximum number of tasks shown at either end of a path. */
const maxEnds = 4;

/** Shorter times are overhead of the engine, and tell nothing about a task. */
const leastMs = 10;

/** Columns of the table; those without a significant time are left out. */
const columnsOfTimes = [
  { title: 'running', of: ({ ranMs }: TaskProgress) => ranMs },
  { title: 'waiting for slots', of: ({ slotMs }: TaskProgress) => slotMs },
  { title: 'between attempts', of: ({ backoffMs }: TaskProgress) => backoffMs },
];

/** The tasks that ran longest, with how they spent their time. */
export function slowestLines({ tasks }: RunProgress, columns: number): Piece[][] {
  const slowest = tasks
    .filter(({ ranMs }) => ranMs >= leastMs)
    .sort((a, b) => b.ranMs - a.ranMs)
    .slice(0, maxSlowest);
  if (slowest.length === 0) return [];
  const isNarrow = columns < 60;
  const shown = columnsOfTimes
    .slice(0, isNarrow ? 1 : undefined)
    .filter(({ of }) => slowest.some((task) => of(task) >= leastMs));
  // The rest is for the mark, and at least one time.
  const most = isNarrow ? columns - markColumns - 10 : Math.floor(columns / 3);
  const ids = slowest.map(({ id }) => showId(id, Math.max(Math.min(most, maxIdColumns), 5)));
  const title = columns < 40 ? 'Slowest' : 'Slowest tasks';
  // The title starts at the edge, ids after their marks.
  const idColumns = Math.max(...ids.map(widthOf), title.length - markColumns);
  const heading = shown.map((column): Piece => ['dim', `   ${column.title}`]);
  const lines = slowest.map((task, at): Piece[] => {
    const { glyph, style } = marks[task.status];
    const times = shown.map(({ title, of }): Piece => {
      const ms = of(task);
      return [
        ms >= leastMs ? 'none' : 'dim',
        (ms >= leastMs ? showDuration(ms) : '–').padStart(title.length + 3),
      ];
    });
    return [['none', '  '], [style, `${glyph} `], ['none', padTo(ids[at] as string, idColumns)], ...times];
  });
  return [[['bold', padTo(title, idColumns + markColumns)], ...heading], ...lines];
}

const pathTitle = 'Critical path';

/**
 * The chain of tasks that the run waited for: from the last to end back, each time to the dependency that ended last.
 */
export function pathLines(progress: RunProgress, columns: number): Piece[][] {
  const path = decisivePath(progress);
  if (path.length < 2 || path.every(({ ranMs }) => ranMs < leastMs)) return [];
  const isLong = path.length > 2 * maxEnds + 1;
  const ends = isLong ? [...path.slice(0, maxEnds), ...path.slice(-maxEnds)] : path;
  const steps = ends.map((task, at): Piece[] => {
    const time = ` ${showDuration(task.ranMs + task.backoffMs + task.slotMs)}`;
    const arrow = at > 0 ? '→ ' : '';
    const room = columns - narrowIndent - arrow.length - time.length;
    return [
      ['dim', arrow],
      ['none', showId(task.id, Math.min(Math.max(room, 5), 24))],
      ['dim', time],
    ];
  });
  if (isLong) steps.splice(maxEnds, 0, [['dim', `→ … ${path.length - 2 * maxEnds} more`]]);
  return titled(pathTitle, steps, columns);
}

/** The time that all tasks together spent, by kind. */
export function timeLines({ tasks }: RunProgress, columns: number): Piece[][] {
  const [ran = 0, slots = 0, backoff = 0] = columnsOfTimes.map(({ of }) =>
    tasks.reduce((sum, task) => sum + of(task), 0),
  );
  if (ran + slots + backoff < leastMs) return [];
  const waits = [
    slots >= leastMs ? `waited ${showDuration(slots)} for slots` : '',
    backoff >= leastMs ? `waited ${showDuration(backoff)} between attempts` : '',
  ].filter((text) => text !== '');
  // Keeps a number with its unit.
  const words = [`ran ${showDuration(ran)}`, ...waits].join(', ').split(/ (?!(?:ms|s|min|h|d)\b)/);
  return titled(
    'All tasks',
    words.map((word): Piece[] => [['none', word]]),
    columns,
  );
}

/** Columns of both titles, with the space after them. */
const titleColumns = 15;
/** Indent of lines below their title. */
const narrowIndent = 2;

/** Puts groups of pieces after their title, or below it if there is no room. */
function titled(title: string, groups: readonly Piece[][], columns: number): Piece[][] {
  if (!hasRoomBeside(columns, titleColumns)) {
    const lines = fill(groups, ' ', columns - narrowIndent);
    return [
      [['bold', title]],
      ...lines.map((line): Piece[] => [['none', ' '.repeat(narrowIndent)], ...line]),
    ];
  }
  const [first = [], ...more] = fill(groups, ' ', columns - titleColumns);
  return [
    [['bold', title.padEnd(titleColumns)], ...first],
    ...more.map((line): Piece[] => [['none', ' '.repeat(titleColumns)], ...line]),
  ];
}

/** The path of `pathLines`; skips tasks that never ran, since they only pass on how others ended. */
function decisivePath(progress: RunProgress): TaskProgress[] {
  const path: TaskProgress[] = [];
  for (let task = lastOf(progress.tasks); task !== undefined; task = deciderOf(progress, task))
    path.unshift(task);
  return path.filter(({ attempts }) => attempts > 0);
}

/** The dependency that a task waited for last; some rules do not wait for all. */
function deciderOf(progress: RunProgress, task: TaskProgress): TaskProgress | undefined {
  if (task.because !== undefined) return progress.task(task.because);
  const decidedAt = task.readyAt ?? task.endedAt ?? 0;
  return lastOf(
    progress.upstream(task).filter(({ endedAt }) => (endedAt ?? Number.POSITIVE_INFINITY) <= decidedAt),
  );
}

function lastOf(tasks: Iterable<TaskProgress>): TaskProgress | undefined {
  let last: TaskProgress | undefined;
  for (const task of tasks) if (last === undefined || (task.endedAt ?? 0) > (last.endedAt ?? 0)) last = task;
  return last;
}
