import { showDuration } from '../../model/duration.ts';
import type { Entry } from '../../model/journal.ts';
import type { Paint } from '../terminal/paint.ts';
import { escapeControls, widthOf, wrapWords } from '../terminal/text.ts';
import { marks } from './marks.ts';
import type { RunProgress } from './progress.ts';
import { detailOf, showError, showId, showReason } from './reasons.ts';
import { rootReason } from './root-reason.ts';

/** An event in one line for a log: instant, type, task and details. `progress` has already taken the event. */
export function logLine(progress: RunProgress, entry: Entry): string {
  const task = 'taskId' in entry ? escapeControls(entry.taskId) : '';
  const parts = [new Date(entry.at).toISOString(), entry.type, task, wordsFor(progress, entry)];
  return parts.filter((part) => part !== '').join(' ');
}

/** The stack of a failed attempt's error, a line each; empty for other events. */
export function stackOf(entry: Entry): string[] {
  if (entry.type !== 'task.failed' && entry.type !== 'task.retrying') return [];
  return (entry.error.stack ?? '').split('\n').map(escapeControls);
}

/** Columns of an instant and the space after it. */
const instantColumns = 12;

/** With fewer columns, too little room is left for words beside an instant. */
const narrowColumns = 40;

/**
 * Lines that are kept above the live picture for a failure, a retry or a passed limit; none for other events. Long ones
 * are broken between words, and aligned.
 */
export function keptLines(progress: RunProgress, entry: Entry, paint: Paint, columns: number): string[] {
  const isFailure = entry.type === 'task.failed';
  if (!isFailure && entry.type !== 'task.retrying' && !isTimeout(entry)) return [];
  const { glyph, style } = entry.type === 'task.retrying' ? marks.retrying : marks.failed;
  const words = 'taskId' in entry ? wordsFor(progress, entry) : 'timed out';
  const said = isFailure ? `failed${entry.attempt > 1 ? ' ' : ': '}${words}` : words;
  const after = showDuration(entry.at - (progress.startedAt ?? entry.at)).padStart(instantColumns - 2);
  const start = `${paint('dim', after)}  ${paint(style, glyph)}`;
  const beside = Math.max(columns - instantColumns - 3, 5);
  // On a narrow terminal the following lines start at the left, to keep more than a few letters each.
  const indent = columns < narrowColumns ? 2 : instantColumns + 2;
  const below = Math.max(columns - indent - 1, 5);
  const id = showId('taskId' in entry ? entry.taskId : progress.flow, below);
  const toLine = (line: string): string => ' '.repeat(indent) + line;
  if (widthOf(id) > beside) return [start, toLine(paint('bold', id)), ...wrapWords(said, below).map(toLine)];
  // Painted after it is broken into lines.
  const [first = ''] = wrapWords(`${id}  ${said}`, beside);
  const rest = `${id}  ${said}`.slice(first.length).trimStart();
  return [
    `${start} ${paint('bold', id)}${first.slice(id.length)}`.trimEnd(),
    ...(rest === '' ? [] : wrapWords(rest, below).map(toLine)),
  ];
}

function isTimeout(entry: Entry): boolean {
  return entry.type === 'run.cancelling' && entry.cause === 'timeout';
}

function wordsFor(progress: RunProgress, entry: Entry): string {
  if ('taskId' in entry && !progress.has(entry.taskId)) return '';
  switch (entry.type) {
    case 'run.started':
      return escapeControls(entry.flow);
    case 'task.started':
      return entry.attempt > 1 ? attemptOf(progress, entry) : '';
    case 'task.progress':
      return `${Math.floor(entry.fraction * 100)}%${entry.note === undefined ? '' : ` ${escapeControls(entry.note)}`}`;
    case 'task.waiting':
      if (entry.until !== undefined) return `for ${showDuration(entry.until - entry.at)}`;
      if (entry.timeoutAt === undefined) return 'for a value';
      return `for a value, at most ${showDuration(entry.timeoutAt - entry.at)}`;
    case 'task.retrying':
      return `${attemptOf(progress, entry)} failed, next in ${showDuration(entry.retryAt - entry.at)}: ${showError(entry.error)}`;
    case 'task.done':
      return `after ${showDuration(progress.task(entry.taskId).ranMs)}${insideOf(progress, entry.taskId)}`;
    case 'task.failed':
    case 'task.skipped':
    case 'task.upstream_failed':
    case 'task.cancelled':
      return detailOf(progress, progress.task(entry.taskId));
    case 'run.flow_changed':
      return escapeControls(entry.changes.join('; '));
    case 'run.cancelling':
      return entry.cause === 'timeout' ? 'timed out' : (showReason(entry.reason) ?? '');
    case 'run.cancelled':
      return showReason(entry.reason) ?? '';
    case 'run.failed':
      return rootReason(progress) ?? '';
    default:
      return '';
  }
}

/** How many tasks of the run that was its body have settled. */
function insideOf(progress: RunProgress, taskId: string): string {
  const { child } = progress.task(taskId);
  return child === undefined ? '' : `, ${child}`;
}

function attemptOf(progress: RunProgress, { taskId, attempt }: { taskId: string; attempt: number }): string {
  const { maxAttempts } = progress.task(taskId);
  return `attempt ${attempt}${Number.isFinite(maxAttempts) ? ` of ${maxAttempts}` : ''}`;
}
