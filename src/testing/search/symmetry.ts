import type { FlowDefinition } from '../../model/definition.ts';
import type { Moves } from '../model/moves.ts';

/**
 * Finds tasks that may change places without any other change: the same settings, dependencies, dependents and
 * outcomes. Their bodies are ignored: the model does not know them.
 *
 * @param apart tasks to tell apart, since a property looks at them by name
 * @returns sets of at least two, each in definition order
 */
export function findTwins(
  definition: FlowDefinition,
  moves: Moves,
  apart: ReadonlySet<number>,
): readonly (readonly number[])[] {
  const { graph, tasks } = definition;
  const classes = new Map<string, number[]>();
  for (const [task, { triggerRule, retry, optional, priority, pool, totalTimeoutMs }] of tasks.entries()) {
    if (apart.has(task)) continue;
    const upstream = graph.upstreamList
      .slice(graph.upstreamStart[task], graph.upstreamStart[task + 1])
      .sort();
    const downstream = graph.downstreamList.slice(
      graph.downstreamStart[task],
      graph.downstreamStart[task + 1],
    );
    const name = JSON.stringify([
      triggerRule,
      retry?.maxAttempts ?? 1,
      optional,
      priority,
      pool,
      totalTimeoutMs === undefined,
      moves.outcomes[task],
      [...upstream],
      [...downstream],
    ]);
    const twins = classes.get(name);
    if (twins === undefined) classes.set(name, [task]);
    else twins.push(task);
  }
  return [...classes.values()].filter(({ length }) => length > 1);
}
