import type { FlowDefinition } from '../../model/definition.ts';

/** The length of each task's longest path of durations to an end, including its own duration. */
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
 * then by their place in `order`. All are different, since the engine goes by readiness between equal priorities.
 *
 * @param order the numbers of all tasks, in the order that breaks ties
 */
export function criticalPathPriorities(
  definition: FlowDefinition,
  durationOf: (task: number) => number,
  order: Int32Array,
): Float64Array {
  const { tasks } = definition;
  const remaining = remainingPaths(definition, durationOf);
  // Sorting is stable.
  const starting = Array.from(order).sort((a, b) => {
    const byPriority = (tasks[b]?.priority ?? 0) - (tasks[a]?.priority ?? 0);
    return byPriority || (remaining[b] as number) - (remaining[a] as number);
  });
  const priorities = new Float64Array(tasks.length);
  for (const [place, task] of starting.entries()) priorities[task] = -place;
  return priorities;
}
