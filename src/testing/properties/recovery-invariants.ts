import type { TaskDefinition } from '../../model/definition.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import { endingIn } from '../model/kept.ts';
import type { Situation, Taken } from '../model/situation.ts';
import { isRecovered, type Step } from '../model/steps.ts';
import { attemptsBehind, endingOf } from '../model/task-model.ts';
import { airflowVerdict, countEndings } from './airflow.ts';

/** Says what a stop, or a crash between two steps, has changed. */
export function recoveredOtherwise(
  world: FlowWorld,
  before: Situation | undefined,
  step: Step | undefined,
  { next }: Taken,
): string | undefined {
  if (step?.kind !== 'stop' && step?.kind !== 'crash') return undefined;
  if (before === undefined || before.run.context.cause !== undefined) return undefined;
  const after = `after the ${step.kind}`;
  for (const [task, had] of before.rows.entries()) {
    const row = next.rows[task];
    const id = world.idOf(task);
    if (had === undefined ? row !== undefined : row === undefined)
      return `\`${id}\` was ${had?.status ?? 'pending'}, and is ${row?.status ?? 'pending'} ${after}`;
    if (had === undefined || row === undefined) continue;
    if (!had.isLive && row !== had) return `\`${id}\` was ${had.status}, and is ${row.status} ${after}`;
    if (!had.isLive) continue;
    if (!row.isLive) return `\`${id}\` was ${had.status}, and is ${row.status} ${after}`;
    if (attemptsBehind(row) !== attemptsBehind(had))
      return `\`${id}\` had ${attemptsBehind(had)} attempts behind it, and counts ${row.attempts} ${after}`;
    if (had.status === 'retrying' && !had.wantsSlot && (row.status !== 'retrying' || row.wantsSlot))
      return `\`${id}\` waited for its retry, and is ${row.status} ${after}`;
  }
  return undefined;
}

/** Says which task's ending was kept, and is another after a crash that cut a step short. */
export function lostEnding(
  world: FlowWorld,
  _before: Situation | undefined,
  _step: Step | undefined,
  { next, cut, facts }: Taken,
): string | undefined {
  if (cut === undefined) return undefined;
  for (const fact of facts.slice(0, cut.kept)) {
    const status = endingIn(fact);
    const found = next.rows[fact.task]?.status ?? 'pending';
    if (status !== undefined && status !== found)
      return `it was kept that \`${world.idOf(fact.task)}\` is ${status}, and after the crash it is ${found}`;
  }
  return undefined;
}

/** Says which task has a verdict that its rule does not give, or none where its rule is sure, once a run is recovered. */
export function unsureAfterRecovery(
  world: FlowWorld,
  _before: Situation | undefined,
  step: Step | undefined,
  { next }: Taken,
): string | undefined {
  if (step === undefined || !isRecovered(step) || next.run.context.cause !== undefined) return undefined;
  const { tasks } = world.definition;
  for (const [task, row] of next.rows.entries()) {
    const endings = Array.from(world.upstreamOf(task), (other) => endingOf(next.rows[other]));
    const { triggerRule } = tasks[task] as TaskDefinition;
    const decision = airflowVerdict(triggerRule, countEndings(endings));
    if ((row === undefined) === (decision === 'wait')) continue;
    return `\`${world.idOf(task)}\` (${triggerRule}) is ${row?.status ?? 'pending'} once the run is recovered, and its rule says ${decision}`;
  }
  return undefined;
}
