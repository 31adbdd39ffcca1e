import type { FlowDefinition } from '../../model/definition.ts';
import type { TaskScript } from '../load/script.ts';

/** How long each task's longest path of durations to an end is, its own included. */
export function remainingPaths(
  { graph }: FlowDefinition,
  durationOf: (task: number) => number,
): Float64Array {
  const remaining = new Float64Array(graph.size);
  for (const id of graph.order().reverse()) {
    const task = graph.indexOf(id);
    let longest = 0;
    const end = graph.downstreamStart[task + 1] as number;
    for (let edge = graph.downstreamStart[task] as number; edge < end; edge++)
      longest = Math.max(longest, remaining[graph.downstreamList[edge] as number] as number);
    remaining[task] = durationOf(task) + longest;
  }
  return remaining;
}

/**
 * Priorities by which tasks start in critical-path order: by their own priority, then by the longest remaining path,
 * then by definition order. The engine looks at readiness only where priorities are equal, and no two are.
 */
export function criticalPathPriorities(
  definition: FlowDefinition,
  scripts: ReadonlyMap<string, TaskScript>,
): Float64Array {
  const { tasks, graph } = definition;
  const remaining = remainingPaths(
    definition,
    (task) => scripts.get(graph.ids[task] as string)?.durationMs ?? 0,
  );
  const order = Array.from(tasks.keys()).sort((a, b) => {
    const byPriority = (tasks[b]?.priority ?? 0) - (tasks[a]?.priority ?? 0);
    return byPriority || (remaining[b] as number) - (remaining[a] as number) || a - b;
  });
  const priorities = new Float64Array(tasks.length);
  for (const [place, task] of order.entries()) priorities[task] = -place;
  return priorities;
}
