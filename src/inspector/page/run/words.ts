import { showDuration } from '../../../model/duration.ts';
import type { ChildCounts } from '../../../model/journal.ts';
import type { Cause, TaskStatus } from '../../../model/status.ts';
import type { TriggerRule } from '../../../model/trigger-rule.ts';
import type { UndoStatus } from '../../../model/view.ts';

const counts = new Intl.NumberFormat('en-US');

/** A whole number with commas between thousands. The format is made once: a page writes many numbers a second. */
export function showCount(value: number): string {
  return counts.format(value);
}

/** A count with its noun: `1 task`, `1,000 tasks`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${showCount(n)} ${n === 1 ? one : many}`;
}

/** How far a child run is: `812/1,000, 2 failed`. */
export function countsWords({
  total,
  done,
  failed,
  skipped,
  upstream_failed,
  cancelled,
}: ChildCounts): string {
  const settled = showCount(done + failed + skipped + upstream_failed + cancelled);
  return `${settled}/${showCount(total)}${failed > 0 ? `, ${showCount(failed)} failed` : ''}`;
}

/** A part of a sentence: text, or a task by its number, which a page shows as a link. */
export type Part = string | { readonly task: number };

/** The sentence as plain text. */
export function textOf(parts: readonly Part[], ids: readonly string[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : `\`${ids[part.task]}\``)).join('');
}

/** A status as words. */
export function statusWords(status: TaskStatus | 'lost' | string): string {
  return status === 'upstream_failed' ? 'upstream failed' : status;
}

/** A time until or since an instant; never below zero. */
export function showWait(ms: number): string {
  if (ms < 1) return '0 ms';
  return showDuration(ms < 1_000 ? Math.round(ms) : ms);
}

/** An instant as the time of day to the second, with the day if that is not the one of `now`; both epoch ms. */
export function showInstant(at: number, now: number): string {
  const [date, today] = [new Date(at), new Date(now)];
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return date.toDateString() === today.toDateString() ? time : `${days.format(date)} ${time}`;
}

const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

/** What an undo came to, in words. */
export const undoWords: Readonly<Record<UndoStatus, string>> = {
  pending: 'to be undone',
  undone: 'undone',
  failed: 'undo failed',
  blocked: 'not undone',
};

/** The sign of an undo. */
export const undoGlyphs: Readonly<Record<UndoStatus, string>> = {
  pending: '…',
  undone: '↶',
  failed: '!',
  blocked: '⊘',
};

/** The key of a delivery, of which something else may stand after `redact`. */
export function textOfKey(key: unknown): string {
  return typeof key === 'string' ? key : JSON.stringify(key);
}

/** Whether the task of a kind waits instead of making attempts. */
export function isWait(kind: string | undefined): boolean {
  return kind === 'waitFor' || kind === 'sleep';
}

/** What a trigger rule wants, in words. */
export const ruleWords: Readonly<Record<TriggerRule, string>> = {
  all_success: 'every dependency must be done',
  all_failed: 'every dependency must have failed',
  all_settled: 'every dependency must have settled, however it ended',
  all_settled_min_one_success: 'every dependency must have settled, none skipped and at least one done',
  all_skipped: 'every dependency must have been skipped',
  one_failed: 'one failed dependency is enough',
  one_success: 'one done dependency is enough',
  one_settled: 'one dependency that is done or failed is enough',
  none_failed: 'every dependency must have settled, and none failed',
  none_failed_min_one_success: 'every dependency must have settled, none failed, and at least one is done',
  none_skipped: 'every dependency must have settled, and none was skipped',
  always: 'it runs whatever its dependencies do',
};

/** Why something failed, in words that follow "failed". */
export const causeWords: Readonly<Record<Cause, string>> = {
  exhausted: 'its attempts are used up',
  fatal: 'the error said that a retry is useless',
  timeout: 'a time limit passed',
  input: 'the input was refused',
  output: 'the output was refused',
  cancelled: 'the run was cancelled',
  upstream: 'a dependency failed',
  rule: 'its trigger rule said skip',
  lost: 'the process that ran it is gone',
  tolerance: 'more items failed than it tolerates',
  condition: 'its condition threw',
};
