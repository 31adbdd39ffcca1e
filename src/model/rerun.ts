import type { Graph } from './graph.ts';
import type { TaskStatus } from './status.ts';

/**
 * Gives the places of the tasks that run again in a rerun of a settled run, and of everything downstream of them, in
 * definition order.
 *
 * @param taskIds default: the tasks that are neither done nor skipped; all if there is none
 */
export function tasksToRerun(
  graph: Graph,
  statuses: readonly TaskStatus[],
  taskIds?: readonly string[],
): readonly number[] {
  const unfinished = graph.ids.filter(
    (_, task) => !['done', 'skipped'].includes(statuses[task] as TaskStatus),
  );
  const chosen = taskIds ?? (unfinished.length > 0 ? unfinished : graph.ids);
  const again = new Set<string>();
  for (const id of chosen) {
    if (again.has(id)) continue;
    again.add(id);
    for (const downstream of graph.downstream(id)) again.add(downstream);
  }
  return [...graph.ids.keys()].filter((task) => again.has(graph.ids[task] as string));
}
