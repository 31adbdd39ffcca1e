import {
  createFlowFromGraph,
  type Entry,
  FatalError,
  type Flow,
  type GraphTask,
  type Run,
  SkipTask,
} from 'topple';
import type { VirtualClock } from 'topple/testing';
import { Recording } from '../../../src/inspector/page/run/recording.ts';
import type { Structure, TaskShape } from '../../../src/inspector/protocol.ts';
import { shapeOf } from '../../../src/inspector/sources/shapes.ts';
import { virtualEngine } from '../../support/virtual.ts';

/** Options of a recorded run. */
export interface RecordedOptions {
  readonly concurrency?: number;
  readonly pools?: Readonly<Record<string, number>>;
  /** Stops recording after so many ms. Default: when the run has settled. */
  readonly untilMs?: number;
  /** Is called once the run has started. */
  readonly during?: (run: Run, clock: VirtualClock) => unknown;
}

export type RecordedTask = GraphTask & { readonly fatal?: boolean; readonly progress?: readonly number[] };

/** Makes the structure of a run of a graph. */
export function structureOf(
  tasks: Readonly<Record<string, RecordedTask>>,
  rest: Partial<Structure> = {},
): Structure {
  const id = rest.id ?? 'run-1';
  const shapes = Object.entries(tasks).map(([taskId, task]): TaskShape => {
    return {
      id: taskId,
      dependsOn: task.dependsOn ?? [],
      triggerRule: task.triggerRule ?? 'all_success',
      optional: task.optional ?? false,
      skippable: task.skips ?? false,
      priority: task.priority ?? 0,
      pool: task.pool,
      maxAttempts: task.retry?.maxAttempts ?? 1,
      timeoutMs: task.timeoutMs,
    };
  });
  return {
    source: 'here',
    id,
    run: { source: 'here', id, flow: 'flow', status: 'running', startedAt: 0, endedAt: null, seq: 0 },
    flowHash: '',
    tasks: shapes,
    isWhole: true,
    recoveredAt: [],
    commands: [],
    now: 0,
    ...rest,
  };
}

/** Runs a graph under a virtual clock, and returns its structure and entries. */
export async function recordRun(
  tasks: Readonly<Record<string, RecordedTask>>,
  options: RecordedOptions = {},
): Promise<{ structure: Structure; entries: readonly Entry[]; now: number }> {
  const { clock, engine } = virtualEngine();
  const { concurrency, pools = {}, untilMs, during } = options;
  const graph = {
    tasks: Object.fromEntries(
      Object.entries(tasks).map(([id, { fatal, progress, skips, ...task }]) => {
        return [id, skips ? { ...task, skippable: true } : task];
      }),
    ),
    pools,
  };
  const flow = createFlowFromGraph({ name: 'flow', ...graph } as never, async (scope) => {
    const { taskId, attempt, signal } = scope;
    const task = tasks[taskId] as RecordedTask;
    const durationMs = task.durationMs ?? 0;
    const steps = task.progress ?? [];
    for (const fraction of steps) {
      await clock.sleep(durationMs / (steps.length + 1), signal);
      scope.progress(fraction, `at ${fraction}`);
    }
    if (durationMs > 0) await clock.sleep(durationMs / (steps.length + 1), signal);
    if (task.skips) throw new SkipTask('not today');
    if (task.fatal) throw new FatalError('broken for good');
    if (task.fails === 'always' || attempt <= (task.fails ?? 0)) throw new Error(`${taskId} fails`);
    return { from: taskId };
  });
  const entries: Entry[] = [];
  const run = await engine.start(flow, undefined, { id: 'run-1', concurrency });
  const reading = (async () => {
    for await (const entry of run.events()) entries.push(entry);
  })();
  await during?.(run, clock);
  if (untilMs === undefined) {
    await clock.run(run.settled());
    await reading;
  } else await clock.advance(untilMs);
  const structure = structureOf(tasks, { concurrency, pools });
  // A recording may take what it is given.
  return { structure, entries: structuredClone(entries), now: clock.now() };
}

/** The same as a recording that has got all of it. */
export async function recording(
  tasks: Readonly<Record<string, RecordedTask>>,
  options?: RecordedOptions,
): Promise<{ recording: Recording; now: number; entries: readonly Entry[] }> {
  const { structure, entries, now } = await recordRun(tasks, options);
  const made = new Recording(structure);
  made.add(structuredClone(entries));
  return { recording: made, now, entries };
}

/** Runs a flow under a virtual clock, and returns a recording of it, and of any run below it by its id. */
export async function recordFlow(
  flow: Flow<never>,
  during: (run: Run, clock: VirtualClock) => unknown = (run, clock) => clock.run(run.settled()),
): Promise<{ recording: Recording; now: number; below(id: string): Promise<Recording> }> {
  const { clock, engine } = virtualEngine();
  const run = await engine.start(flow, undefined as never, { id: 'run-1' });
  await during(run, clock);
  const record = (of: Run): Recording => {
    const structure = structureOf({}, { id: of.id, ...shapeOf(of.definition) });
    const made = new Recording(structure);
    made.add(structuredClone(of.entries()));
    return made;
  };
  const below = async (id: string): Promise<Recording> => record((await engine.run(id)) as Run);
  return { recording: record(run), now: clock.now(), below };
}
