// The only file that imports `@xstate/graph`, an optional peer dependency: `topple/testing/paths`.

import type { SnapshotFrom } from 'xstate';
import type { OrchestratorEvent, orchestratorMachine, TaskEvent, taskMachine } from '../../machines/index.ts';
import type { AnyFlow, ErrorView, TaskDefinition } from '../index.ts';
import { Ledger, type LedgerStatus } from '../model/ledger.ts';
import type { SettledStatus } from '../model/status.ts';
import { definitionOf } from './model/definition-of.ts';
import { airflowVerdict, countEndings } from './properties/airflow.ts';

export { getShortestPaths, getSimplePaths } from '@xstate/graph';

/** The parts of a run's snapshot that are read. */
export type RunPathState = Pick<SnapshotFrom<typeof orchestratorMachine>, 'value' | 'context' | 'status'>;
/** The parts of a task's snapshot that are read. */
export type TaskPathState = Pick<SnapshotFrom<typeof taskMachine>, 'value' | 'context' | 'status'>;

/** Options of `getSimplePaths` and `getShortestPaths` for an orchestrator: `flow.machine`, or `orchestratorMachine`. */
export interface RunPathOptions {
  readonly input: { readonly ledger: Ledger };
  /** Gives the events that an engine may send in a state. Instants are 0, so that there are finitely many states. */
  readonly events: (state: RunPathState) => OrchestratorEvent[];
  readonly serializeState: (state: RunPathState) => string;
}

/**
 * Makes the event table of a flow's run, for `@xstate/graph`: it is started, its tasks settle in each of the given
 * ways, it is paused, resumed and cancelled, and concluded once all tasks have settled. If it is then to be undone, that
 * comes before. A run is reopened for its undo only by a run above it, and not here.
 *
 * @param endings the ways in which tasks that run may end. Default `done` and `failed`
 */
export function runPathOptions(
  flow: AnyFlow,
  endings: readonly SettledStatus[] = ['done', 'failed'],
): RunPathOptions {
  const { plan, name, tasks, graph } = definitionOf(flow, 'runPathOptions');
  const at = 0;
  /** The ways in which a task with a verdict may end: one that does not run ends as the verdict says. */
  const endingsOf = (statuses: readonly LedgerStatus[], task: number): readonly SettledStatus[] => {
    const upstream = graph.upstreamList.subarray(graph.upstreamStart[task], graph.upstreamStart[task + 1]);
    const counts = countEndings(Array.from(upstream, (other) => settledOf(statuses[other])));
    const verdict = airflowVerdict((tasks[task] as TaskDefinition).triggerRule, counts);
    if (verdict === 'skip') return ['skipped'];
    return verdict === 'upstream_failed' ? ['upstream_failed'] : endings;
  };
  return {
    input: { ledger: Ledger.open(plan) },
    events: ({ value, context: { ledger, cause }, status }) => {
      if (status !== 'active') return [];
      const cancel = { type: 'run.cancel', at } as const;
      const turn = { type: value === 'held' || value === 'paused' ? 'run.resume' : 'run.pause', at } as const;
      if (value === 'opening' || value === 'held')
        return [
          { type: 'run.start', at, version: 1, flow: name, flowHash: '', input: undefined },
          turn,
          cancel,
        ];
      const statuses = ledger.toJSON().statuses;
      const conclude = { type: 'run.conclude', at, outputs: {}, failures: [] } as const;
      if (value === 'compensating') return [conclude];
      if (value === 'concluding') {
        const toUndo = cause !== undefined || ledger.hasFailed ? undoneBy(tasks, statuses) : [];
        return toUndo.length > 0 ? [{ type: 'run.compensate', at, tasks: toUndo }] : [conclude];
      }
      const settled = statuses.flatMap((one, task) =>
        one === 'decided'
          ? (value === 'cancelling' ? (['cancelled'] as const) : endingsOf(statuses, task)).map((ending) => ({
              type: 'task.settled' as const,
              at,
              task,
              status: ending,
            }))
          : [],
      );
      return value === 'cancelling' ? settled : [...settled, turn, cancel];
    },
    serializeState: ({ value, context: { ledger, cause } }) =>
      JSON.stringify([value, cause, ledger.toJSON().statuses]),
  };
}

/** Ids of the tasks to undo. Those that were cancelled have not been started. */
function undoneBy(tasks: readonly TaskDefinition[], statuses: readonly LedgerStatus[]): string[] {
  return tasks
    .filter(({ compensate }, index) => {
      if (compensate === undefined) return false;
      return statuses[index] === 'done' || (compensate.after === 'started' && statuses[index] === 'failed');
    })
    .map(({ id }) => id);
}

function settledOf(status: LedgerStatus | undefined): SettledStatus | undefined {
  return status === undefined || status === 'waiting' || status === 'decided' ? undefined : status;
}

/** The options for `taskMachine`. */
export interface TaskPathOptions {
  readonly input: {
    readonly task: number;
    readonly maxAttempts: number;
    readonly asks: boolean;
    readonly waits: boolean;
  };
  readonly events: (state: TaskPathState) => TaskEvent[];
}

/** What a task does besides making attempts. */
export interface TaskPathKind {
  /** Whether it has a condition. Default: false. */
  readonly asks?: boolean | undefined;
  /** Whether it waits for a value or an instant instead of making attempts. Default: false. */
  readonly waits?: boolean | undefined;
}

const error: ErrorView = { name: 'Error', message: 'told to fail' };

/** Makes the event table of a task: verdict, condition, wait or attempts, a cancel, the end of its time. */
export function taskPathOptions(
  maxAttempts = 2,
  { asks = false, waits = false }: TaskPathKind = {},
): TaskPathOptions {
  const at = 0;
  return {
    input: { task: 0, maxAttempts, asks, waits },
    events: ({ value, context: { attempt }, status }) => {
      if (status !== 'active') return [];
      const cancel = { type: 'task.cancel', at, cause: 'cancelled' } as const;
      const expire = { type: 'task.expire', at, cause: 'timeout', error } as const;
      const ended = { type: 'attempt.failed', at, error, cause: 'timeout' } as const;
      switch (value) {
        case 'undecided':
          return [
            { type: 'task.ready', at },
            { type: 'task.skip', at, cause: 'rule' },
            { type: 'task.fail_upstream', at, cause: 'upstream' },
            cancel,
          ];
        case 'asking':
          return [
            { type: 'condition.true', at },
            { type: 'condition.false', at, cause: 'condition' },
            { type: 'condition.threw', at, cause: 'condition', error },
            expire,
            cancel,
          ];
        case 'planning':
          return [
            { type: 'wait.planned', at },
            { type: 'wait.delivered', at, output: undefined },
            { type: 'wait.failed', at, cause: 'input', error },
            cancel,
          ];
        case 'waiting':
          return [
            { type: 'wait.delivered', at, output: undefined },
            { type: 'wait.over', at, output: undefined },
            { type: 'task.skip', at, cause: 'timeout' },
            expire,
            cancel,
          ];
        case 'ready':
          return [{ type: 'attempt.start', at }, cancel];
        case 'running':
          return [
            { type: 'attempt.done', at, output: undefined },
            ...failures(at, attempt < maxAttempts),
            { type: 'attempt.skipped', at },
            { type: 'attempt.expire', at },
            expire,
            cancel,
          ];
        case 'timing_out':
          return [...failures(at, attempt < maxAttempts), expire, cancel];
        case 'expiring':
          return [ended, cancel];
        case 'cancelling':
          return [{ type: 'attempt.cancelled', at, cause: 'cancelled' }];
        case 'backing_off':
          return [{ type: 'attempt.due', at }, cancel, expire];
        default:
          return [{ type: 'attempt.start', at }, cancel, expire];
      }
    },
  };
}

/** The failures of an attempt, with a wait if there is a next one. */
function failures(at: number, mayRetry: boolean): TaskEvent[] {
  const failed: TaskEvent = { type: 'attempt.failed', at, error, cause: 'exhausted' };
  return mayRetry ? [{ ...failed, retryAt: at }, failed] : [failed];
}
