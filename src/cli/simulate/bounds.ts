import { type FlowDefinition, isChildBody, type TaskDefinition } from '../../model/definition.ts';
import { isAttempt, type Span } from '../../model/task-times.ts';
import { mayStartEarly, type TriggerRule } from '../../model/trigger-rule.ts';
import type { SimulatedRun } from './simulated-runs.ts';

/** The facts of a simulated run from which its bounds are computed. */
export interface Simulated extends SimulatedRun {
  /** Maximum number of attempts at one time; `Infinity` for no limit. */
  readonly slots: number;
}

export interface Bounds {
  /** The minimum length of any schedule of these attempts with as many slots. */
  readonly lowerMs: number;
  /** The source of the bound: the longest path, or the work that the slots share. */
  readonly by: 'path' | 'work';
  /** Total duration of all attempts, in ms. */
  readonly workMs: number;
  /** Maximum number of attempts that ran at one time. */
  readonly peak: number;
  /** The tasks of the longest path, from the first to the last, which no number of workers shortens. */
  readonly path: readonly number[];
}

/**
 * Computes bounds of a simulated run with its actual outcome: tasks that never ran take no time, and a task whose rule
 * lets it start early waits only for the first of its dependencies.
 */
export function boundsOf(run: Simulated): Bounds {
  const attempts = attemptsOf(run);
  const workMs = attempts.reduce((sum, { startedAt, endedAt }) => sum + endedAt - startedAt, 0);
  const shared = Math.max(workMs / run.slots, ...poolWork(run));
  // If all ends are whole milliseconds, so is the last one.
  const work = attempts.every(({ endedAt }) => Number.isInteger(endedAt)) ? Math.ceil(shared) : shared;
  const { path, lengthMs } = longestPath(run);
  return {
    lowerMs: Math.max(lengthMs, work),
    by: work > lengthMs ? 'work' : 'path',
    workMs,
    peak: peakOf(attempts),
    path,
  };
}

/** The attempts that took slots, those of child runs included. */
function attemptsOf(run: SimulatedRun): Span[] {
  const attempts = ownAttempts(run);
  for (const child of run.children.values()) for (const attempt of attemptsOf(child)) attempts.push(attempt);
  return attempts;
}

function ownAttempts({ definition, spans }: SimulatedRun): Span[] {
  return spans.filter((span) => isAttempt(span) && !isChild(definition, span.task));
}

function isChild({ tasks }: FlowDefinition, task: number): boolean {
  return isChildBody((tasks[task] as TaskDefinition).body);
}

/** The time that each pool of the flow must take. Pools are not those of child runs, which may have their own. */
function poolWork(run: SimulatedRun): number[] {
  const { definition } = run;
  const attempts = ownAttempts(run);
  const pools = new Map(
    Object.entries(definition.settings.pools ?? {}).map(([name, slots]) => [name, { slots, ms: 0 }]),
  );
  for (const { task, startedAt, endedAt } of attempts) {
    const pool = pools.get(definition.tasks[task]?.pool ?? '');
    if (pool !== undefined) pool.ms += endedAt - startedAt;
  }
  return Array.from(pools.values(), ({ slots, ms }) => ms / slots);
}

function longestPath({ definition, view, spans, children }: SimulatedRun): {
  path: number[];
  lengthMs: number;
} {
  const { graph, tasks } = definition;
  // More workers shorten only the waits for slots.
  const ownMs = new Float64Array(graph.size);
  for (const { kind, task, startedAt, endedAt } of spans)
    if (kind !== 'slot' && !(kind === 'attempt' && isChild(definition, task)))
      ownMs[task] = (ownMs[task] as number) + endedAt - startedAt;
  // A child run takes at least what its own longest path takes.
  for (const [task, child] of children) ownMs[task] = (ownMs[task] as number) + longestPath(child).lengthMs;
  const endsAt = new Float64Array(graph.size);
  const waitedFor = new Int32Array(graph.size).fill(-1);
  let last = -1;
  for (const id of graph.order()) {
    const task = graph.indexOf(id);
    const upstream = graph.upstreamList.subarray(graph.upstreamStart[task], graph.upstreamStart[task + 1]);
    const ran = (view.tasks[id]?.attempts ?? 0) > 0;
    const rule = tasks[task]?.triggerRule as TriggerRule;
    // Other verdicts than run may be given early under any rule.
    if (rule !== 'always') waitedFor[task] = firstOrLast(upstream, endsAt, ran && !mayStartEarly(rule));
    endsAt[task] = (endsAt[waitedFor[task] as number] ?? 0) + (ownMs[task] as number);
    if (last < 0 || (endsAt[task] as number) >= (endsAt[last] as number)) last = task;
  }
  const path: number[] = [];
  for (let task = last; task >= 0; task = waitedFor[task] as number) path.push(task);
  return { path: path.reverse(), lengthMs: endsAt[last] ?? 0 };
}

/** The task that ends last, or first; -1 without tasks. */
function firstOrLast(tasks: Int32Array, endsAt: Float64Array, isLast: boolean): number {
  let found = tasks[0] ?? -1;
  for (const task of tasks) {
    const later = (endsAt[task] as number) - (endsAt[found] as number);
    if (isLast ? later > 0 : later < 0) found = task;
  }
  return found;
}

function peakOf(attempts: readonly Span[]): number {
  // An attempt of zero length takes a slot only for an instant, and overlaps nothing.
  const long = attempts.filter(({ startedAt, endedAt }) => endedAt > startedAt);
  const starts = Float64Array.from(long, ({ startedAt }) => startedAt).sort();
  const ends = Float64Array.from(long, ({ endedAt }) => endedAt).sort();
  let peak = 0;
  for (let started = 0, ended = 0; started < starts.length; started++) {
    while ((ends[ended] as number) <= (starts[started] as number)) ended++;
    peak = Math.max(peak, started + 1 - ended);
  }
  return peak;
}
