import type { TaskDefinition } from '../../model/definition.ts';
import { hasChild } from '../model/child-flow.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Situation, Taken } from '../model/situation.ts';
import type { Step } from '../model/steps.ts';
import { attemptsBehind, type Row } from '../model/task-model.ts';

/** Says which attempt is counted wrong, or is one too many or too few. */
export function miscounted(
  world: FlowWorld,
  before: Situation | undefined,
  step: Step | undefined,
  { next, started }: Taken,
): string | undefined {
  for (const task of started) {
    const had = step?.kind === 'rerun' ? undefined : before?.rows[task];
    const has = next.rows[task]?.attempts ?? 0;
    const expected = had?.isLive ? attemptsBehind(had) + 1 : 1;
    if (has !== expected) return `attempt ${expected} of \`${world.idOf(task)}\` is counted as ${has}`;
    if (has > maxAttemptsOf(world, task))
      return `\`${world.idOf(task)}\` makes attempt ${has} of ${maxAttemptsOf(world, task)}`;
  }
  if (step?.kind !== 'fails') return undefined;
  const had = before?.rows[step.task];
  const status = next.rows[step.task]?.status;
  const mayTryAgain = (had?.attempts ?? 0) < maxAttemptsOf(world, step.task);
  if (mayTryAgain !== (status !== 'failed'))
    return `attempt ${had?.attempts} of ${maxAttemptsOf(world, step.task)} of \`${world.idOf(step.task)}\` failed, and the task is ${status}`;
  return undefined;
}

/** Says which limit passes and ends nothing. */
export function limitIgnored(
  world: FlowWorld,
  before: Situation | undefined,
  step: Step | undefined,
  { next }: Taken,
): string | undefined {
  if (before === undefined || step === undefined) return undefined;
  const { kind, task } = step;
  const row = next.rows[task];
  const id = world.idOf(task);
  if (kind === 'times out' && !(row?.isLive && row.ending !== undefined))
    return `an attempt of \`${id}\` is out of time, and is not told to end`;
  if (kind !== 'expires') return undefined;
  const isRight =
    before.rows[task]?.status === 'running' ? row?.isLive && row.ending === 'task' : row?.status === 'failed';
  return isRight ? undefined : `the time of \`${id}\` is over, and it is ${row?.status}`;
}

/** Says which limit of slots is exceeded. */
export function overLimit(
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

/** Says which task does not start though there is a slot for it. */
export function idleSlot(
  world: FlowWorld,
  _before: Situation | undefined,
  _step: Step | undefined,
  { next }: Taken,
): string | undefined {
  if (next.run.value !== 'running' || !next.live.some((task) => wantsSlot(next.rows[task]))) return undefined;
  const used = slotsUsed(world, next);
  for (const task of next.live) {
    if (!wantsSlot(next.rows[task])) continue;
    if (hasChild(world.definition.tasks[task] as TaskDefinition))
      return `\`${world.idOf(task)}\` has a child and needs no slot, and it does not start`;
    const pool = used.pools.get((world.definition.tasks[task] as TaskDefinition).pool ?? '');
    if (used.all < world.slots.concurrency && (pool === undefined || pool.taken < pool.slots))
      return `\`${world.idOf(task)}\` wants a slot, there is one, and it does not start`;
  }
  return undefined;
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
    if (hasChild(definition)) continue;
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

function maxAttemptsOf(world: FlowWorld, task: number): number {
  return world.definition.tasks[task]?.retry?.maxAttempts ?? 1;
}
