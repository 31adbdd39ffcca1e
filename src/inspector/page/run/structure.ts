import { createGraph, type Graph } from '../../../model/graph.ts';
import type { TriggerRule } from '../../../model/trigger-rule.ts';

/** What a page knows of a task before anything happens. */
export interface StructureTask {
  readonly id: string;
  /** Ids of tasks of the same run. */
  readonly dependsOn: readonly string[];
  /** Default: `all_success`. */
  readonly triggerRule?: TriggerRule | undefined;
  readonly optional?: boolean | undefined;
  readonly priority?: number | undefined;
  readonly pool?: string | undefined;
  /** Default: 1. */
  readonly maxAttempts?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly totalTimeoutMs?: number | undefined;
  /** The run that is the task's body. */
  readonly child?: { readonly runId: string; readonly items?: number | undefined } | undefined;
}

/** What a page knows of a run before its entries. */
export interface Structure {
  readonly source: string;
  readonly runId: string;
  readonly flow: string;
  /** In definition order. */
  readonly tasks: readonly StructureTask[];
  /** The most attempts of the run at one time. Default: unlimited. */
  readonly concurrency?: number | undefined;
  /** The slots of each pool. */
  readonly pools?: { readonly [pool: string]: number } | undefined;
}

/** A structure with what follows from it. */
export interface Plan {
  readonly structure: Structure;
  readonly graph: Graph;
}

/** Reads a structure. Throws `FlowError` if it is no graph. */
export function planOf(structure: Structure): Plan {
  return { structure, graph: createGraph(structure.flow, structure.tasks) };
}

/** The tasks that a task depends on, by their numbers. */
export function upstreamOf({ upstreamStart, upstreamList }: Graph, task: number): Int32Array {
  return upstreamList.subarray(upstreamStart[task], upstreamStart[task + 1]);
}

/** The tasks that depend on a task, by their numbers. */
export function downstreamOf({ downstreamStart, downstreamList }: Graph, task: number): Int32Array {
  return downstreamList.subarray(downstreamStart[task], downstreamStart[task + 1]);
}
