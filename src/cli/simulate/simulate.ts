import { createEngine, createFlowFromGraph, type Run, type RunView } from '../../index.ts';
import type { FlowDefinition, TaskDefinition } from '../../model/definition.ts';
import { RunFold } from '../../model/fold.ts';
import { type Span, TaskTimes } from '../../model/task-times.ts';
import { createVirtualClock } from '../../testing/index.ts';
import type { LoadedFlow } from '../load/load-flow.ts';
import { performScripts, type TaskScript } from '../load/script.ts';
import { type Bounds, boundsOf } from './bounds.ts';
import { createChance, shuffled } from './chance.ts';
import { criticalPathPriorities } from './order.ts';

export interface SimulateOptions {
  /** Maximum number of attempts at one time. Default: no limit but the flow's own. */
  readonly workers?: number | undefined;
  /** The order of tasks with the same priority. Default `fifo`. */
  readonly order?: 'fifo' | 'critical-path' | undefined;
  /** The seed for breaking ties randomly. Default: by definition order. */
  readonly seed?: number | undefined;
  /** Duration in ms of a module's tasks that define none. Default 0. */
  readonly durationMs?: number | undefined;
}

/** A simulated run. All instants are ms from its start. */
export interface Simulation {
  readonly flow: LoadedFlow['flow'];
  readonly options: SimulateOptions;
  readonly view: RunView;
  readonly makespanMs: number;
  /** In the order of their ends. */
  readonly spans: readonly Span[];
  /** Maximum number of attempts at one time; `Infinity` for no limit. */
  readonly slots: number;
  readonly bounds: Bounds;
}

/** Runs a flow on the real engine, with a virtual clock. Calls no body of a module. */
export async function simulate(loaded: LoadedFlow, options: SimulateOptions): Promise<Simulation> {
  const { definition } = loaded.flow;
  const { graph, settings } = definition;
  const scripts = loaded.scripts ?? scriptsOf(definition.tasks, options.durationMs ?? 0);
  const clock = createVirtualClock();
  const perform = performScripts(scripts, (ms, signal) => clock.sleep(ms, signal));

  const simulated = createFlowFromGraph(
    {
      name: definition.name,
      tasks: orderTasks(loaded, scripts, options),
      concurrency: settings.concurrency,
      pools: withUnknownPools(definition),
      totalTimeoutMs: settings.totalTimeoutMs,
      graceMs: settings.graceMs,
    },
    perform,
  );
  const engine = createEngine({ clock, concurrency: options.workers, keepSettled: 0, logger: silent });
  const run = await engine.start(simulated);
  const view = await clock.run(run.settled());
  const spans = await spansOf(run, definition);

  const slots = Math.min(
    options.workers ?? Number.POSITIVE_INFINITY,
    settings.concurrency ?? Number.POSITIVE_INFINITY,
  );
  let makespanMs = 0;
  for (const id of graph.ids) makespanMs = Math.max(makespanMs, view.tasks[id]?.endedAt ?? 0);
  const bounds = boundsOf({ definition, view, spans, slots });
  return { flow: loaded.flow, options, view, makespanMs, spans, slots, bounds };
}

async function spansOf(run: Run, { name, graph, tasks }: FlowDefinition): Promise<Span[]> {
  const times = new TaskTimes(new RunFold(run.id, name, graph, (task) => tasks[task]?.dependsOn ?? []));
  const spans: Span[] = [];
  for await (const entry of run.events()) spans.push(...times.apply(entry));
  return spans;
}

/** The tasks as the engine gets them: in the order that breaks ties, with the priorities for `order`. */
function orderTasks(
  { flow }: LoadedFlow,
  scripts: ReadonlyMap<string, TaskScript>,
  { order = 'fifo', seed }: SimulateOptions,
) {
  const { definition } = flow;
  const { tasks } = definition;
  const ties =
    seed === undefined ? Int32Array.from(tasks.keys()) : shuffled(tasks.length, createChance(seed));
  const durationOf = (task: number) => scripts.get((tasks[task] as TaskDefinition).id)?.durationMs ?? 0;
  const priorities = order === 'fifo' ? undefined : criticalPathPriorities(definition, durationOf, ties);
  return Array.from(ties, (index) => {
    // Outputs are not simulated, so there is nothing for a schema to check.
    const { body: _, output: __, ...task } = tasks[index] as TaskDefinition;
    return { ...task, priority: priorities?.[index] ?? task.priority };
  });
}

/** Pools that tasks of a module want and its flow does not define: its engine would, which is not known here. */
export function unknownPools({ foreignPools }: FlowDefinition): string[] {
  return [...foreignPools.keys()];
}

function withUnknownPools(definition: FlowDefinition): Record<string, number> {
  const unlimited = unknownPools(definition).map((name): [string, number] => [
    name,
    Number.POSITIVE_INFINITY,
  ]);
  return { ...definition.settings.pools, ...Object.fromEntries(unlimited) };
}

function scriptsOf(tasks: readonly TaskDefinition[], defaultMs: number): Map<string, TaskScript> {
  return new Map(tasks.map(({ id, durationMs = defaultMs }) => [id, { durationMs, fails: 0, skips: false }]));
}

const silent = { error: () => {}, warn: () => {}, info: () => {} };
