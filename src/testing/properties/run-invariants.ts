import type { TaskDefinition } from '../../model/definition.ts';
import { isSettledRun, type RunStatus } from '../../model/status.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Situation, Taken } from '../model/situation.ts';
import type { Step } from '../model/steps.ts';

/** Says whether the run's status or cause is another than follows from its tasks and commands. */
export function wrongStatus(
  world: FlowWorld,
  before: Situation | undefined,
  step: Step | undefined,
  { next }: Taken,
): string | undefined {
  const { value, context } = next.run;
  const settled = next.rows.every((row) => row !== undefined && !row.isLive);
  if (isSettledRun(value as RunStatus)) {
    if (!settled) return `the run is ${value}, and not all of its tasks have settled`;
    const failed = failuresIn(world, next) > (world.definition.plan.tolerance ?? 0);
    const expected =
      context.cause === 'cancelled' ? 'cancelled' : context.cause !== undefined || failed ? 'failed' : 'done';
    return value === expected ? undefined : `the run is ${value}, and should be ${expected}`;
  }
  if (value === 'compensating')
    return settled ? undefined : 'the run is being undone, and not all of its tasks have settled';
  if (settled) return `all tasks have settled, and the run is ${value}`;
  const hadCause = before?.run.context.cause !== undefined && step?.kind !== 'rerun';
  if (isTooMany(world, next) && !hadCause && step?.kind !== 'cancel' && step?.kind !== 'out of time')
    return value === 'cancelling' && context.cause === 'tolerance'
      ? undefined
      : `more items failed than are tolerated, and the run is ${value}`;
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

/** The tasks that count against the run: settled, and neither done nor skipped. */
function failuresIn(world: FlowWorld, { rows }: Situation): number {
  return rows.filter(
    (row, task) =>
      row?.isLive === false &&
      row.status !== 'done' &&
      row.status !== 'skipped' &&
      !(world.definition.tasks[task] as TaskDefinition).optional,
  ).length;
}

function isTooMany(world: FlowWorld, situation: Situation): boolean {
  const { tolerance } = world.definition.plan;
  return tolerance !== undefined && failuresIn(world, situation) > tolerance;
}

/** Says what starts, or goes on, after the run was cancelled. */
export function startedAfterCancel(
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
  if (task !== undefined) return `\`${world.idOf(task)}\` starts after the run was cancelled`;
  const run = verdicts.find(({ decision }) => decision === 'run');
  if (run !== undefined) return `\`${world.idOf(run.task)}\` is told to run after the run was cancelled`;
  for (const [index, row] of next.rows.entries()) {
    if (row?.isLive && row.ending === 'cancel') continue;
    if (row === undefined || row.isLive)
      return `\`${world.idOf(index)}\` is ${row?.status ?? 'pending'} after the run was cancelled`;
  }
  return undefined;
}
