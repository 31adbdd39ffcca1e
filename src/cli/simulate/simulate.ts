import { createEngine, type RunView } from '../../index.ts';
import { createChance } from '../../model/chance.ts';
import type { FlowDefinition } from '../../model/definition.ts';
import type { Span } from '../../model/task-times.ts';
import { createVirtualClock } from '../../testing/index.ts';
import type { LoadedFlow } from '../load/load-flow.ts';
import { type Bounds, boundsOf } from './bounds.ts';
import { scriptsOf } from './scripts.ts';
import { simulatedFlow } from './simulated-flow.ts';
import { readRuns } from './simulated-runs.ts';

export interface SimulateOptions {
  /** Maximum number of attempts at one time. Default: no limit but the flow's own. */
  readonly workers?: number | undefined;
  /** The order of tasks with the same priority. Default `fifo`. */
  readonly order?: 'fifo' | 'critical-path' | undefined;
  /** The seed for breaking ties randomly. Default: by definition order. */
  readonly seed?: number | undefined;
  /** Duration in ms of a module's tasks that define none. Default 0. */
  readonly durationMs?: number | undefined;
  /** The number of items of each map of a module. Default 1. */
  readonly items?: number | undefined;
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
  const { durationMs = 0, items = 1, order = 'fifo', seed } = options;
  const scripts = loaded.scripts ?? scriptsOf(definition, { durationMs, items });
  const clock = createVirtualClock();
  const simulated = simulatedFlow(definition, scripts, {
    sleep: (ms, signal) => clock.sleep(ms, signal),
    order,
    chance: seed === undefined ? undefined : createChance(seed),
    unknownPools: unknownPools(definition),
  });
  const engine = createEngine({ clock, concurrency: options.workers, keepSettled: 0, logger: silent });
  const run = await engine.start(simulated);
  const view = await clock.run(run.settled());
  const read = await readRuns(run, definition);

  const slots = Math.min(
    options.workers ?? Number.POSITIVE_INFINITY,
    settings.concurrency ?? Number.POSITIVE_INFINITY,
  );
  let makespanMs = 0;
  for (const id of graph.ids) makespanMs = Math.max(makespanMs, view.tasks[id]?.endedAt ?? 0);
  const { spans, children } = read;
  const bounds = boundsOf({ definition, view, spans, children, slots });
  return { flow: loaded.flow, options, view, makespanMs, spans, slots, bounds };
}

/** Pools that tasks of a module want and its flow does not define: its engine would, which is not known here. */
export function unknownPools({ foreignPools }: FlowDefinition): string[] {
  return [...foreignPools.keys()];
}

const silent = { error: () => {}, warn: () => {}, info: () => {} };
