import type { Plan } from './ledger.ts';

/**
 * Finds the failed optional tasks that kept tasks which are not optional from running, each with the first of those in
 * definition order.
 *
 * @param upstreamFailed every task that ended `upstream_failed`
 */
export function findBlockers(
  { graph, optional }: Plan,
  failed: { has(task: number): boolean; keys(): Iterable<number> },
  upstreamFailed: ReadonlySet<number>,
): ReadonlyMap<number, number> {
  const blockers = new Map<number, number>();
  if (!Array.from(failed.keys()).some((task) => optional[task] === 1)) return blockers;
  const { upstreamStart, upstreamList, size } = graph;
  const seen = new Set<number>();
  for (let blocked = 0; blocked < size; blocked++) {
    if (!upstreamFailed.has(blocked) || optional[blocked] === 1 || seen.has(blocked)) continue;
    const open = [blocked];
    for (let task = open.pop(); task !== undefined; task = open.pop()) {
      seen.add(task);
      for (let at = upstreamStart[task] as number; at < (upstreamStart[task + 1] as number); at++) {
        const other = upstreamList[at] as number;
        if (upstreamFailed.has(other) && !seen.has(other)) open.push(other);
        else if (optional[other] === 1 && failed.has(other) && !blockers.has(other))
          blockers.set(other, blocked);
      }
    }
  }
  return blockers;
}
