import type { DrawnGraph, DrawnNode } from './groups.ts';
import type { Recording } from './recording.ts';
import { upstreamOf } from './structure.ts';

/** The most nodes that a child run may add to the graph of its parent. */
export const mostInside = 500;

/**
 * Puts the tasks of child runs into the graph of their parent, each behind the task that runs them: what depends on that
 * task depends on the last of them. A child run with too many tasks stays folded, as does one whose task is not drawn.
 *
 * @param children child runs by the number of the task whose body they are
 */
export function unfold(drawn: DrawnGraph, children: ReadonlyMap<number, Recording>): DrawnGraph {
  const nodes: DrawnNode[] = [...drawn.nodes];
  const dependsOn: (readonly number[])[] = drawn.dependsOn.map((own) => own);
  const lastOf = new Map<number, readonly number[]>();
  for (const [of, { graph }] of children) {
    const head = drawn.nodeOf[of] ?? -1;
    if (head < 0 || drawn.nodes[head]?.tasks.length !== 1 || graph.size > mostInside) continue;
    const start = nodes.length;
    const hasNext = new Uint8Array(graph.size);
    for (let task = 0; task < graph.size; task++) {
      const upstream = Array.from(upstreamOf(graph, task));
      for (const other of upstream) hasNext[other] = 1;
      nodes.push({ label: graph.ids[task] as string, prefix: undefined, tasks: [], inside: { of, task } });
      dependsOn.push(upstream.length === 0 ? [head] : upstream.map((other) => start + other));
    }
    const last = Array.from(graph.ids.keys()).filter((task) => hasNext[task] === 0);
    if (last.length > 0)
      lastOf.set(
        head,
        last.map((task) => start + task),
      );
  }
  const moved = drawn.dependsOn.map((own) => own.flatMap((node) => lastOf.get(node) ?? [node]));
  return { nodes, dependsOn: [...moved, ...dependsOn.slice(moved.length)], nodeOf: drawn.nodeOf };
}
