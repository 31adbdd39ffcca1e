import type { TaskDefinition } from '../../model/definition.ts';
import { isSettledRun, type RunStatus, type SettledStatus } from '../../model/status.ts';
import type { Decision } from '../../model/trigger-rule.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Situation, Taken } from '../model/situation.ts';
import type { Step } from '../model/steps.ts';
import type { LiveRow, Row } from '../model/task-model.ts';
import { airflowVerdict, countEndings } from './airflow.ts';

/** A property, checked after each step of each path. */
export interface BuiltIn {
  readonly name: string;
  /** Says what is wrong with a step; `undefined` if nothing is. The first step, the start, has no step before it. */
  readonly afterStep?: (
    world: FlowWorld,
    before: Situation | undefined,
    step: Step | undefined,
    taken: Taken,
  ) => string | undefined;
  /** Says what is wrong with a situation from which nothing more can happen. */
  readonly atEnd?: (world: FlowWorld, last: Situation) => string | undefined;
}

/** The properties that every flow has, whatever its tasks do. */
export const builtIns: readonly BuiltIn[] = [
  { name: 'every task settles', atEnd: unsettled },
  { name: 'each task settles once', afterStep: settledTwice },
  { name: 'a verdict falls when its rule is sure, and not before', afterStep: wrongVerdict },
  { name: 'none starts before its rule says so', afterStep: startedEarly },
  { name: 'no output of a dependency is missing', afterStep: missingOutput },
  { name: 'attempts are counted', afterStep: miscounted },
  { name: 'a limit that passes ends what it bounds', afterStep: limitIgnored },
  { name: 'concurrency and pools are kept', afterStep: overLimit },
  { name: 'slots are not left free', afterStep: idleSlot },
  { name: "the run's status follows from its tasks", afterStep: wrongStatus },
  { name: 'after a cancel nothing starts', afterStep: startedAfterCancel },
  { name: 'a run that was stopped goes on as it was', afterStep: recoveredOtherwise },
];

/** Whether a built-in property has this name. */
export function isBuiltInName(name: string): boolean {
  return name === 'the model does not throw' || builtIns.some((known) => known.name === name);
}

function unsettled(world: FlowWorld, { run, rows }: Situation): string | undefined {
  const left = rows.flatMap((row, task) =>
    row === undefined || row.isLive ? [`\`${idOf(world, task)}\` is ${row?.status ?? 'pending'}`] : [],
  );
  if (left.length > 0) return `nothing more can happen, and ${left.join(', ')}`;
  if (!isSettledRun(run.value as RunStatus)) return `all tasks have settled, and the run is ${run.value}`;
  return undefined;
}

function settledTwice(
  world: FlowWorld,
  before: Situation | undefined,
  step: Step | undefined,
  { settled, next }: Taken,
): string | undefined {
  const seen = new Set<number>();
  for (const { task, status } of settled) {
    const had = before?.rows[task];
    const isAgain = seen.has(task) || (had !== undefined && !had.isLive && step?.kind !== 'rerun');
    if (isAgain) return `\`${idOf(world, task)}\` had settled, and settles again: ${status}`;
    seen.add(task);
  }
  for (const [task, row] of next.rows.entries()) {
    const had = before?.rows[task];
    if (had === undefined || had.isLive || row === had || step?.kind === 'rerun') continue;
    return `\`${idOf(world, task)}\` was ${had.status}, and is ${row?.status ?? 'pending'} now`;
  }
  const { ledger } = next.run.context;
  for (const [task, row] of next.rows.entries()) {
    const entered = ledger.statusOf(task);
    const expected = row === undefined ? 'waiting' : row.isLive ? 'decided' : row.status;
    if (entered !== expected)
      return `the ledger has \`${idOf(world, task)}\` as ${entered}, where it is ${expected}`;
  }
  return undefined;
}

/** Goes through the settled tasks one by one, and asks the rules of their dependents each time. */
function wrongVerdict(
  world: FlowWorld,
  before: Situation | undefined,
  step: Step | undefined,
  taken: Taken,
): string | undefined {
  const { graph, tasks } = world.definition;
  const { upstreamStart, upstreamList, downstreamStart, downstreamList } = graph;
  const fresh = before === undefined || step?.kind === 'rerun';
  const isCancelling = taken.next.run.context.cause !== undefined;
  if (isCancelling || step?.kind === 'stop') return undefined;
  const endings = new Map<number, SettledStatus>();
  const settledNow = new Set(taken.settled.map(({ task }) => task));
  const endingOf = (task: number): SettledStatus | undefined => {
    const now = endings.get(task);
    if (now !== undefined) return now;
    if (settledNow.has(task)) return undefined;
    return settledStatus(taken.next.rows[task]);
  };
  const ruleOf = (task: number): Decision => {
    const upstream = upstreamList.subarray(upstreamStart[task], upstreamStart[task + 1]);
    return airflowVerdict(
      (tasks[task] as TaskDefinition).triggerRule,
      countEndings(Array.from(upstream, endingOf)),
    );
  };
  const expected = new Map<number, { readonly decision: Decision; readonly because: number | undefined }>();
  if (fresh) {
    for (let task = 0; task < world.size; task++) {
      const stays =
        settledStatus(before?.rows[task]) !== undefined && taken.next.rows[task] === before?.rows[task];
      if (stays && !settledNow.has(task)) continue;
      const decision = ruleOf(task);
      if (decision !== 'wait') expected.set(task, { decision, because: undefined });
    }
  }
  for (const { task: settled, status } of taken.settled) {
    endings.set(settled, status);
    for (const task of downstreamList.subarray(downstreamStart[settled], downstreamStart[settled + 1])) {
      if (expected.has(task) || (!fresh && before?.rows[task] !== undefined)) continue;
      const decision = ruleOf(task);
      if (decision !== 'wait') expected.set(task, { decision, because: settled });
    }
  }
  const given = new Map<number, Decision | 'cancel'>();
  for (const { task, decision, because } of taken.verdicts) {
    const wanted = expected.get(task);
    const id = idOf(world, task);
    const rule = (tasks[task] as TaskDefinition).triggerRule;
    if (given.has(task)) return `\`${id}\` was given two verdicts`;
    given.set(task, decision);
    if (wanted === undefined) return `\`${id}\` (${rule}) was told ${decision}, and its rule is not sure`;
    if (wanted.decision !== decision)
      return `\`${id}\` (${rule}) was told ${decision}, and its rule says ${wanted.decision}`;
    if (wanted.because !== because)
      return `\`${id}\` was told ${decision} because of ${nameOf(world, because)}, and it was ${nameOf(world, wanted.because)} that decided`;
  }
  for (const [task, { decision }] of expected) {
    if (given.has(task)) continue;
    const { triggerRule } = tasks[task] as TaskDefinition;
    return `\`${idOf(world, task)}\` (${triggerRule}) was told nothing, and its rule says ${decision}`;
  }
  return undefined;
}

function startedEarly(
  world: FlowWorld,
  _before: Situation | undefined,
  _step: Step | undefined,
  { next, started }: Taken,
): string | undefined {
  const { graph, tasks } = world.definition;
  for (const task of started) {
    const upstream = graph.upstreamList.subarray(graph.upstreamStart[task], graph.upstreamStart[task + 1]);
    const endings = Array.from(upstream, (other) => settledStatus(next.rows[other]));
    const { triggerRule } = tasks[task] as TaskDefinition;
    const verdict = airflowVerdict(triggerRule, countEndings(endings));
    if (verdict !== 'run')
      return `\`${idOf(world, task)}\` (${triggerRule}) starts, and its rule says ${verdict}`;
  }
  return undefined;
}

function missingOutput(
  world: FlowWorld,
  _before: Situation | undefined,
  _step: Step | undefined,
  { next, started }: Taken,
): string | undefined {
  const { graph, tasks } = world.definition;
  for (const task of started) {
    if ((tasks[task] as TaskDefinition).triggerRule !== 'all_success') continue;
    for (const other of graph.upstreamList.subarray(
      graph.upstreamStart[task],
      graph.upstreamStart[task + 1],
    )) {
      const status = next.rows[other]?.status ?? 'pending';
      if (status !== 'done')
        return `\`${idOf(world, task)}\` starts without the output of \`${idOf(world, other)}\`, which is ${status}`;
    }
  }
  return undefined;
}

function miscounted(
  world: FlowWorld,
  before: Situation | undefined,
  step: Step | undefined,
  { next, started }: Taken,
): string | undefined {
  for (const task of started) {
    const had = step?.kind === 'rerun' ? undefined : before?.rows[task];
    const has = next.rows[task]?.attempts ?? 0;
    const expected = had?.isLive ? attemptsBehind(had) + 1 : 1;
    if (has !== expected) return `attempt ${expected} of \`${idOf(world, task)}\` is counted as ${has}`;
    if (has > maxAttemptsOf(world, task))
      return `\`${idOf(world, task)}\` makes attempt ${has} of ${maxAttemptsOf(world, task)}`;
  }
  if (step?.kind !== 'fails') return undefined;
  const had = before?.rows[step.task];
  const status = next.rows[step.task]?.status;
  const mayTryAgain = (had?.attempts ?? 0) < maxAttemptsOf(world, step.task);
  if (mayTryAgain !== (status !== 'failed'))
    return `attempt ${had?.attempts} of ${maxAttemptsOf(world, step.task)} of \`${idOf(world, step.task)}\` failed, and the task is ${status}`;
  return undefined;
}

function limitIgnored(
  world: FlowWorld,
  before: Situation | undefined,
  step: Step | undefined,
  { next }: Taken,
): string | undefined {
  if (before === undefined || step === undefined) return undefined;
  const { kind, task } = step;
  const row = next.rows[task];
  const id = idOf(world, task);
  if (kind === 'times out' && !(row?.isLive && row.ending !== undefined))
    return `an attempt of \`${id}\` is out of time, and is not told to end`;
  if (kind !== 'expires') return undefined;
  const isRight =
    before.rows[task]?.status === 'running' ? row?.isLive && row.ending === 'task' : row?.status === 'failed';
  return isRight ? undefined : `the time of \`${id}\` is over, and it is ${row?.status}`;
}

function overLimit(
  world: FlowWorld,
  _before: Situation | undefined,
  _step: Step | undefined,
  { next }: Taken,
): string | undefined {
  if (!world.slots.isLimited) return undefined;
  const used = slotsUsed(world, next);
  if (used.all > world.slots.concurrency)
    return `${used.all} attempts are under way, of ${world.slots.concurrency} at one time`;
  for (const [pool, { taken, slots }] of used.pools) {
    if (taken > slots) return `${taken} attempts are in pool \`${pool}\`, which has ${slots} slots`;
  }
  return undefined;
}

function idleSlot(
  world: FlowWorld,
  _before: Situation | undefined,
  _step: Step | undefined,
  { next }: Taken,
): string | undefined {
  if (next.run.value !== 'running' || !next.live.some((task) => wantsSlot(next.rows[task]))) return undefined;
  const used = slotsUsed(world, next);
  for (const task of next.live) {
    if (!wantsSlot(next.rows[task])) continue;
    const pool = used.pools.get((world.definition.tasks[task] as TaskDefinition).pool ?? '');
    if (used.all < world.slots.concurrency && (pool === undefined || pool.taken < pool.slots))
      return `\`${idOf(world, task)}\` wants a slot, there is one, and it does not start`;
  }
  return undefined;
}

function wrongStatus(
  world: FlowWorld,
  before: Situation | undefined,
  step: Step | undefined,
  { next }: Taken,
): string | undefined {
  const { value, context } = next.run;
  const settled = next.rows.every((row) => row !== undefined && !row.isLive);
  if (isSettledRun(value as RunStatus)) {
    if (!settled) return `the run is ${value}, and not all of its tasks have settled`;
    const failed = next.rows.some(
      (row, task) =>
        row?.status !== 'done' &&
        row?.status !== 'skipped' &&
        !(world.definition.tasks[task] as TaskDefinition).optional,
    );
    const expected =
      context.cause === 'cancelled' ? 'cancelled' : context.cause !== undefined || failed ? 'failed' : 'done';
    return value === expected ? undefined : `the run is ${value}, and should be ${expected}`;
  }
  if (settled) return `all tasks have settled, and the run is ${value}`;
  const had = before?.run.value ?? 'running';
  const expected =
    step?.kind === 'pause'
      ? 'paused'
      : step?.kind === 'resume' || step?.kind === 'rerun'
        ? 'running'
        : step?.kind === 'cancel' || step?.kind === 'out of time'
          ? 'cancelling'
          : had;
  if (value !== expected) return `the run is ${value}, and should be ${expected}`;
  const cause =
    step?.kind === 'cancel'
      ? 'cancelled'
      : step?.kind === 'out of time'
        ? 'timeout'
        : step?.kind === 'rerun'
          ? undefined
          : before?.run.context.cause;
  return context.cause === cause ? undefined : `the run's cause is ${context.cause}, and should be ${cause}`;
}

function startedAfterCancel(
  world: FlowWorld,
  before: Situation | undefined,
  step: Step | undefined,
  { next, started, verdicts }: Taken,
): string | undefined {
  const isEnding =
    step?.kind === 'cancel' ||
    step?.kind === 'out of time' ||
    (before?.run.context.cause !== undefined && step?.kind !== 'rerun');
  if (!isEnding) return undefined;
  const [task] = started;
  if (task !== undefined) return `\`${idOf(world, task)}\` starts after the run was cancelled`;
  const run = verdicts.find(({ decision }) => decision === 'run');
  if (run !== undefined) return `\`${idOf(world, run.task)}\` is told to run after the run was cancelled`;
  for (const [index, row] of next.rows.entries()) {
    if (row?.isLive && row.ending === 'cancel') continue;
    if (row === undefined || row.isLive)
      return `\`${idOf(world, index)}\` is ${row?.status ?? 'pending'} after the run was cancelled`;
  }
  return undefined;
}

function recoveredOtherwise(
  world: FlowWorld,
  before: Situation | undefined,
  step: Step | undefined,
  { next }: Taken,
): string | undefined {
  if (step?.kind !== 'stop' || before === undefined || before.run.context.cause !== undefined)
    return undefined;
  for (const [task, had] of before.rows.entries()) {
    const row = next.rows[task];
    const id = idOf(world, task);
    if (had === undefined ? row !== undefined : row === undefined)
      return `\`${id}\` was ${had?.status ?? 'pending'}, and is ${row?.status ?? 'pending'} after the stop`;
    if (had === undefined || row === undefined) continue;
    if (!had.isLive && row !== had) return `\`${id}\` was ${had.status}, and is ${row.status} after the stop`;
    if (!had.isLive) continue;
    if (!row.isLive) return `\`${id}\` was ${had.status}, and is ${row.status} after the stop`;
    if (attemptsBehind(row) !== attemptsBehind(had))
      return `\`${id}\` had ${attemptsBehind(had)} attempts behind it, and counts ${row.attempts} after the stop`;
    if (had.status === 'retrying' && !had.wantsSlot && (row.status !== 'retrying' || row.wantsSlot))
      return `\`${id}\` waited for its retry, and is ${row.status} after the stop`;
  }
  return undefined;
}

/** The attempts that have ended. */
function attemptsBehind({ status, attempts }: LiveRow): number {
  return status === 'retrying' ? attempts : Math.max(attempts - 1, 0);
}

interface Used {
  readonly all: number;
  readonly pools: ReadonlyMap<string, { taken: number; readonly slots: number }>;
}

function slotsUsed(world: FlowWorld, { live, rows }: Situation): Used {
  const pools = new Map<string, { taken: number; readonly slots: number }>();
  let all = 0;
  for (const task of live) {
    const definition = world.definition.tasks[task] as TaskDefinition;
    const isRunning = rows[task]?.status === 'running' ? 1 : 0;
    all += isRunning;
    if (definition.pool === undefined) continue;
    const pool = pools.get(definition.pool) ?? { taken: 0, slots: world.slots.of(definition) };
    pool.taken += isRunning;
    pools.set(definition.pool, pool);
  }
  return { all, pools };
}

function wantsSlot(row: Row | undefined): boolean {
  return row?.isLive === true && row.wantsSlot;
}

function settledStatus(row: Row | undefined): SettledStatus | undefined {
  return row === undefined || row.isLive ? undefined : row.status;
}

function maxAttemptsOf(world: FlowWorld, task: number): number {
  return world.definition.tasks[task]?.retry?.maxAttempts ?? 1;
}

function idOf(world: FlowWorld, task: number): string {
  return world.definition.graph.ids[task] as string;
}

function nameOf(world: FlowWorld, task: number | undefined): string {
  return task === undefined ? 'none' : `\`${idOf(world, task)}\``;
}
