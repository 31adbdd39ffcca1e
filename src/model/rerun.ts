import type { Graph } from './graph.ts';
import type { TaskStatus } from './status.ts';

/**
 * Gives the places of the tasks that run again in a rerun of a settled run, and of everything downstream of them, in
 * definition order.
 *
 * @param taskIds default: the tasks that are neither done nor skipped; all if there is none
 * @param undone the places of tasks that were undone: they run again in any case
 */
export function tasksToRerun(
  graph: Graph,
  statuses: readonly TaskStatus[],
  taskIds?: readonly string[],
  undone: ReadonlySet<number> = new Set(),
): readonly number[] {
  const unfinished = graph.ids.filter(
    (_, task) => undone.has(task) || !['done', 'skipped'].includes(statuses[task] as TaskStatus),
  );
  const named = taskIds && [...taskIds, ...graph.ids.filter((_, task) => undone.has(task))];
  const chosen = named ?? (unfinished.length > 0 ? unfinished : graph.ids);
  const again = new Set<string>();
  for (const id of chosen) {
    if (again.has(id)) continue;
    again.add(id);
    for (const downstream of graph.downstream(id)) again.add(downstream);
  }
  return [...graph.ids.keys()].filter((task) => again.has(graph.ids[task] as string));
}
