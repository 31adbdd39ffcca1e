import type { TaskDefinition } from '../../model/definition.ts';
import { isSettledRun, type RunStatus, type SettledStatus } from '../../model/status.ts';
import type { Decision } from '../../model/trigger-rule.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Situation, Taken } from '../model/situation.ts';
import { isRecovered, type Step } from '../model/steps.ts';
import { endingOf } from '../model/task-model.ts';
import { airflowVerdict, countEndings } from './airflow.ts';

/** Says what has not settled where nothing more can happen. */
export function unsettled(world: FlowWorld, { run, rows }: Situation): string | undefined {
  const left = rows.flatMap((row, task) =>
    row === undefined || row.isLive ? [`\`${world.idOf(task)}\` is ${row?.status ?? 'pending'}`] : [],
  );
  if (left.length > 0) return `nothing more can happen, and ${left.join(', ')}`;
  if (!isSettledRun(run.value as RunStatus)) return `all tasks have settled, and the run is ${run.value}`;
  return undefined;
}

/** Says which task settles again, or is another in the ledger than in its row. */
export function settledTwice(
  world: FlowWorld,
  before: Situation | undefined,
  step: Step | undefined,
  { settled, next }: Taken,
): string | undefined {
  const seen = new Set<number>();
  for (const { task, status } of settled) {
    const had = before?.rows[task];
    const isAgain = seen.has(task) || (had !== undefined && !had.isLive && step?.kind !== 'rerun');
    if (isAgain) return `\`${world.idOf(task)}\` had settled, and settles again: ${status}`;
    seen.add(task);
  }
  for (const [task, row] of next.rows.entries()) {
    const had = before?.rows[task];
    if (had === undefined || had.isLive || row === had || step?.kind === 'rerun') continue;
    return `\`${world.idOf(task)}\` was ${had.status}, and is ${row?.status ?? 'pending'} now`;
  }
  const { ledger } = next.run.context;
  for (const [task, row] of next.rows.entries()) {
    const entered = ledger.statusOf(task);
    const expected = row === undefined ? 'waiting' : row.isLive ? 'decided' : row.status;
    if (entered !== expected)
      return `the ledger has \`${world.idOf(task)}\` as ${entered}, where it is ${expected}`;
  }
  return undefined;
}

/** Goes through the settled tasks one by one, and asks the rules of their dependents each time. */
export function wrongVerdict(
  world: FlowWorld,
  before: Situation | undefined,
  step: Step | undefined,
  taken: Taken,
): string | undefined {
  const { graph, tasks } = world.definition;
  const { downstreamStart, downstreamList } = graph;
  const fresh = before === undefined || step?.kind === 'rerun';
  const isCancelling = taken.next.run.context.cause !== undefined;
  if (isCancelling || (step !== undefined && isRecovered(step))) return undefined;
  const endings = new Map<number, SettledStatus>();
  const settledNow = new Set(taken.settled.map(({ task }) => task));
  const endingNow = (task: number): SettledStatus | undefined => {
    const now = endings.get(task);
    if (now !== undefined) return now;
    if (settledNow.has(task)) return undefined;
    return endingOf(taken.next.rows[task]);
  };
  const ruleOf = (task: number): Decision => {
    const endings = Array.from(world.upstreamOf(task), endingNow);
    return airflowVerdict((tasks[task] as TaskDefinition).triggerRule, countEndings(endings));
  };
  /** The first dependency at whose ending the rule says that a task does not run, were they to end in definition order. */
  const deciderOf = (task: number, decision: Decision): number | undefined => {
    if (decision === 'run') return undefined;
    const upstream = Array.from(world.upstreamOf(task));
    const { triggerRule } = tasks[task] as TaskDefinition;
    return upstream.find((_, last) => {
      const known = upstream.map((other, place) => (place <= last ? endingNow(other) : undefined));
      return airflowVerdict(triggerRule, countEndings(known)) === decision;
    });
  };
  const expected = new Map<number, { readonly decision: Decision; readonly because: number | undefined }>();
  if (fresh) {
    for (let task = 0; task < world.size; task++) {
      const stays =
        endingOf(before?.rows[task]) !== undefined && taken.next.rows[task] === before?.rows[task];
      if (stays && !settledNow.has(task)) continue;
      const decision = ruleOf(task);
      if (decision !== 'wait') expected.set(task, { decision, because: deciderOf(task, decision) });
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
    const id = world.idOf(task);
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
    return `\`${world.idOf(task)}\` (${triggerRule}) was told nothing, and its rule says ${decision}`;
  }
  return undefined;
}

/** Says which task starts though its rule is not met. */
export function startedEarly(
  world: FlowWorld,
  _before: Situation | undefined,
  _step: Step | undefined,
  { next, started }: Taken,
): string | undefined {
  for (const task of started) {
    const { triggerRule } = world.definition.tasks[task] as TaskDefinition;
    const endings = Array.from(world.upstreamOf(task), (other) => endingOf(next.rows[other]));
    const verdict = airflowVerdict(triggerRule, countEndings(endings));
    if (verdict !== 'run')
      return `\`${world.idOf(task)}\` (${triggerRule}) starts, and its rule says ${verdict}`;
  }
  return undefined;
}

/** Says which task starts without an output that `all_success` promises. */
export function missingOutput(
  world: FlowWorld,
  _before: Situation | undefined,
  _step: Step | undefined,
  { next, started }: Taken,
): string | undefined {
  const { tasks } = world.definition;
  for (const task of started.filter((one) => tasks[one]?.triggerRule === 'all_success')) {
    const missing = world.upstreamOf(task).find((other) => next.rows[other]?.status !== 'done');
    if (missing !== undefined)
      return `\`${world.idOf(task)}\` starts without the output of \`${world.idOf(missing)}\`, which is ${next.rows[missing]?.status ?? 'pending'}`;
  }
  return undefined;
}

function nameOf(world: FlowWorld, task: number | undefined): string {
  return task === undefined ? 'none' : `\`${world.idOf(task)}\``;
}
