import { showCount } from './duration.ts';
import type { ChildCounts } from './journal.ts';

/** How many tasks of a child run have settled, in words: `812/1,000, 2 failed`. */
export function showCounts({ total, done, skipped, cancelled, ...rest }: ChildCounts): string {
  const failed = rest.failed + rest.upstream_failed;
  return showSettled(done + skipped + cancelled + failed, total, failed);
}

/** As `showCounts`, of the numbers of tasks that have settled, that there are, and that did not succeed. */
export function showSettled(settled: number, total: number, failed: number): string {
  const ended = `${showCount(settled)}/${showCount(total)}`;
  return failed === 0 ? ended : `${ended}, ${showCount(failed)} failed`;
}
