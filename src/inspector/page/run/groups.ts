import { type Component, condense } from '../../../model/condense.ts';
import type { Graph } from '../../../model/graph.ts';
import { upstreamOf } from './structure.ts';

/** A node of a drawn graph: a task, or several as one. */
export interface DrawnNode {
  readonly label: string;
  /** The prefix that the tasks share, if it is a group. */
  readonly prefix: string | undefined;
  /** Numbers of tasks, in definition order. */
  readonly tasks: readonly number[];
  /** A task of a child run instead: its number there, and that of the task whose body the run is. */
  readonly inside?: { readonly of: number; readonly task: number } | undefined;
}

/** A graph to draw; without cycles. */
export interface DrawnGraph {
  readonly nodes: readonly DrawnNode[];
  /** The numbers of the nodes that each node depends on. */
  readonly dependsOn: readonly (readonly number[])[];
  /** The node that shows each task; -1 for none. */
  readonly nodeOf: Int32Array;
}

export interface GroupOptions {
  /** The tasks to show. Default: all. */
  readonly shown?: ReadonlySet<number> | undefined;
  /** Whether tasks that share a prefix are one node. */
  readonly isGrouped: boolean;
  /** Prefixes whose tasks stand for themselves. */
  readonly opened: ReadonlySet<string>;
}

/** Finds every prefix of an id that ends before a separator, the shortest first. */
export type Prefixes = (id: string) => string[];

/**
 * Chooses the separators of ids: `/`, `.` and `:` say where a thing belongs, so `-`, `_` and blanks count only where no
 * id has those.
 */
export function prefixesIn(ids: readonly string[]): Prefixes {
  const separator = ids.some((id) => /.[/.:]/.test(id)) ? /(?<=[^/.:])[/.:]/g : /(?<=[^-_ ])[-_ ]/g;
  return (id) => Array.from(id.matchAll(separator), ({ index }) => id.slice(0, index));
}

/** Joins tasks that share a prefix. Groups that depend on one another in a circle are joined to one. */
export function groupTasks(graph: Graph, { shown, isGrouped, opened }: GroupOptions): DrawnGraph {
  const tasks = Array.from(graph.ids.keys()).filter((task) => shown === undefined || shown.has(task));
  if (!isGrouped)
    return drawnOf(
      graph,
      tasks.flatMap((task) => [{ key: graph.ids[task] as string, tasks: [task] }]),
    );
  const prefixesOf = prefixesIn(graph.ids);
  const counts = new Map<string, number>();
  for (const task of tasks)
    for (const prefix of prefixesOf(graph.ids[task] as string))
      counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  const groups = new Map<string, Group>();
  for (const task of tasks) {
    const id = graph.ids[task] as string;
    const prefix = prefixesOf(id).find((each) => (counts.get(each) as number) > 1 && !opened.has(each));
    // Groups and tasks have keys that cannot be the same.
    const key = prefix === undefined ? `t${id}` : `g${prefix}`;
    const group = groups.get(key) ?? { key, prefix, tasks: [] };
    groups.set(key, group);
    group.tasks.push(task);
  }
  return drawnOf(graph, withoutCircles(graph, [...groups.values()]));
}

interface Group {
  readonly key: string;
  readonly prefix?: string | undefined;
  readonly tasks: number[];
}

function withoutCircles(graph: Graph, groups: readonly Group[]): Group[] {
  const keyOf = new Map(groups.flatMap(({ key, tasks }) => tasks.map((task) => [task, key] as const)));
  const byKey = new Map(groups.map((group) => [group.key, group]));
  const nodes = groups.map(({ key, tasks }) => {
    const upstream = tasks.flatMap((task) =>
      Array.from(upstreamOf(graph, task), (other) => keyOf.get(other)),
    );
    return {
      id: key,
      dependsOn: [...new Set(upstream)].filter((other) => other !== undefined && other !== key) as string[],
    };
  });
  return condense(nodes).map(({ members }: Component): Group => {
    const [first] = members.map((key) => byKey.get(key) as Group) as [Group];
    if (members.length === 1) return first;
    const tasks = members.flatMap((key) => (byKey.get(key) as Group).tasks).sort((a, b) => a - b);
    const prefix = members.map((key) => (byKey.get(key) as Group).prefix).find((each) => each !== undefined);
    return { key: first.key, prefix, tasks };
  });
}

function drawnOf(graph: Graph, groups: readonly Group[]): DrawnGraph {
  const nodeOf = new Int32Array(graph.size).fill(-1);
  for (const [node, { tasks }] of groups.entries()) for (const task of tasks) nodeOf[task] = node;
  const nodes = groups.map(({ prefix, tasks }): DrawnNode => {
    const isGroup = tasks.length > 1 && prefix !== undefined;
    return {
      label: isGroup ? `${prefix}…` : (graph.ids[tasks[0] as number] as string),
      prefix: isGroup ? prefix : undefined,
      tasks,
    };
  });
  const dependsOn = groups.map(({ tasks }, node) => {
    const upstream = new Set<number>();
    for (const task of tasks) {
      for (const other of upstreamOf(graph, task)) {
        const at = nodeOf[other] as number;
        if (at >= 0 && at !== node) upstream.add(at);
      }
    }
    return [...upstream];
  });
  return { nodes, dependsOn, nodeOf };
}
