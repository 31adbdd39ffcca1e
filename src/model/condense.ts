import { type Rows, readRows, type TaskNode } from './graph-rows.ts';

/** A set of tasks that all depend on one another; nearly always a single task. */
export interface Component {
  /** The id of its first member. */
  readonly id: string;
  /** In definition order. */
  readonly members: readonly string[];
  /** Ids of other components, each once, in the order in which the members list them. */
  readonly dependsOn: readonly string[];
}

/**
 * Merges the tasks of each strongly connected component, so that the result has no cycle. Components are in the
 * definition order of their first members. Throws `FlowError` for bad ids and unknown dependencies.
 */
export function condense(tasks: readonly TaskNode[]): Component[] {
  const rows = readRows(tasks);
  const { ids, upstreamStart, upstreamList } = rows;
  const firsts = firstMembers(rows);
  const components = new Map<number, { members: string[]; dependsOn: Set<string> }>();
  for (const [task, first] of firsts.entries()) {
    const component = components.get(first) ?? { members: [], dependsOn: new Set() };
    components.set(first, component);
    component.members.push(ids[task] as string);
    for (const dependency of upstreamList.subarray(upstreamStart[task], upstreamStart[task + 1])) {
      const other = firsts[dependency] as number;
      if (other !== first) component.dependsOn.add(ids[other] as string);
    }
  }
  return Array.from(components, ([first, { members, dependsOn }]) => {
    return { id: ids[first] as string, members, dependsOn: [...dependsOn] };
  });
}

/** The first member, in definition order, of each task's strongly connected component, by Tarjan's algorithm. */
export function firstMembers({ ids, upstreamStart, upstreamList }: Rows): Int32Array {
  const size = ids.length;
  const firsts = new Int32Array(size).fill(-1);
  const foundAs = new Int32Array(size);
  const lowest = new Int32Array(size);
  const nextEdge = upstreamStart.slice();
  const path = new Int32Array(size);
  const open = new Int32Array(size);
  let found = 0;
  let opened = 0;
  for (let root = 0; root < size; root++) {
    if (foundAs[root] !== 0) continue;
    let depth = 0;
    path[0] = root;
    while (depth >= 0) {
      const task = path[depth] as number;
      if (foundAs[task] === 0) {
        foundAs[task] = lowest[task] = ++found;
        open[opened++] = task;
      }
      if ((nextEdge[task] as number) < (upstreamStart[task + 1] as number)) {
        const dependency = upstreamList[(nextEdge[task] as number)++] as number;
        if (foundAs[dependency] === 0) path[++depth] = dependency;
        else if (firsts[dependency] === -1) lower(lowest, task, foundAs[dependency] as number);
        continue;
      }
      if (--depth >= 0) lower(lowest, path[depth] as number, lowest[task] as number);
      if (lowest[task] === foundAs[task]) {
        const start = open.lastIndexOf(task, opened - 1);
        const members = open.subarray(start, opened);
        const first = members.reduce((least, member) => Math.min(least, member));
        for (const member of members) firsts[member] = first;
        opened = start;
      }
    }
  }
  return firsts;
}

function lower(values: Int32Array, at: number, value: number): void {
  if (value < (values[at] as number)) values[at] = value;
}
