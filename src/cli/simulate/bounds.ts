import type { RunView } from '../../index.ts';
import type { FlowDefinition } from '../../model/definition.ts';
import type { TriggerRule } from '../../model/trigger-rule.ts';

/** One attempt under way. Instants are ms from the run's start. */
export interface Span {
  /** Number of the task in definition order. */
  readonly task: number;
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** What of a simulated run its bounds are made of. */
export interface Simulated {
  readonly definition: FlowDefinition;
  readonly view: RunView;
  readonly spans: readonly Span[];
  /** How long each task waited for its retries to become due, in ms, in definition order. */
  readonly waitsMs: Float64Array;
  /** Attempts at one time; `Infinity` for no limit. */
  readonly slots: number;
}

export interface Bounds {
  /** No schedule of these attempts with as many slots takes less. */
  readonly lowerMs: number;
  /** What it comes from: the longest path, or the work that the slots must share. */
  readonly by: 'path' | 'work';
  /** All attempts together, in ms. */
  readonly workMs: number;
  /** Most attempts at one time. */
  readonly peak: number;
}

/**
 * Bounds of a simulated run, with the outcome that it had: tasks that never ran take no time, and a task whose rule
 * lets it start early waits for the first of its dependencies only.
 */
export function boundsOf(run: Simulated): Bounds {
  const workMs = run.spans.reduce((sum, { startedAt, endedAt }) => sum + endedAt - startedAt, 0);
  const shared = Math.max(workMs / run.slots, ...poolWork(run));
  // Of whole milliseconds the last one to end is whole too.
  const work = run.spans.every(({ endedAt }) => Number.isInteger(endedAt)) ? Math.ceil(shared) : shared;
  const path = longestPath(run);
  return {
    lowerMs: Math.max(path, work),
    by: work > path ? 'work' : 'path',
    workMs,
    peak: peakOf(run.spans),
  };
}

function poolWork({ definition, spans }: Simulated): number[] {
  const pools = new Map(
    Object.entries(definition.settings.pools ?? {}).map(([name, slots]) => [name, { slots, ms: 0 }]),
  );
  for (const { task, startedAt, endedAt } of spans) {
    const pool = pools.get(definition.tasks[task]?.pool ?? '');
    if (pool !== undefined) pool.ms += endedAt - startedAt;
  }
  return Array.from(pools.values(), ({ slots, ms }) => ms / slots);
}

function longestPath({ definition, view, spans, waitsMs }: Simulated): number {
  const { graph, tasks } = definition;
  const ownMs = waitsMs.slice();
  for (const { task, startedAt, endedAt } of spans)
    ownMs[task] = (ownMs[task] as number) + endedAt - startedAt;
  const endsAt = new Float64Array(graph.size);
  let longest = 0;
  for (const id of graph.order()) {
    const task = graph.indexOf(id);
    const upstream = graph.upstreamList.subarray(graph.upstreamStart[task], graph.upstreamStart[task + 1]);
    const ran = (view.tasks[id]?.attempts ?? 0) > 0;
    const rule = tasks[task]?.triggerRule as TriggerRule;
    const startsAt =
      upstream.length === 0 || rule === 'always'
        ? 0
        : firstOrLast(upstream, endsAt, ran && !startsEarly.has(rule));
    endsAt[task] = startsAt + (ownMs[task] as number);
    longest = Math.max(longest, endsAt[task] as number);
  }
  return longest;
}

/** Rules that may say run before all dependencies have settled. Other verdicts may fall early under any rule. */
const startsEarly: ReadonlySet<TriggerRule> = new Set(['one_failed', 'one_success', 'one_settled', 'always']);

function firstOrLast(tasks: Int32Array, at: Float64Array, isLast: boolean): number {
  let found = at[tasks[0] as number] as number;
  for (const task of tasks)
    found = isLast ? Math.max(found, at[task] as number) : Math.min(found, at[task] as number);
  return found;
}

function peakOf(spans: readonly Span[]): number {
  // An attempt of no length takes a slot for a moment that nothing can share in time.
  const long = spans.filter(({ startedAt, endedAt }) => endedAt > startedAt);
  const starts = Float64Array.from(long, ({ startedAt }) => startedAt).sort();
  const ends = Float64Array.from(long, ({ endedAt }) => endedAt).sort();
  let peak = 0;
  for (let started = 0, ended = 0; started < starts.length; started++) {
    while ((ends[ended] as number) <= (starts[started] as number)) ended++;
    peak = Math.max(peak, started + 1 - ended);
  }
  return peak;
}
