// Random flows and what happens to their runs, for stores that take their time.

import fc from 'fast-check';
import {
  createEngine,
  createFlowFromGraph,
  createMemoryStore,
  type Engine,
  type Entry,
  FatalError,
  type GraphTask,
  type MemoryStore,
  RetryAfterError,
  type Run,
  type RunView,
  SkipTask,
  type Store,
  triggerRules,
} from 'topple';
import { createVirtualClock, type VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import type { PerformScope } from '../../src/model/perform.ts';
import { silent } from './virtual.ts';

/** What a body does in one of its attempts. */
interface Try {
  readonly as: 'return' | 'throw' | 'skip' | 'fatal' | 'retry after' | 'ignore its signal';
  readonly afterMs: number;
  /** Promises that it awaits besides. */
  readonly turns: number;
}

interface Task {
  readonly dependsOn: readonly number[];
  readonly settings: GraphTask;
  readonly tries: readonly Try[];
}

type CommandType = 'run.pause' | 'run.resume' | 'run.cancel';

export interface Plan {
  readonly seed: number;
  readonly tasks: readonly Task[];
  readonly concurrency: number | undefined;
  readonly pool: number | undefined;
  readonly totalTimeoutMs: number | undefined;
  /** Commands at an instant, the same on every store. */
  readonly timed: readonly { readonly type: CommandType; readonly at: number }[];
  /** Commands of a listener, at a `seq`. */
  readonly heard: readonly { readonly type: CommandType; readonly seq: number }[];
  readonly way: (typeof ways)[number];
  readonly runs: number;
  readonly failureRate: number;
  /** How the processes before the last one end, and in which of their appends. */
  readonly lives: readonly { readonly as: 'crash' | 'stop'; readonly at: number }[];
  /** Whether the last process has a store that keeps at once, and recovers the runs from it. */
  readonly recovers: boolean;
}

const ways = ['unseen', 'listener', 'actor', 'logic', 'inspected'] as const;

export const taskEndings: ReadonlySet<string> = new Set(
  ['done', 'failed', 'skipped', 'upstream_failed', 'cancelled'].map((end) => `task.${end}`),
);
export const runEndings: ReadonlySet<string> = new Set(['run.done', 'run.failed', 'run.cancelled']);

/** Long and random, so that no two instants are the same by chance: their order is not compared. */
const ms = fc.integer({ min: 1, max: 1_000_000 });
const sometimes = <Value>(cases: number, some: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: cases - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: some });

const tries: fc.Arbitrary<Try> = fc.record({
  as: fc.oneof(
    { weight: 8, arbitrary: fc.constant('return' as const) },
    { weight: 4, arbitrary: fc.constantFrom('throw' as const, 'skip' as const, 'fatal' as const) },
    { weight: 2, arbitrary: fc.constantFrom('retry after' as const, 'ignore its signal' as const) },
  ),
  afterMs: fc.oneof(fc.constant(0), ms),
  turns: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 4 })),
});

const settings = fc.record({
  triggerRule: fc.oneof(
    { weight: 2, arbitrary: fc.constant('all_success' as const) },
    fc.constantFrom(...triggerRules),
  ),
  retry: sometimes(
    2,
    fc.record({ maxAttempts: fc.integer({ min: 2, max: 4 }), backoff: fc.oneof(fc.constant(0), ms) }),
  ),
  timeoutMs: sometimes(3, ms),
  totalTimeoutMs: sometimes(6, ms),
  graceMs: fc.oneof(fc.constant(0), ms),
  optional: sometimes(3, fc.constant(true)),
  skippable: fc.constant(true),
  priority: sometimes(3, fc.integer({ min: 0, max: 2 })),
  pool: sometimes(3, fc.constant('pool')),
}) as fc.Arbitrary<GraphTask>;

const types = fc.constantFrom(
  'run.pause',
  'run.pause',
  'run.resume',
  'run.cancel',
) as fc.Arbitrary<CommandType>;

export const plans: fc.Arbitrary<Plan> = fc
  .record({
    seed: fc.integer(),
    drawn: fc.array(
      fc.record({
        picks: fc.array(fc.nat(), { maxLength: 3 }),
        settings,
        tries: fc.array(tries, { minLength: 1, maxLength: 4 }),
      }),
      { maxLength: 14, size: 'max' },
    ),
    concurrency: sometimes(4, fc.integer({ min: 1, max: 3 })),
    pool: sometimes(4, fc.integer({ min: 1, max: 2 })),
    totalTimeoutMs: sometimes(8, ms),
    timed: fc.oneof(fc.constant([]), fc.array(fc.record({ type: types, at: ms }), { maxLength: 3 })),
    heard: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      fc.array(fc.record({ type: types, seq: fc.integer({ min: 1, max: 40 }) }), { maxLength: 3 }),
    ),
    way: fc.constantFrom(...ways),
    runs: fc.integer({ min: 1, max: 2 }),
    failureRate: fc.constantFrom(0, 0, 0.1, 0.5),
    lives: fc.array(
      fc.record({
        as: fc.constantFrom('crash' as const, 'crash' as const, 'stop' as const),
        at: fc.integer({ min: 1, max: 12 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    recovers: fc.boolean(),
  })
  .map(({ drawn, ...rest }) => ({
    ...rest,
    tasks: drawn.map(({ picks, ...task }, number) => ({
      ...task,
      dependsOn: number === 0 ? [] : [...new Set(picks.map((pick) => pick % number))],
    })),
  }));

/** A process: it may die, and its bodies are then heard of no more. */
export interface Life {
  readonly clock: VirtualClock;
  /** Takes the call of a body. */
  readonly called: (scope: PerformScope) => void;
}

/** The flow of a plan; its bodies belong to the life in which they are called. */
export function flowOf({ tasks, concurrency, totalTimeoutMs }: Plan, here: { life?: Life }) {
  const perform = async (scope: PerformScope): Promise<unknown> => {
    const { taskId, attempt, signal, runId } = scope;
    const { clock, called } = here.life as Life;
    called(scope);
    const { tries: all } = tasks[Number(taskId.slice(1))] as Task;
    const { as, afterMs, turns } = all[(attempt - 1) % all.length] as Try;
    for (let turn = 0; turn < turns; turn++) await undefined;
    if (afterMs > 0) await clock.sleep(afterMs, as === 'ignore its signal' ? undefined : signal);
    if (as === 'throw') throw new Error(`${taskId} failed at attempt ${attempt}`);
    if (as === 'skip') throw new SkipTask(`${taskId} skips`);
    if (as === 'fatal') throw new FatalError(`${taskId} is broken`);
    if (as === 'retry after') throw new RetryAfterError(7_000);
    return `${runId} ${taskId} ${attempt}`;
  };
  const named = tasks.map(({ dependsOn, settings: task }, number): [string, GraphTask] => [
    `t${number}`,
    { ...task, dependsOn: dependsOn.map((dependency) => `t${dependency}`) },
  ]);
  return createFlowFromGraph({ name: 'random', tasks: new Map(named), concurrency, totalTimeoutMs }, perform);
}

export type Flow = ReturnType<typeof flowOf>;

export const idsOf = ({ runs }: Plan): string[] => Array.from({ length: runs }, (_, number) => `r${number}`);

export function engineOf({ pool, way }: Plan, clock: VirtualClock, store: Store): Engine {
  const inspect = way === 'inspected' ? () => {} : undefined;
  return createEngine({
    store,
    clock,
    inspect,
    pools: { pool: pool ?? 1_000 },
    random: () => 0.5,
    logger: silent,
  });
}

export function give(run: Run, type: CommandType): void {
  if (type === 'run.pause') run.pause();
  else if (type === 'run.resume') run.resume();
  else run.cancel('enough');
}

/** Has the commands given in their time; in the end nothing stays paused. */
export function command({ timed, heard }: Plan, clock: VirtualClock, run: Run): void {
  const now = clock.now();
  for (const { type, at } of timed) if (at >= now) clock.setTimeout(() => give(run, type), at - now);
  for (let count = 0; count <= heard.length; count++)
    clock.setTimeout(() => give(run, 'run.resume'), 1e8 + count * 1e7);
}

/** What is the same on every store: what happened to each task and to the run, and when. */
export function courseOf(entries: readonly Entry[], view: RunView, withInstants: boolean): unknown {
  const byTask: Record<string, unknown[]> = {};
  for (const { seq: _, ...entry } of entries) {
    const name = 'taskId' in entry ? entry.taskId : 'run';
    byTask[name] ??= [];
    // At one instant another dependency may come first.
    byTask[name]?.push({ ...entry, because: undefined });
  }
  const omitted = new Set([
    'stack',
    ...(withInstants ? [] : ['at', 'startedAt', 'endedAt', 'readyAt', 'retryAt']),
  ]);
  return JSON.parse(JSON.stringify({ byTask, view }, (key, value) => (omitted.has(key) ? undefined : value)));
}

/** The run on a store that keeps at once. */
export async function reference(
  plan: Plan,
): Promise<readonly { entries: readonly Entry[]; view: RunView }[]> {
  const here: { life?: Life } = {};
  const flow = flowOf(plan, here);
  const clock = createVirtualClock(0);
  const store = createMemoryStore();
  const engine = engineOf({ ...plan, way: 'unseen' }, clock, store);
  here.life = { clock, called: () => {} };
  const runs: Run[] = [];
  for (const id of idsOf(plan)) runs.push((await engine.start(flow, undefined, { id })) as Run);
  for (const run of runs) command(plan, clock, run);
  const views = await clock.run(Promise.all(runs.map((run) => run.settled())));
  return views.map((view) => ({ entries: store.read(view.id), view }));
}

/** The kept facts of a task since it was last run again. */
export function keptOf(memory: MemoryStore, runId: string, taskId: string): readonly Entry[] {
  return memory.read(runId).filter((entry) => 'taskId' in entry && entry.taskId === taskId);
}

/** Checks a body's call: what led to it is kept, and so is all that it sees. */
export function checkCall(
  memory: MemoryStore,
  { runId, taskId, attempt, deps, outcomes }: PerformScope,
): void {
  const kept = keptOf(memory, runId, taskId);
  const settled = kept.some(({ type }) => taskEndings.has(type));
  assert.is(settled, false, `${taskId} is performed again`);
  assert.ok(
    kept.some(({ type }) => type === 'task.ready'),
    `${taskId} is not ready`,
  );
  const failed = kept.filter(({ type }) => type === 'task.retrying').length;
  assert.ok(failed >= attempt - 1, `attempt ${attempt} of ${taskId} after ${failed} failures`);
  for (const id of Object.keys(deps))
    assert.ok(
      keptOf(memory, runId, id).some(({ type }) => type === 'task.done'),
      `${taskId} sees the output of ${id}`,
    );
  for (const [id, { status }] of Object.entries(outcomes)) {
    if (!taskEndings.has(`task.${status}`)) continue;
    const types = keptOf(memory, runId, id).map(({ type }) => type);
    assert.ok(types.includes(`task.${status}` as Entry['type']), `${taskId} sees that ${id} is ${status}`);
    if (status === 'done') assert.ok(id in deps, `${taskId} lacks the output of ${id}`);
  }
}

/** Whether no verdict depends on which of two dependencies settles first: one that was skipped, or one that failed. */
export function isOrderFree({ tasks }: RunView): boolean {
  return Object.values(tasks).every(({ dependsOn }) => {
    const statuses = dependsOn.map((id) => tasks[id]?.status);
    return (
      !statuses.includes('skipped') || statuses.every((status) => status === 'done' || status === 'skipped')
    );
  });
}

/** Whether limits make the order matter in which slots are asked for at one instant. */
export const isLimited = ({ concurrency, pool }: Plan): boolean =>
  concurrency !== undefined || pool !== undefined;

/** Whether the course of a run depends on instants that limits move. */
export const isTimed = ({ timed, totalTimeoutMs, tasks }: Plan): boolean =>
  timed.length > 0 ||
  totalTimeoutMs !== undefined ||
  tasks.some(({ settings: task }) => task.totalTimeoutMs !== undefined);
