import { createFlowFromGraph, type GraphDefinition, type GraphTask, SkipTask } from 'topple';
import { RunProgress } from '../../src/cli/show/progress.ts';
import { virtualEngine } from './virtual.ts';

interface Scripted extends GraphTask {
  readonly id: string;
  /** What it says when it fails. */
  readonly error?: string;
}

/** How a run of scripted tasks stands after that much virtual time, from 0 on; by default when it has settled. */
export async function progressAt(
  atMs: number,
  tasks: readonly Scripted[],
  { name = 'demo', ...settings }: Omit<GraphDefinition, 'tasks'> = {},
): Promise<RunProgress> {
  const { clock, engine } = virtualEngine();
  const scripts = new Map(tasks.map((task) => [task.id, task]));
  const flow = createFlowFromGraph(
    { name, ...settings, tasks: tasks.map(({ error: _, ...task }) => task) },
    async ({ taskId, attempt, signal, progress }) => {
      const {
        durationMs = 0,
        fails = 0,
        skips,
        error,
        meta,
      } = scripts.get(taskId) as Scripted & { meta?: [number, string] };
      if (meta !== undefined) progress(...meta);
      if (durationMs > 0) await clock.sleep(durationMs, signal);
      if (skips) throw new SkipTask('nothing to do');
      if (fails === 'always' || attempt <= fails) throw new Error(error ?? `${taskId} broke`);
    },
  );
  const progress = new RunProgress(flow.definition);
  const run = await engine.start(flow);
  const reading = (async () => {
    for await (const entry of run.events()) progress.apply(entry);
  })();
  if (atMs === Number.POSITIVE_INFINITY) await clock.run(reading);
  else await clock.advance(atMs);
  return progress;
}
