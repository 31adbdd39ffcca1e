import type { FlowDefinition } from '../model/definition.ts';
import type { TaskStatus } from '../model/status.ts';
import type { TriggerRule } from '../model/trigger-rule.ts';

/** The parts of a flow to draw: tasks in definition order, and the dependencies among them. */
export interface Picture {
  readonly name: string;
  readonly tasks: readonly PictureTask[];
  /** The numbers of the tasks that each task depends on. */
  readonly dependsOn: readonly (readonly number[])[];
  /** Maps each task on the critical path to the next one on it; empty if no durations are known. */
  readonly criticalPath: ReadonlyMap<number, number | undefined>;
  /** The slots of the flow's own pools. */
  readonly pools: Readonly<Record<string, number>>;
}

/** A task to draw. */
export interface PictureTask {
  readonly id: string;
  readonly triggerRule: TriggerRule;
  readonly durationMs: number | undefined;
  readonly optional: boolean;
  readonly priority: number;
  readonly pool: string | undefined;
  readonly status: TaskStatus | undefined;
  /** Whether the picture is about this task. */
  readonly isFocus: boolean;
}

/** The options for a flow's picture. */
export interface PictureOptions {
  /** Draws only this task and what is upstream and downstream of it. Default: all. */
  readonly focus?: string | undefined;
  /** The most steps away from it. Default: no bound. */
  readonly depth?: number | undefined;
  /** The status by task id. Default: none is shown. */
  readonly statuses?: ReadonlyMap<string, TaskStatus> | undefined;
}

/** Makes the picture of a flow. `focus` must be one of its tasks. */
export function createPicture(definition: FlowDefinition, options: PictureOptions = {}): Picture {
  const { graph, tasks: all, name } = definition;
  const { focus, depth, statuses } = options;
  const shown = focus === undefined ? undefined : around(definition, focus, depth);
  const tasks = shown === undefined ? all : all.filter(({ id }) => shown.has(id));
  const numbers = new Map(tasks.map(({ id }, number) => [id, number]));
  const knowsDurations = all.some(({ durationMs }) => durationMs !== undefined && durationMs > 0);
  // A task that did not run took no time.
  const took = (id: string): number =>
    idle.has(statuses?.get(id)) ? 0 : (all[graph.indexOf(id)]?.durationMs ?? 0);
  const path = knowsDurations ? graph.criticalPath(took) : [];
  return {
    name,
    tasks: tasks.map(({ id, triggerRule, durationMs, optional, priority, pool }) => ({
      id,
      triggerRule,
      durationMs: knowsDurations ? durationMs : undefined,
      optional,
      priority,
      pool,
      status: statuses?.get(id),
      isFocus: id === focus,
    })),
    dependsOn: tasks.map(({ id }) => {
      const task = graph.indexOf(id);
      const upstream = graph.upstreamList.subarray(graph.upstreamStart[task], graph.upstreamStart[task + 1]);
      return Array.from(upstream, (other) => numbers.get(graph.ids[other] as string) ?? -1).filter(
        (other) => other >= 0,
      );
    }),
    pools: definition.settings.pools ?? {},
    criticalPath: new Map(
      path.map((id, place): [number, number | undefined] => [
        numbers.get(id) ?? -1,
        place + 1 < path.length ? numbers.get(path[place + 1] as string) : undefined,
      ]),
    ),
  };
}

const idle: ReadonlySet<TaskStatus | undefined> = new Set<TaskStatus>([
  'skipped',
  'upstream_failed',
  'cancelled',
]);

function around({ graph }: FlowDefinition, focus: string, depth: number | undefined): Set<string> {
  return new Set([...graph.upstream(focus, { depth }), focus, ...graph.downstream(focus, { depth })]);
}

/** Whether one task follows the other on the critical path. */
export function isCritical({ criticalPath }: Picture, from: number, to: number): boolean {
  return criticalPath.get(from) === to;
}
