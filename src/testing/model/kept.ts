import type { TaskFact } from '../../model/journal.ts';
import { type Cause, isSettledRun, type RunStatus, type SettledStatus } from '../../model/status.ts';
import type { ModelFact, Situation, Taken } from './situation.ts';
import { isRecovered, type Step, type StepKind } from './steps.ts';
import type { LiveRow, Row, TaskModel } from './task-model.ts';

/** What the clock brings: after a crash it comes again. */
const ofClock: ReadonlySet<StepKind> = new Set([
  'due',
  'times out',
  'expires',
  'out of time',
  'wakes',
  'waits too long',
]);

/**
 * The numbers of a step's facts after which a crash can cut it: from none to all but one. Some facts are kept together
 * or not at all: those of a rerun, and the end of a run with that of its last task.
 */
export function cutsOf(step: Step, { facts }: Taken): readonly number[] {
  if (isRecovered(step)) return [];
  const reruns = facts.filter(({ fact }) => fact.type === 'task.rerun').length;
  const first = Math.max(reruns, ofClock.has(step.kind) ? 1 : 0);
  const endsRun = facts.some(({ task, fact }) => task < 0 && isEnd(fact));
  const after = facts.length - (endsRun ? 1 : 0);
  return Array.from({ length: Math.max(after - first, 0) }, (_, place) => first + place);
}

/** A run as its journal tells of it. */
export type RunLeft = Pick<Situation, 'rows' | 'readyAt' | 'claimAt' | 'live'> & {
  readonly status: RunStatus;
  readonly cause: Cause | undefined;
  readonly reason: unknown;
  /** The tasks that have a value and have not yet taken it. */
  readonly delivered: ReadonlySet<number>;
};

export function leftBy({ run: { value, context }, ...rest }: Situation): RunLeft {
  const { cause, reason } = context;
  return { ...rest, status: value as RunStatus, cause, reason, delivered: new Set() };
}

/**
 * Gives the run that a journal tells of: the situation before a step, and those of the step's facts that are kept. It
 * reads facts as `RunFold` reads entries, in other words.
 */
export function leftAfter(
  before: Situation,
  kept: readonly ModelFact[],
  tasks: readonly TaskModel[],
  tick: number,
): RunLeft {
  const left = leftBy(before);
  const rows = before.rows.slice();
  const readyAt = before.readyAt.slice();
  const claimAt = before.claimAt.slice();
  let { status, cause, reason } = left;
  const delivered = new Set<number>();
  for (const { task, fact } of kept) {
    if (task < 0) {
      status = statusIn(fact) as RunStatus;
      if (fact.type === 'run.cancelling') ({ cause, reason } = fact);
      continue;
    }
    rows[task] = rowAfter(tasks[task] as TaskModel, rows[task], fact as TaskFact);
    if (fact.type === 'task.delivered') delivered.add(task);
    if (fact.type === 'task.ready') readyAt[task] = claimAt[task] = tick;
    if (fact.type === 'task.rerun') {
      status = 'running';
      cause = reason = undefined;
    }
  }
  const live = rows.flatMap((row, task) => (row?.isLive ? [task] : []));
  return { rows, readyAt, claimAt, live, status, cause, reason, delivered };
}

const endings: ReadonlySet<string> = new Set([
  'task.done',
  'task.failed',
  'task.skipped',
  'task.upstream_failed',
  'task.cancelled',
]);

/** How a task ended, if the fact says so. */
export function endingIn({ task, fact: { type } }: ModelFact): SettledStatus | undefined {
  return task >= 0 && endings.has(type) ? (type.slice('task.'.length) as SettledStatus) : undefined;
}

/** Whether a run ends with one of its facts, or begins to be undone. */
function isEnd(fact: ModelFact['fact']): boolean {
  return fact.type === 'run.compensating' || isSettledRun(statusIn(fact) as RunStatus);
}

/** The run's status after one of its facts. */
function statusIn({ type }: { readonly type: string }): string {
  return type === 'run.started' || type === 'run.resumed' ? 'running' : type.slice('run.'.length);
}

function rowAfter(model: TaskModel, row: Row | undefined, fact: ModelFact['fact']): Row | undefined {
  const { attempt = row?.attempts ?? 0, cause } = fact as {
    readonly attempt?: number;
    readonly cause?: Cause;
  };
  switch (fact.type) {
    case 'task.rerun':
      return undefined;
    case 'task.undone':
    case 'task.undo_failed':
    case 'task.progress':
    case 'task.delivered':
      return row;
    case 'task.waiting':
      return model.recover({ status: 'waiting', attempts: attempt } as LiveRow);
    case 'task.ready':
      return model.recover({ status: 'pending', attempts: attempt } as LiveRow);
    case 'task.started':
      return model.recover({ status: 'running', attempts: attempt } as LiveRow);
    case 'task.retrying':
      return model.recover({ status: 'retrying', attempts: attempt } as LiveRow);
    default:
      return model.ended(fact.type.slice('task.'.length) as SettledStatus, attempt, cause);
  }
}
