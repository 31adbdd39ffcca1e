import {
  createEngine,
  createFlowFromGraph,
  type Engine,
  type EngineOptions,
  type GraphDefinition,
  type GraphTask,
  type RunView,
  SkipTask,
} from 'topple';
import { createVirtualClock, type VirtualClock } from 'topple/testing';

/** An engine on a virtual clock, quiet and without chance. */
export function virtualEngine(options: EngineOptions = {}): { clock: VirtualClock; engine: Engine } {
  const clock = createVirtualClock();
  return { clock, engine: createEngine({ clock, random: () => 0.5, logger: silent, ...options }) };
}

export const silent = { error: () => {}, warn: () => {}, info: () => {} };

/** Runs a graph whose tasks take their durations, fail and skip as they say, and gives the settled view. */
export async function simulate(
  graph: { readonly tasks: Readonly<Record<string, GraphTask>> } & Omit<GraphDefinition, 'tasks'>,
  workers = Number.POSITIVE_INFINITY,
): Promise<RunView> {
  const { clock, engine } = virtualEngine({ concurrency: workers });
  const flow = createFlowFromGraph(graph, async ({ taskId, attempt, signal }) => {
    const task = graph.tasks[taskId] ?? {};
    const durationMs = task.durationMs ?? task.duration ?? 0;
    if (durationMs > 0) await clock.sleep(durationMs, signal);
    if (task.skips) throw new SkipTask();
    if (task.fails === 'always' || attempt <= (task.fails ?? 0)) throw new Error(`${taskId} fails`);
    return taskId;
  });
  const run = await engine.start(flow);
  return clock.run(run.settled());
}

/** When the last task ended. */
export function makespanOf(view: RunView): number {
  return Math.max(...Object.values(view.tasks).map((task) => task.endedAt ?? 0)) - (view.startedAt ?? 0);
}
