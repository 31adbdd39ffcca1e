import { showDuration } from '../../../model/duration.ts';
import type { ChildCounts } from '../../../model/journal.ts';
import type { Cause, TaskStatus } from '../../../model/status.ts';
import type { TriggerRule } from '../../../model/trigger-rule.ts';

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
