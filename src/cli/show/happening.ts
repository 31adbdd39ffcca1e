import type { Entry } from '../../model/journal.ts';
import { showDuration } from '../duration.ts';
import type { Paint } from '../terminal/paint.ts';
import { escapeControls } from '../terminal/text.ts';
import { marks } from './marks.ts';
import type { RunProgress } from './progress.ts';
import { detailOf, showError, showReason } from './reasons.ts';

/** An event in one line for a log: instant, type, task and what there is to say. `progress` has taken the event already. */
export function logLine(progress: RunProgress, entry: Entry): string {
  const task = 'taskId' in entry ? escapeControls(entry.taskId) : '';
  const parts = [new Date(entry.at).toISOString(), entry.type, task, wordsFor(progress, entry)];
  return parts.filter((part) => part !== '').join(' ');
}

/** An event that is worth keeping above the live picture: a failure, a retry, a passed limit. Nothing for others. */
export function keptLine(progress: RunProgress, entry: Entry, paint: Paint): string | undefined {
  const after = paint('dim', showDuration(entry.at - (progress.startedAt ?? entry.at)).padStart(10));
  if (entry.type === 'task.failed' || entry.type === 'task.retrying') {
    const { glyph, style } = marks[entry.type === 'task.failed' ? 'failed' : 'retrying'];
    const id = paint('bold', escapeControls(entry.taskId));
    const words = wordsFor(progress, entry);
    return `${after}  ${paint(style, glyph)} ${id}  ${entry.type === 'task.failed' ? `failed ${words}` : words}`;
  }
  if (entry.type === 'run.cancelling' && entry.cause === 'timeout') {
    return `${after}  ${paint('red', marks.failed.glyph)} the run is out of time`;
  }
  return undefined;
}

function wordsFor(progress: RunProgress, entry: Entry): string {
  switch (entry.type) {
    case 'run.started':
      return `${escapeControls(entry.flow)} ${escapeControls(entry.runId)}`;
    case 'task.started':
      return entry.attempt > 1 ? attemptOf(progress, entry) : '';
    case 'task.progress':
      return `${Math.floor(entry.fraction * 100)}%${entry.note === undefined ? '' : ` ${escapeControls(entry.note)}`}`;
    case 'task.retrying':
      return `${attemptOf(progress, entry)} failed: ${showError(entry.error)}; next in ${showDuration(entry.retryAt - entry.at)}`;
    case 'task.done':
      return `after ${showDuration(progress.task(entry.taskId).ranMs)}`;
    case 'task.failed':
    case 'task.skipped':
    case 'task.upstream_failed':
    case 'task.cancelled':
      return detailOf(progress, progress.task(entry.taskId));
    case 'run.cancelling':
      return entry.cause === 'timeout' ? 'out of time' : (showReason(entry.reason) ?? '');
    case 'run.cancelled':
      return showReason(entry.reason) ?? '';
    case 'run.failed':
      return entry.error === undefined ? (entry.cause ?? '') : showError(entry.error);
    default:
      return '';
  }
}

function attemptOf(progress: RunProgress, { taskId, attempt }: { taskId: string; attempt: number }): string {
  const { maxAttempts } = progress.task(taskId);
  return `attempt ${attempt}${Number.isFinite(maxAttempts) ? ` of ${maxAttempts}` : ''}`;
}
