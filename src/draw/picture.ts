import type { FlowDefinition } from '../model/definition.ts';
import type { TaskStatus } from '../model/status.ts';
import type { TriggerRule } from '../model/trigger-rule.ts';

/** What is drawn of a flow: tasks in definition order, and the dependencies among them. */
export interface Picture {
  readonly name: string;
  readonly tasks: readonly PictureTask[];
  /** Numbers of the tasks that each task depends on. */
  readonly dependsOn: readonly (readonly number[])[];
  /** The tasks on the critical path, each with the one that comes after it there; empty where no durations are known. */
  readonly criticalPath: ReadonlyMap<number, number | undefined>;
  /** Slots of the flow's own pools. */
  readonly pools: Readonly<Record<string, number>>;
}

/** What is drawn of a task. */
export interface PictureTask {
  readonly id: string;
  readonly triggerRule: TriggerRule;
  readonly durationMs: number | undefined;
  readonly optional: boolean;
  readonly priority: number;
  readonly pool: string | undefined;
  readonly status: TaskStatus | undefined;
  /** The one that the picture is about. */
  readonly isFocus: boolean;
}

/** What of a flow is drawn. */
export interface PictureOptions {
  /** Draw this task, and only what is upstream and downstream of it. Default: all. */
  readonly focus?: string | undefined;
  /** How far from it. Default: no bound. */
  readonly depth?: number | undefined;
  /** Status by task id. Default: none is shown. */
  readonly statuses?: ReadonlyMap<string, TaskStatus> | undefined;
}

/** Takes from a flow what is drawn of it. `focus` must be one of its tasks. */
export function createPicture(definition: FlowDefinition, options: PictureOptions = {}): Picture {
  const { graph, tasks: all, name } = definition;
  const { focus, depth, statuses } = options;
  const shown = focus === undefined ? undefined : around(definition, focus, depth);
  const tasks = shown === undefined ? all : all.filter(({ id }) => shown.has(id));
  const numbers = new Map(tasks.map(({ id }, number) => [id, number]));
  const knowsDurations = all.some(({ durationMs }) => durationMs !== undefined && durationMs > 0);
  // What did not run took no time.
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

/** Whether two tasks follow one another on the critical path. */
export function isCritical({ criticalPath }: Picture, from: number, to: number): boolean {
  return criticalPath.get(from) === to;
}
