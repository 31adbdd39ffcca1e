import type { DrawnGraph } from '../run/groups.ts';
import type { RunState } from '../view/run-state.ts';

let kept: { readonly key: string; readonly path: readonly number[] } | undefined;

/**
 * Finds the path that took longest, by what each task took so far from being ready to its end. It is found again when
 * more entries have come, but not more than once a second. It is that of the latest moment.
 */
export function criticalPath({ recording, now }: Pick<RunState, 'recording' | 'now'>): readonly number[] {
  const second = recording.isSettled ? 0 : Math.floor(now / 1_000);
  const key = `${recording.structure.source} ${recording.structure.id} ${second}`;
  if (kept?.key === key) return kept.path;
  const { graph } = recording;
  const tookMs = (id: string): number => {
    const { readyAt, startedAt, endedAt } = recording.fold.task(graph.indexOf(id));
    const from = readyAt ?? startedAt;
    return from === undefined ? 0 : Math.max(0, (endedAt ?? now) - from);
  };
  const path = graph.criticalPath(tookMs).map((id) => graph.indexOf(id));
  kept = { key, path };
  return path;
}

/** The edges of the longest path between the nodes of a drawing. */
export function criticalEdges(
  state: Pick<RunState, 'recording' | 'now'>,
  { nodeOf, dependsOn }: DrawnGraph,
): (readonly [number, number])[] {
  const nodes = criticalPath(state).map((task) => nodeOf[task] as number);
  return nodes.slice(1).flatMap((to, index) => {
    const from = nodes[index] as number;
    return from >= 0 && to >= 0 && dependsOn[to]?.includes(from) === true ? [[from, to] as const] : [];
  });
}
