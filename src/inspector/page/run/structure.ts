import { createGraph, type Graph } from '../../../model/graph.ts';
import type { Structure } from '../../protocol.ts';

export type { Structure, TaskShape } from '../../protocol.ts';

/** The graph of a structure. Dependencies that it lacks are left out: a journal alone may name them. */
export function graphOf({ run, tasks }: Structure): Graph {
  const known = new Set(tasks.map(({ id }) => id));
  const nodes = tasks.map(({ id, dependsOn }) => ({
    id,
    dependsOn: dependsOn.filter((other) => known.has(other)),
  }));
  return createGraph(run.flow, nodes);
}

/** The tasks that a task depends on, by their numbers. */
export function upstreamOf({ upstreamStart, upstreamList }: Graph, task: number): Int32Array {
  return upstreamList.subarray(upstreamStart[task], upstreamStart[task + 1]);
}

/** The tasks that depend on a task, by their numbers. */
export function downstreamOf({ downstreamStart, downstreamList }: Graph, task: number): Int32Array {
  return downstreamList.subarray(downstreamStart[task], downstreamStart[task + 1]);
}

/** A task and all that is upstream and downstream of it, by their numbers. */
export function around(graph: Graph, task: number): Set<number> {
  const found = new Set([task]);
  for (const next of [upstreamOf, downstreamOf]) {
    const open = [task];
    const met = new Set(open);
    for (let each = open.pop(); each !== undefined; each = open.pop()) {
      for (const other of next(graph, each)) {
        if (met.has(other)) continue;
        met.add(other);
        found.add(other);
        open.push(other);
      }
    }
  }
  return found;
}
