import { setImmediate, setTimeout } from 'node:timers/promises';
import {
  type AnyFlow,
  createFlowFromGraph,
  type GraphTask,
  type PerformScope,
  type Run,
  SkipTask,
} from 'topple';
import { chanceOf } from './chance.ts';

/** Where the bodies of a flow run. */
export interface World {
  /** Takes each call of a body, before the body does anything. */
  called(scope: PerformScope): void;
  /** A run under way here. */
  run(id: string): Promise<Run>;
}

/** A task, and what its body does besides returning an output that depends on its dependencies' outputs. */
interface Task extends GraphTask {
  readonly id: string;
  /** How the body returns: at once, a microtask or an event loop later, or after so many milliseconds. */
  readonly takes?: 'call' | 'microtask' | 'loop' | number;
  /** Its output is always the same: what is in `deps` depends on chance. */
  readonly isFixed?: boolean;
  /** Runs in place of the usual body. */
  readonly does?: (scope: PerformScope, run: Run) => Promise<void>;
}

export type FlowName = 'thirty' | 'pausing' | 'ending' | 'layered' | 'six' | 'slow' | 'holding';

/** Makes one of the flows, the same in each process. */
export function flowOf(name: FlowName, world: World): AnyFlow {
  const tasks = tasksOf[name]();
  const pools = { disk: 2 };
  const graph = tasks.map(({ takes: _, isFixed: __, does: ___, fails: ____, skips, ...task }) => ({
    ...task,
    skippable: skips ?? false,
  }));
  const byId = new Map(tasks.map((task) => [task.id, task]));
  return createFlowFromGraph({ name, pools, tasks: graph }, (scope: PerformScope) =>
    bodyOf(byId.get(scope.taskId) as Task, scope, world),
  ) as unknown as AnyFlow;
}

function bodyOf(task: Task, scope: PerformScope, world: World): unknown {
  world.called(scope);
  const { takes = 'call' } = task;
  if (task.does !== undefined) return world.run(scope.runId).then((run) => task.does?.(scope, run));
  if (takes === 'call') return outputOf(task, scope);
  const waited =
    takes === 'microtask' ? Promise.resolve() : takes === 'loop' ? setImmediate() : setTimeout(takes);
  return waited.then(() => outputOf(task, scope));
}

function outputOf({ fails = 0, skips, isFixed }: Task, { taskId, attempt, deps }: PerformScope): unknown {
  if (fails === 'always' || attempt <= fails) throw new Error(`${taskId} fails in attempt ${attempt}`);
  if (skips) throw new SkipTask('nothing to do');
  if (isFixed) return taskId;
  return { id: taskId, attempt, sum: sumOf(taskId, deps) };
}

/** A number that tells whether a body was given the right outputs. */
function sumOf(taskId: string, deps: Record<string, unknown>): number {
  let sum = taskId.length;
  for (const output of Object.values(deps))
    sum = (sum * 31 + ((output as { sum?: number })?.sum ?? 7)) % 65_521;
  return sum;
}

const backoff = (maxAttempts: number, ms: number) => ({ retry: { maxAttempts, backoff: ms } });

/** Two layers that all small flows begin with. */
const upper = (): Task[] => [
  { id: 's0' },
  { id: 's1', takes: 'loop', fails: 1, ...backoff(3, 12) },
  { id: 's2', takes: 'loop', pool: 'disk' },
  { id: 's3', takes: 2 },
  { id: 's4', takes: 'microtask' },
  { id: 'a0', dependsOn: ['s0', 's1'], takes: 'loop', fails: 2, ...backoff(4, 8) },
  { id: 'a1', dependsOn: ['s0', 's2'], takes: 3, pool: 'disk' },
  { id: 'a2', dependsOn: ['s2', 's3'], pool: 'disk' },
  { id: 'a3', dependsOn: ['s3', 's4'], takes: 1, fails: 1, retry: { maxAttempts: 2 }, pool: 'disk' },
  { id: 'a4', dependsOn: ['s4'], skips: true },
  { id: 'a5', dependsOn: ['s0', 's4'], takes: 1, fails: 'always', optional: true, ...backoff(2, 5) },
];

/** 30 tasks: retries, backoffs, a pool, trigger rules, a task that skips itself and one that fails. */
const thirty = (): Task[] => [
  ...upper(),
  { id: 'b0', dependsOn: ['a0', 'a1', 'a2'], triggerRule: 'one_success', isFixed: true, takes: 1 },
  { id: 'b1', dependsOn: ['a4', 'a5'], triggerRule: 'all_settled' },
  { id: 'b2', dependsOn: ['a5'], optional: true },
  { id: 'b3', dependsOn: ['a1', 'a2'], takes: 'microtask' },
  { id: 'b4', dependsOn: ['a3', 'a4'], triggerRule: 'none_failed', takes: 2 },
  { id: 'b5', dependsOn: ['s1', 'a0'] },
  { id: 'c0', dependsOn: ['b0', 'b3'] },
  { id: 'c1', dependsOn: ['b1'], takes: 'loop' },
  { id: 'c2', dependsOn: ['b2'], triggerRule: 'all_settled', takes: 1 },
  { id: 'c3', dependsOn: ['b3', 'b4'], takes: 'microtask', fails: 1, ...backoff(3, 20) },
  { id: 'c4', dependsOn: ['b4', 'b5'] },
  { id: 'c5', dependsOn: ['b5'], takes: 2 },
  { id: 'd0', dependsOn: ['c0', 'c1', 'c2'] },
  { id: 'd1', dependsOn: ['c3'], takes: 'loop', pool: 'disk' },
  { id: 'd2', dependsOn: ['c4', 'c5'] },
  { id: 'd3', dependsOn: ['c3', 'c4'], takes: 'microtask', priority: 2 },
  { id: 'd4', dependsOn: ['c5'], pool: 'disk' },
  { id: 'e0', dependsOn: ['d0', 'd1', 'd2', 'd3', 'd4'], takes: 1 },
  { id: 'e1', dependsOn: ['e0'] },
];

/** The same; one of them pauses the run, which then resumes. */
const pausing = (): Task[] =>
  thirty().map((task) =>
    task.id === 'b3'
      ? {
          ...task,
          does: async (_, run) => {
            run.pause();
            await setTimeout(2);
            run.resume();
          },
        }
      : task,
  );

/** 30 tasks, of which one cancels the run while two others run, one waits for its retry and half are pending. */
const ending = (): Task[] => [
  ...upper(),
  { id: 'w', dependsOn: ['s1'], takes: 'loop', fails: 1, ...backoff(2, 600_000) },
  ...['h0', 'h1'].map((id): Task => ({ id, dependsOn: ['a0'], does: ({ signal }) => untilAborted(signal) })),
  {
    id: 'g',
    dependsOn: ['a0', 'a1', 'a2', 'a3'],
    async does({ signal }, run) {
      while (!signal.aborted && !mayEnd(run)) await setTimeout(1);
      run.cancel('enough');
      await untilAborted(signal);
    },
  },
  ...Array.from({ length: 15 }, (_, index): Task => ({ id: `x${index}`, dependsOn: ['g', 'h0', 'h1'] })),
];

function mayEnd(run: Run): boolean {
  const { tasks } = run.view();
  const isAs = (id: string, status: string) => tasks[id]?.status === status;
  const first = upper().every(({ id }) => (tasks[id]?.endedAt ?? 0) > 0);
  return first && isAs('w', 'retrying') && isAs('h0', 'running') && isAs('h1', 'running');
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** 1,000 tasks in layers of 50, each behind two or three of the layer before; some are tried again, some share a pool. */
const layered = (): Task[] => {
  const chance = chanceOf(1);
  return Array.from({ length: 1_000 }, (_, index): Task => {
    const layer = Math.floor(index / 50);
    const before = () => `t${(layer - 1) * 50 + chance.below(50)}`;
    const dependsOn = layer === 0 ? [] : [...new Set([before(), before(), before()])];
    const takes = (['call', 'microtask', 'loop', 1, 3] as const)[chance.below(5)] as 'call';
    const again = chance.below(25) === 0 ? { fails: 1, ...backoff(3, chance.below(40)) } : {};
    const pool = chance.below(10) === 0 ? { pool: 'disk' } : {};
    return { id: `t${index}`, dependsOn, takes, ...again, ...pool };
  });
};

/** A run as an application has many of. */
const six = (): Task[] => [
  { id: 'account', takes: 4 },
  { id: 'mail', dependsOn: ['account'], takes: 2, fails: 1, ...backoff(3, 15) },
  { id: 'crm', dependsOn: ['account'], takes: 'microtask' },
  { id: 'sms', dependsOn: ['account'], takes: 12 },
  { id: 'card', dependsOn: ['account'], takes: 'loop' },
  { id: 'audit', dependsOn: ['mail', 'crm', 'sms', 'card'], takes: 5 },
];

/** A chain that takes a while, so that something can happen to it meanwhile. */
const slow = (): Task[] =>
  Array.from({ length: 24 }, (_, index): Task => {
    const dependsOn = index === 0 ? [] : [`t${index - 1}`];
    return { id: `t${index}`, dependsOn, takes: 60 };
  });

/** Ends only when it is cancelled. */
const holding = (): Task[] => [
  { id: 'before', takes: 5 },
  { id: 'hold', dependsOn: ['before'], does: ({ signal }) => untilAborted(signal) },
  { id: 'after', dependsOn: ['hold'] },
];

const tasksOf: Readonly<Record<FlowName, () => Task[]>> = {
  thirty,
  pausing,
  ending,
  layered,
  six,
  slow,
  holding,
};
