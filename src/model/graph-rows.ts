import { badDependencies, badId, duplicateTask, unknownDependency } from './graph-check.ts';

/** One task as the graph sees it. */
export interface TaskNode {
  readonly id: string;
  readonly dependsOn?: readonly string[] | undefined;
}

/** The edges of a list of tasks, numbered in its order; `Graph` explains how to read them. Cycles are possible. */
export interface Rows {
  readonly ids: readonly string[];
  /** The number of each id. */
  readonly indexes: Pick<ReadonlyMap<string, number>, 'get'>;
  readonly upstreamStart: Int32Array;
  readonly upstreamList: Int32Array;
  readonly downstreamStart: Int32Array;
  readonly downstreamList: Int32Array;
  /** Whether every task comes after its dependencies: definition order is topological, and there is no cycle. */
  readonly isForward: boolean;
}

/**
 * Numbers the tasks and their edges in linear time. Throws `FlowError` for bad ids and dependencies, not for
 * cycles.
 */
export function readRows(tasks: readonly TaskNode[], flow?: string): Rows {
  const size = tasks.length;
  const ids: string[] = [];
  const indexes = new Map<string, number>();
  let mentions = 0;
  for (let i = 0; i < size; i++) {
    const { id, dependsOn } = tasks[i] as TaskNode;
    if (typeof id !== 'string') throw badId(flow, i, id);
    indexes.set(id, i);
    if (indexes.size === i) throw duplicateTask(flow, id);
    ids.push(id);
    if (dependsOn === undefined) continue;
    if (!Array.isArray(dependsOn)) throw badDependencies(flow, id, dependsOn);
    mentions += dependsOn.length;
  }

  const upstreamStart = new Int32Array(size + 1);
  const upstreamList = new Int32Array(mentions);
  const downstreamStart = new Int32Array(size + 1);
  const lastDependent = new Int32Array(size).fill(-1);
  let edges = 0;
  let isForward = true;
  for (let i = 0; i < size; i++) {
    const { id, dependsOn = none } = tasks[i] as TaskNode;
    for (let k = 0; k < dependsOn.length; k++) {
      const dependency = indexes.get(dependsOn[k] as string);
      if (dependency === undefined) throw unknownDependency(flow, id, dependsOn[k], ids);
      if (lastDependent[dependency] === i) continue;
      lastDependent[dependency] = i;
      upstreamList[edges++] = dependency;
      (downstreamStart[dependency + 1] as number)++;
      if (dependency >= i) isForward = false;
    }
    upstreamStart[i + 1] = edges;
  }
  // Counts become starts. Each start is also copied, as the place where the next dependent is written.
  const next = lastDependent;
  for (let i = 0; i < size; i++) {
    const start = downstreamStart[i] as number;
    next[i] = start;
    downstreamStart[i + 1] = start + (downstreamStart[i + 1] as number);
  }
  const downstreamList = new Int32Array(edges);
  for (let i = 0; i < size; i++) {
    const end = upstreamStart[i + 1] as number;
    for (let edge = upstreamStart[i] as number; edge < end; edge++) {
      const dependency = upstreamList[edge] as number;
      downstreamList[(next[dependency] as number)++] = i;
    }
  }
  return {
    ids,
    indexes,
    upstreamStart,
    upstreamList: edges === mentions ? upstreamList : upstreamList.slice(0, edges),
    downstreamStart,
    downstreamList,
    isForward,
  };
}

const none: readonly string[] = [];
