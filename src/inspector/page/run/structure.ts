import { firstMembers } from '../../../model/condense.ts';
import { Graph } from '../../../model/graph.ts';
import { readRows, type TaskNode } from '../../../model/graph-rows.ts';
import type { Structure, TaskShape } from '../../protocol.ts';

export type { Structure, TaskShape } from '../../protocol.ts';

/**
 * The graph of a structure. Dependencies that it lacks are left out, since a journal alone may name them, and so are
 * those that go in a circle: no engine runs such a flow, but a page must not hang on one.
 */
export function graphOf({ run, tasks }: Pick<Structure, 'run' | 'tasks'>): Graph {
  const known = new Set(tasks.map(({ id }) => id));
  const nodes = tasks.map(({ id, dependsOn }): TaskNode => {
    return { id, dependsOn: dependsOn.filter((other) => known.has(other)) };
  });
  const rows = readRows(nodes, run.flow);
  const firsts = firstMembers(rows);
  const circleOf = (id: string): number => firsts[rows.indexes.get(id) as number] as number;
  const isInCircle = ({ id, dependsOn = [] }: TaskNode): boolean => {
    return dependsOn.some((other) => circleOf(other) === circleOf(id));
  };
  if (!nodes.some(isInCircle)) return new Graph(run.flow, rows, undefined);
  const cut = nodes.map(({ id, dependsOn = [] }) => {
    return { id, dependsOn: dependsOn.filter((other) => circleOf(other) !== circleOf(id)) };
  });
  return new Graph(run.flow, readRows(cut, run.flow), undefined);
}

/** Whether the body of a task is a run. */
export function isChildTask({ tasks, children }: Structure, task: number): boolean {
  const { kind, id } = tasks[task] as TaskShape;
  return kind === 'flow' || kind === 'map' || (children !== undefined && Object.hasOwn(children, id));
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
