import {
  type FlowDefinition,
  isChildBody,
  isWaitBody,
  type OnTimeout,
  type TaskBody,
  type TaskDefinition,
  type Tolerance,
  type WaitBody,
} from '../model/definition.ts';
import { showCount, showDuration } from '../model/duration.ts';
import type { TaskStatus } from '../model/status.ts';
import type { TriggerRule } from '../model/trigger-rule.ts';
import type { UndoAfter, UndoDefinition } from '../model/undo.ts';

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
  /** The flows that its tasks run, and those that their tasks run, by a name that each has alone. */
  readonly flows: ReadonlyMap<string, Picture>;
}

/** The run that is a task's body. */
export interface PictureChild {
  /** The name of the flow that it or each of its items runs, in `flows`; `undefined` if items are no runs. */
  readonly flow: string | undefined;
  readonly isMap: boolean;
  /** The number of items of a map, if that is known. */
  readonly count: number | undefined;
  /** Of a map. */
  readonly concurrency: number | undefined;
  readonly tolerate: Tolerance | undefined;
}

/** What a task waits for. */
export interface PictureWait {
  readonly kind: 'waitFor' | 'sleep';
  readonly ms: number | undefined;
  /** Of a wait for a value: what comes of it where its time is over. */
  readonly onTimeout?: OnTimeout | undefined;
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
  /** If its body is a run. */
  readonly child?: PictureChild | undefined;
  /** If it waits: for a value, or for so many milliseconds; `undefined` for a sleep whose end the flow computes. */
  readonly wait?: PictureWait | undefined;
  /** When there is something to undo, if it can be undone. */
  readonly undo?: UndoAfter | undefined;
  /** Whether it has a condition. */
  readonly asks?: boolean | undefined;
  /** The flow that it, or each of its items, runs, where that is drawn inside. Default: it is drawn folded. */
  readonly inner?: Picture | undefined;
}

/** The options for a flow's picture. */
export interface PictureOptions {
  /** Draws only this task and what is upstream and downstream of it. Default: all. */
  readonly focus?: string | undefined;
  /** The most steps away from it. Default: no bound. */
  readonly depth?: number | undefined;
  /** The status by task id. Default: none is shown. */
  readonly statuses?: ReadonlyMap<string, TaskStatus> | undefined;
  /** What is known of maps and of runs of flows. Default: nothing. */
  readonly known?: ReadonlyMap<string, KnownTask> | undefined;
}

/** What is known of a task besides its definition. */
export interface KnownTask {
  /** Of a map: one for each item. */
  readonly items?: readonly unknown[] | undefined;
  /** Of a run of a flow: of that flow's tasks. */
  readonly child?: ReadonlyMap<string, KnownTask> | undefined;
}

/** Makes the picture of a flow. `focus` must be one of its tasks. */
export function createPicture(definition: FlowDefinition, options: PictureOptions = {}): Picture {
  const flows = new Flows();
  return { ...pictureOf(definition, options, flows), flows: flows.pictures };
}

function undoIn(undo: UndoDefinition | undefined): Pick<PictureTask, 'undo'> {
  return undo === undefined ? {} : { undo: undo.after };
}

function pictureOf(definition: FlowDefinition, options: PictureOptions, flows: Flows): Picture {
  const { graph, tasks: all, name } = definition;
  const { focus, depth, statuses, known } = options;
  const shown = focus === undefined ? undefined : around(definition, focus, depth);
  const tasks = shown === undefined ? all : all.filter(({ id }) => shown.has(id));
  const numbers = new Map(tasks.map(({ id }, number) => [id, number]));
  const knowsDurations = all.some((task) => (durationOf(task) ?? 0) > 0);
  // A task that did not run took no time.
  const took = (id: string): number =>
    idle.has(statuses?.get(id)) ? 0 : (durationOf(all[graph.indexOf(id)] as TaskDefinition) ?? 0);
  const path = knowsDurations ? graph.criticalPath(took) : [];
  return {
    name,
    tasks: tasks.map(({ id, triggerRule, optional, priority, pool, body, ...task }) => ({
      id,
      triggerRule,
      durationMs: knowsDurations ? durationOf({ ...task, body }) : undefined,
      optional,
      priority,
      pool,
      status: statuses?.get(id),
      isFocus: id === focus,
      child: childOf(body, known?.get(id), flows),
      ...(isWaitBody(body) && { wait: waitOf(body, task.timeoutMs) }),
      ...(task.when !== undefined && { asks: true }),
      ...undoIn(task.compensate ?? (body.kind === 'map' ? body.item.compensate : undefined)),
    })),
    dependsOn: tasks.map(({ id }) => {
      const task = graph.indexOf(id);
      const upstream = graph.upstreamList.subarray(graph.upstreamStart[task], graph.upstreamStart[task + 1]);
      return Array.from(upstream, (other) => numbers.get(graph.ids[other] as string) ?? -1).filter(
        (other) => other >= 0,
      );
    }),
    pools: definition.settings.pools ?? {},
    flows: noFlows,
    criticalPath: new Map(
      path.map((id, place): [number, number | undefined] => [
        numbers.get(id) ?? -1,
        place + 1 < path.length ? numbers.get(path[place + 1] as string) : undefined,
      ]),
    ),
  };
}

/** The expected duration of a task; of a map, that of one item. */
function durationOf({ body, durationMs }: Pick<TaskDefinition, 'body' | 'durationMs'>): number | undefined {
  return body.kind === 'map' ? body.item.durationMs : durationMs;
}

const noFlows: ReadonlyMap<string, Picture> = new Map();

/** The pictures of the flows that tasks run; each flow is drawn once. */
class Flows {
  readonly pictures = new Map<string, Picture>();
  readonly #names = new Map<FlowDefinition, string>();

  nameOf(flow: FlowDefinition, known: KnownTask['child']): string {
    const named = this.#names.get(flow);
    if (named !== undefined) return named;
    let name = flow.name;
    const taken = new Set(this.#names.values());
    for (let number = 2; taken.has(name); number++) name = `${flow.name} (${number})`;
    this.#names.set(flow, name);
    this.pictures.set(name, pictureOf(flow, { known }, this));
    return name;
  }
}

function childOf(body: TaskBody, known: KnownTask | undefined, flows: Flows): PictureChild | undefined {
  if (!isChildBody(body)) return undefined;
  const isMap = body.kind === 'map';
  const run = isMap ? body.item.body : body;
  const flow = run.kind === 'flow' ? flows.nameOf(run.flow, known?.child) : undefined;
  const { concurrency, tolerate } = isMap ? body : { concurrency: undefined, tolerate: undefined };
  return { flow, isMap, count: known?.items?.length, concurrency, tolerate };
}

function waitOf(body: WaitBody, timeoutMs: number | undefined): PictureWait {
  const wait = { kind: body.kind, ms: waitMs(body, timeoutMs) };
  return body.kind === 'waitFor' ? { ...wait, onTimeout: body.onTimeout } : wait;
}

/** How long a task waits, at most if it is for a value. */
function waitMs(body: WaitBody, timeoutMs: number | undefined): number | undefined {
  const ms = body.kind === 'sleep' ? body.ms : timeoutMs;
  return ms === Number.POSITIVE_INFINITY ? undefined : ms;
}

/** What a task is besides its id, in words; `undefined` for a task with a body of its own and no condition. */
export function noteText(task: PictureTask): string | undefined {
  const notes = [
    childText(task),
    waitText(task),
    task.asks === true ? 'if its condition says so' : undefined,
  ];
  const known = notes.filter((note) => note !== undefined);
  return known.length === 0 ? undefined : known.join(', ');
}

/** A wait in words: `waits for a value`, `sleeps 1 h`. */
function waitText({ wait }: PictureTask): string | undefined {
  if (wait === undefined) return undefined;
  const long = wait.ms === undefined ? '' : ` ${showDuration(wait.ms)}`;
  if (wait.kind === 'sleep') return `sleeps${long === '' ? ' until an instant' : long}`;
  return `waits${long === '' ? '' : ` up to${long}`} for a value`;
}

/** A child run in words: `flow publish`, `map ×12`, `map of publish`; `undefined` for any other task. */
function childText({ child }: PictureTask): string | undefined {
  if (child === undefined) return undefined;
  const { flow, isMap, count } = child;
  if (!isMap) return `flow ${flow}`;
  return `map${count === undefined ? '' : ` ×${showCount(count)}`}${flow === undefined ? '' : ` of ${flow}`}`;
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
