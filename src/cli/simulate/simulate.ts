import { createEngine, createFlowFromGraph, type RunView, type TaskSettings } from '../../index.ts';
import { createVirtualClock } from '../../testing/index.ts';
import type { LoadedFlow } from '../load/load-flow.ts';
import { performScripts, type TaskScript } from '../load/script.ts';
import { criticalPathPriorities } from './order.ts';

export interface SimulateOptions {
  /** Attempts at one time. Default: no limit. */
  readonly workers?: number | undefined;
  /** Who starts first among tasks of the same priority. Default `fifo`. */
  readonly order?: 'fifo' | 'critical-path' | undefined;
  /** Of the chance by which ties are broken. Default: ties go by definition order. */
  readonly seed?: number | undefined;
  /** Of a module's tasks that say none, in ms. Default 0. */
  readonly durationMs?: number | undefined;
}

/** One attempt under way, in ms from the run's start. */
export interface Span {
  readonly task: number;
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** A simulated run. Instants are ms from its start; tasks are numbered in definition order. */
export interface Simulation {
  readonly loaded: LoadedFlow;
  readonly options: SimulateOptions;
  readonly view: RunView;
  readonly makespanMs: number;
  /** In order of their ends. */
  readonly spans: readonly Span[];
}

/** Runs a flow on the real engine, under a virtual clock: no body of a module is called. */
export async function simulate(loaded: LoadedFlow, options: SimulateOptions): Promise<Simulation> {
  const clock = createVirtualClock();
  const spans: Span[] = [];
  const scripts = loaded.scripts ?? scriptsOf(loaded, options.durationMs ?? 0);
  const perform = performScripts(scripts, (ms, signal) => clock.sleep(ms, signal));
  const { graph, name, settings, tasks } = loaded.flow.definition;
  const priorities =
    options.order === 'critical-path' ? criticalPathPriorities(loaded.flow.definition, scripts) : undefined;
  const list = tasks.map((task, index) => ({
    // Outputs are not simulated, so no schema can look at them.
    ...(({ body: _, output: __, ...rest }): TaskSettings & { id: string } => rest)(task),
    dependsOn: task.dependsOn,
    priority: priorities?.[index] ?? task.priority,
  }));
  const { input: _, output: __, forwardEvents: ___, ...limits } = settings;
  const flow = createFlowFromGraph({ name, tasks: list, ...limits }, async (scope) => {
    const startedAt = clock.now();
    try {
      await perform(scope);
    } finally {
      spans.push({
        task: graph.indexOf(scope.taskId),
        attempt: scope.attempt,
        startedAt,
        endedAt: clock.now(),
      });
    }
  });
  const engine = createEngine({ clock, concurrency: options.workers, keepSettled: 0, logger: silent });
  const run = await engine.start(flow);
  const view = await clock.run(run.settled());
  const makespanMs = Object.values(view.tasks).reduce((last, { endedAt = 0 }) => Math.max(last, endedAt), 0);
  return { loaded, options, view, makespanMs, spans };
}

function scriptsOf({ flow }: LoadedFlow, durationMs: number): Map<string, TaskScript> {
  return new Map(
    flow.definition.tasks.map((task) => [
      task.id,
      { durationMs: task.durationMs ?? durationMs, fails: 0, skips: false },
    ]),
  );
}

const silent = { error: () => {}, warn: () => {}, info: () => {} };
