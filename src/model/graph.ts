import { checkNumber, durationRule } from './check.ts';
import { cycleError, unknownTask } from './graph-check.ts';
import { findShortestCycle } from './graph-cycle.ts';
import { definitionOrder, hasCycle } from './graph-order.ts';
import { type Rows, readRows, type TaskNode } from './graph-rows.ts';

/** Distance limit: 1 for direct dependencies or dependents alone, no bound by default. */
export interface ReachOptions {
  readonly depth?: number | undefined;
}

/** A task as `createGraph` takes it. */
export interface TimedTask extends TaskNode {
  readonly durationMs?: number | undefined;
}

/**
 * The tasks of a flow and their dependencies: ids in definition order, an edge from each dependency to its dependent,
 * no cycles. Immutable.
 *
 * The four arrays are compressed sparse rows, read by the engine. The dependencies of task number `i` are
 * `upstreamList[upstreamStart[i]]` up to, not including, `upstreamList[upstreamStart[i + 1]]`, in the order of its
 * `dependsOn`, each once. Its dependents are in `downstreamList` likewise, in definition order.
 */
export class Graph {
  readonly size: number;
  readonly edgeCount: number;
  readonly ids: readonly string[];
  readonly upstreamStart: Int32Array;
  readonly upstreamList: Int32Array;
  readonly downstreamStart: Int32Array;
  readonly downstreamList: Int32Array;
  readonly #flow: string;
  readonly #rows: Rows;
  readonly #durations: Float64Array | undefined;
  #order: Int32Array | undefined;

  /** Use `createGraph`: this does not refuse rows with a cycle. @internal */
  constructor(flow: string, rows: Rows, durations: Float64Array | undefined) {
    this.size = rows.ids.length;
    this.edgeCount = rows.upstreamList.length;
    this.ids = rows.ids;
    this.upstreamStart = rows.upstreamStart;
    this.upstreamList = rows.upstreamList;
    this.downstreamStart = rows.downstreamStart;
    this.downstreamList = rows.downstreamList;
    this.#flow = flow;
    this.#rows = rows;
    this.#durations = durations;
  }

  /** The number of a task, or -1 for an unknown id. */
  indexOf(id: string): number {
    return this.#rows.indexes.get(id) ?? -1;
  }

  /** All ids, each after its upstream; of the tasks that may come next, the first in definition order comes first. */
  order(): string[] {
    return this.#idsOf(this.#inOrder());
  }

  /**
   * Ids by their longest distance from a task without dependencies, in definition order within a layer. Each task
   * depends on a task of the layer before, and on none of its own.
   */
  layers(): string[][] {
    const layerOf = new Int32Array(this.size);
    for (const task of this.#inOrder()) {
      const end = this.upstreamStart[task + 1] as number;
      for (let edge = this.upstreamStart[task] as number; edge < end; edge++) {
        const below = (layerOf[this.upstreamList[edge] as number] as number) + 1;
        if (below > (layerOf[task] as number)) layerOf[task] = below;
      }
    }
    const layers: string[][] = [];
    for (const [task, id] of this.ids.entries()) {
      const layer = layerOf[task] as number;
      while (layers.length <= layer) layers.push([]);
      layers[layer]?.push(id);
    }
    return layers;
  }

  /**
   * All tasks that this one depends on, directly or through others, in definition order; with `depth` 1 its
   * dependencies alone. Throws `FlowError` `unknown_task`.
   */
  upstream(id: string, options?: ReachOptions): string[] {
    return this.#reach(id, options, this.upstreamStart, this.upstreamList);
  }

  /**
   * All tasks that depend on this one, directly or through others, in definition order; with `depth` 1 its
   * dependents alone. Throws `FlowError` `unknown_task`.
   */
  downstream(id: string, options?: ReachOptions): string[] {
    return this.#reach(id, options, this.downstreamStart, this.downstreamList);
  }

  /**
   * The path with the longest total duration, from a task without dependencies to one without dependents: the duration
   * of a run with unlimited slots. Of equally long paths the first in definition order, compared task by task.
   *
   * @param durationMs a task's duration, a finite number of at least 0. Default: the task's own, or 0; if no task has
   * one, each counts 1.
   */
  criticalPath(durationMs?: (id: string) => number): string[] {
    const remaining = new Float64Array(this.size);
    for (const task of this.#inOrder().toReversed()) {
      const next = longest(this.#dependentsOf(task), remaining);
      remaining[task] = this.#durationOf(task, durationMs) + (next < 0 ? 0 : (remaining[next] as number));
    }
    const sources = [...this.ids.keys()].filter(
      (task) => this.upstreamStart[task] === this.upstreamStart[task + 1],
    );
    const path: number[] = [];
    for (
      let task = longest(sources, remaining);
      task >= 0;
      task = longest(this.#dependentsOf(task), remaining)
    ) {
      path.push(task);
    }
    return this.#idsOf(path);
  }

  #durationOf(task: number, durationMs: ((id: string) => number) | undefined): number {
    if (durationMs === undefined) return this.#durations?.[task] ?? 1;
    const taskId = this.ids[task] as string;
    const duration = durationMs(taskId);
    checkNumber({ option: 'durationMs', taskId, flow: this.#flow }, duration, durationRule);
    return duration;
  }

  #dependentsOf(task: number): Int32Array {
    return this.downstreamList.subarray(this.downstreamStart[task], this.downstreamStart[task + 1]);
  }

  #reach(id: string, options: ReachOptions | undefined, start: Int32Array, list: Int32Array): string[] {
    const { depth = Number.POSITIVE_INFINITY } = options ?? {};
    checkNumber({ option: 'depth', flow: this.#flow }, depth, { integer: true, min: 0, infinity: true });
    const from = this.indexOf(id);
    if (from < 0) throw unknownTask(this.#flow, id, this.ids);
    const reached = new Set<number>();
    let frontier = [from];
    for (let distance = 1; distance <= depth && frontier.length > 0; distance++) {
      const further: number[] = [];
      for (const task of frontier) {
        for (const other of list.subarray(start[task], start[task + 1])) {
          if (reached.has(other)) continue;
          reached.add(other);
          further.push(other);
        }
      }
      frontier = further;
    }
    return this.#idsOf(Int32Array.from(reached).sort());
  }

  #inOrder(): Int32Array {
    this.#order ??= definitionOrder(this.#rows);
    return this.#order;
  }

  #idsOf(tasks: Iterable<number>): string[] {
    return Array.from(tasks, (task) => this.ids[task] as string);
  }
}

/**
 * Makes the graph of a flow in linear time. Throws `FlowError`: `bad_id`, `duplicate_task`, `unknown_dependency`,
 * `bad_option` (`dependsOn`, `durationMs`), or `cycle` with a shortest cycle as its `path` (see the limits of
 * `findShortestCycle`).
 */
export function createGraph(flow: string, tasks: readonly TimedTask[]): Graph {
  const rows = readRows(tasks, flow);
  if (hasCycle(rows)) throw cycleError(flow, namedCycle(rows));
  return new Graph(flow, rows, readDurations(flow, tasks));
}

function namedCycle(rows: Rows): string[] {
  const cycle = findShortestCycle(rows);
  return [...cycle, ...cycle.slice(0, 1)].map((task) => rows.ids[task] as string);
}

function readDurations(flow: string, tasks: readonly TimedTask[]): Float64Array | undefined {
  let durations: Float64Array | undefined;
  for (let i = 0; i < tasks.length; i++) {
    const { id, durationMs } = tasks[i] as TimedTask;
    if (durationMs === undefined) continue;
    checkNumber({ option: 'durationMs', taskId: id, flow }, durationMs, durationRule);
    durations ??= new Float64Array(tasks.length);
    durations[i] = durationMs;
  }
  return durations;
}

/** The task with the most remaining, the first if there are several; -1 without tasks. */
function longest(tasks: Iterable<number>, remaining: Float64Array): number {
  let found = -1;
  for (const task of tasks) {
    if (found < 0 || (remaining[task] as number) > (remaining[found] as number)) found = task;
  }
  return found;
}
