import { layOut, type Piece } from '../terminal/line.ts';
import type { Paint } from '../terminal/paint.ts';
import { headLines, shortHead } from './frame-head.ts';
import { pathLine } from './frame-path.ts';
import { moreLine, taskLines } from './frame-tasks.ts';
import type { RunProgress, TaskProgress } from './progress.ts';

/** The time and place of a drawing. */
export interface View {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
}

/** Maximum number of tasks shown at once. */
const maxTasks = 40;

/**
 * The live picture of a run: progress, running, waiting and retrying tasks, and the critical path. At most `rows - 1`
 * lines, of at most `columns - 1` columns, so that it never scrolls and never wraps.
 */
export function drawFrame(progress: RunProgress, view: View): string[] {
  const height = Math.max(view.rows - 1, 0);
  const columns = Math.max(view.columns - 1, 1);
  const show = (pieces: readonly Piece[]): string => layOut(pieces, columns, view.paint);
  if (height === 0) return [];
  if (height < 4) return [show(shortHead(progress, view.now))];

  const head = headLines(progress, view.now, columns);
  const path = height < 8 ? undefined : pathLine(progress, columns);
  const isRoomy = height > 12;
  const gap: Piece[][] = isRoomy ? [[]] : [];
  const below = path === undefined ? [] : [...gap, path];
  const left = height - 2 * gap.length - head.length - below.length;
  const tasks = chooseTasks(progress, Math.min(left, maxTasks));
  const lines = taskLines(tasks.shown, view.now, columns);
  if (tasks.more !== undefined) lines.push(tasks.more);
  return [...gap, ...head, ...(lines.length > 0 ? [...gap, ...lines] : []), ...below].map(show);
}

/**
 * Chooses running tasks first, then those that go on next by the clock or wait for a value, then those that wait longest for a slot; each group gets some
 * lines.
 */
function chooseTasks(
  progress: RunProgress,
  room: number,
): { readonly shown: readonly TaskProgress[]; readonly more: Piece[] | undefined } {
  const { running, retrying, waiting, ready } = progress;
  const due = [...retrying, ...waiting].sort((a, b) => dueAt(a) - dueAt(b));
  const total = running.size + due.length + ready.size;
  if (room <= 0) return { shown: [], more: undefined };
  const places = total <= room ? room : room - 1;
  const kept = Math.floor(places / 4);
  const forReady = Math.min(ready.size, Math.max(kept, places - running.size - due.length));
  const forDue = Math.min(due.length, Math.max(kept, places - running.size - forReady));
  const forRunning = Math.min(running.size, places - forDue - forReady);
  const shown = [
    ...running.values().take(forRunning),
    ...due.slice(0, forDue),
    ...ready.values().take(forReady),
  ];
  const hidden = due.slice(forDue).filter((task) => retrying.has(task)).length;
  const more = moreLine({
    running: running.size - forRunning,
    retrying: hidden,
    waiting: due.length - forDue - hidden,
    ready: ready.size - forReady,
  });
  return { shown, more };
}

/** When a task goes on by the clock; infinite if it waits for a value as long as it takes. */
function dueAt({ retryAt, until, timeoutAt }: TaskProgress): number {
  return retryAt ?? until ?? timeoutAt ?? Number.POSITIVE_INFINITY;
}
