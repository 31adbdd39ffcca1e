import {
  lazyTaskMachine,
  type TaskContext,
  type TaskEvent,
  type TaskInput,
  type TaskMachine,
} from '../../../machines/task.ts';
import type { SnapshotOf } from '../../logic/actor-logic.ts';
import { compile } from '../../logic/compile.ts';
import type { ErrorView } from '../../model/error.ts';
import type { TaskFact } from '../../model/journal.ts';
import type { Cause, SettledStatus } from '../../model/status.ts';
import { taskEdges } from './edges.ts';

const logic = compile(lazyTaskMachine());

type Snapshot = SnapshotOf<TaskMachine>;

/** The end of an attempt that was told to end: it failed, its task failed, its task is cancelled. */
export type AttemptEnding = 'attempt' | 'task' | 'cancel';

const endings: { readonly [Value in Snapshot['value']]?: AttemptEnding } = {
  timing_out: 'attempt',
  expiring: 'task',
  cancelling: 'cancel',
};

/** A task of the model that has its verdict and has not settled. Equal rows are the same object. */
export interface LiveRow {
  readonly isLive: true;
  /** A small number, the same for equal rows of any task of the flow. */
  readonly code: number;
  readonly snapshot: Snapshot;
  readonly status: 'pending' | 'waiting' | 'running' | 'retrying';
  /** Whether its condition is asked. */
  readonly isAsking: boolean;
  /** Whether it is about to wait. */
  readonly isPlanning: boolean;
  /** The attempts started; one that a stop cut short is made again, and counts once. */
  readonly attempts: number;
  /** Whether it is in line for a slot. */
  readonly wantsSlot: boolean;
  /** Set once its attempt was told to end, until its body has ended. */
  readonly ending: AttemptEnding | undefined;
}

/** A task that has settled. Equal rows are the same object. */
export interface SettledRow {
  readonly isLive: false;
  readonly code: number;
  readonly status: SettledStatus;
  readonly attempts: number;
  readonly cause: Cause | undefined;
}

/** A task's row; `undefined` without a verdict. */
export type Row = LiveRow | SettledRow;

/** The row after an event, and what its machine announced. */
export interface RowStep {
  readonly row: Row;
  readonly facts: readonly TaskFact[];
  /** The machine's transition, as coverage names it; `undefined` if the event changed nothing. */
  readonly taken: string | undefined;
  /** The number of times that it reported its end. */
  readonly reports: number;
}

export type RowEvent =
  | 'task.ready'
  | 'task.skip'
  | 'task.skip.timeout'
  | 'condition.true'
  | 'condition.false'
  | 'condition.threw'
  | 'wait.planned'
  | 'wait.delivered'
  | 'wait.over'
  | 'task.fail_upstream'
  | 'task.cancel'
  | 'task.cancel.timeout'
  | 'task.cancel.tolerance'
  | 'task.expire'
  | 'attempt.start'
  | 'attempt.due'
  | 'attempt.expire'
  | 'attempt.progress'
  | 'attempt.done'
  | 'attempt.failed'
  | 'attempt.failed.retry'
  | 'attempt.failed.fatal'
  | 'attempt.failed.timeout'
  | 'attempt.failed.cancelled'
  | 'attempt.failed.input'
  | 'attempt.failed.tolerance'
  | 'attempt.skipped'
  | 'attempt.cancelled'
  | 'attempt.cancelled.timeout'
  | 'attempt.cancelled.tolerance';

const error: ErrorView = { name: 'Error', message: 'told to fail' };
const timeout: ErrorView = { name: 'TimeoutError', message: 'out of time' };

/** The events. Instants are no part of the model: all are 0. Values such as outputs and errors are constant. */
const events: Readonly<Record<RowEvent, TaskEvent>> = {
  'task.ready': { type: 'task.ready', at: 0 },
  'task.skip': { type: 'task.skip', at: 0, cause: 'rule' },
  'task.skip.timeout': { type: 'task.skip', at: 0, cause: 'timeout' },
  'condition.true': { type: 'condition.true', at: 0 },
  'condition.false': { type: 'condition.false', at: 0, cause: 'condition' },
  'condition.threw': { type: 'condition.threw', at: 0, error, cause: 'condition' },
  'wait.planned': { type: 'wait.planned', at: 0 },
  'wait.delivered': { type: 'wait.delivered', at: 0, output: undefined },
  'wait.over': { type: 'wait.over', at: 0, output: undefined },
  'task.fail_upstream': { type: 'task.fail_upstream', at: 0, cause: 'upstream' },
  'task.cancel': { type: 'task.cancel', at: 0, cause: 'cancelled' },
  'task.cancel.timeout': { type: 'task.cancel', at: 0, cause: 'timeout' },
  'task.cancel.tolerance': { type: 'task.cancel', at: 0, cause: 'tolerance' },
  'task.expire': { type: 'task.expire', at: 0, cause: 'timeout', error: timeout },
  'attempt.start': { type: 'attempt.start', at: 0 },
  'attempt.due': { type: 'attempt.due', at: 0 },
  'attempt.expire': { type: 'attempt.expire', at: 0 },
  'attempt.progress': { type: 'attempt.progress', at: 0, fraction: 0.5 },
  'attempt.done': { type: 'attempt.done', at: 0, output: undefined },
  'attempt.failed': { type: 'attempt.failed', at: 0, error, cause: 'exhausted' },
  'attempt.failed.retry': { type: 'attempt.failed', at: 0, error, cause: 'exhausted', retryAt: 0 },
  'attempt.failed.fatal': { type: 'attempt.failed', at: 0, error, cause: 'fatal' },
  'attempt.failed.timeout': { type: 'attempt.failed', at: 0, error: timeout, cause: 'timeout' },
  'attempt.failed.cancelled': { type: 'attempt.failed', at: 0, error, cause: 'cancelled' },
  'attempt.failed.input': { type: 'attempt.failed', at: 0, error, cause: 'input' },
  'attempt.failed.tolerance': { type: 'attempt.failed', at: 0, error, cause: 'tolerance' },
  'attempt.skipped': { type: 'attempt.skipped', at: 0 },
  'attempt.cancelled': { type: 'attempt.cancelled', at: 0, cause: 'cancelled' },
  'attempt.cancelled.timeout': { type: 'attempt.cancelled', at: 0, cause: 'timeout' },
  'attempt.cancelled.tolerance': { type: 'attempt.cancelled', at: 0, cause: 'tolerance' },
};

/**
 * One task of a flow, run by the compiled task machine. Its transitions are pure and its rows few, so each is computed
 * once and then looked up.
 */
export class TaskModel {
  readonly #input: TaskInput;
  readonly #hasChild: boolean;
  readonly #codes: Map<string, number>;
  readonly #rows = new Map<string, Row>();
  readonly #steps = new Map<RowEvent, RowStep[]>();
  #fresh: LiveRow | undefined;

  /**
   * @param hasChild whether its body is a run, which outlives a process
   * @param codes of rows by their names: shared by all tasks of a flow, so that codes can be compared
   */
  constructor(input: TaskInput, hasChild: boolean, codes: Map<string, number>) {
    this.#hasChild = hasChild;
    this.#codes = codes;
    this.#input = input;
  }

  /** Makes the row of a new actor, before its verdict. */
  fresh(): LiveRow {
    this.#fresh ??= this.#live(logic.initial(this.#input).state);
    return this.#fresh;
  }

  /** Sends an event to a row. */
  step(row: LiveRow, event: RowEvent): RowStep {
    let known = this.#steps.get(event);
    if (known === undefined) {
      known = [];
      this.#steps.set(event, known);
    }
    known[row.code] ??= this.#work(row, event);
    return known[row.code] as RowStep;
  }

  /**
   * Recovers the row of a task that was live when its run was stopped: an attempt under way runs again under the same
   * number, a wait for a retry continues. A child run goes on, and with it the attempt; and so does a task that waits.
   */
  recover(left: Pick<LiveRow, 'status' | 'attempts'>): LiveRow {
    if (this.#input.waits === true)
      return this.#restored(left.status === 'waiting' ? 'waiting' : 'planning', 0);
    if (this.#hasChild && left.status === 'running') return this.#restored('running', left.attempts);
    return this.#restored(left.status === 'retrying' ? 'backing_off' : 'ready', left.attempts);
  }

  /** Does the same for a task that is to be cancelled: its attempts stay as they were counted. */
  recoverToEnd(left: LiveRow): LiveRow {
    if (this.#hasChild && left.status === 'running') return this.recover(left);
    return this.#restored(this.#input.waits === true ? 'planning' : 'ready', left.attempts);
  }

  /** The row of a task that ended so. */
  ended(status: SettledStatus, attempts: number, cause: Cause | undefined): SettledRow {
    const name = `${status} ${attempts} ${cause}`;
    return this.#intern(name, (code) => ({ isLive: false, code, status, attempts, cause })) as SettledRow;
  }

  #restored(value: 'ready' | 'backing_off' | 'running' | 'planning' | 'waiting', attempt: number): LiveRow {
    const context: TaskContext = {
      ...this.fresh().snapshot.context,
      attempt,
      readyAt: 0,
      retryAt: value === 'backing_off' ? 0 : undefined,
    };
    return this.#live(logic.restoreSnapshot({ value, context, status: 'active' }));
  }

  #work(row: LiveRow, event: RowEvent): RowStep {
    const { state, effects } = logic.step(row.snapshot, events[event]);
    const facts: TaskFact[] = [];
    let reports = 0;
    let reported: SettledStatus | undefined;
    for (const { type, params } of effects) {
      if (type === 'xstate.emit') facts.push((params as { readonly event: TaskFact }).event);
      if (type !== 'reportSettled') continue;
      reports++;
      reported = (params as { readonly status: SettledStatus }).status;
    }
    const taken = taskEdges.taken(row.snapshot, events[event]);
    const next = reported === undefined ? this.#live(state) : this.#settled(reported, state.context);
    return { row: next, facts, taken, reports };
  }

  #live(snapshot: Snapshot): LiveRow {
    const { value, context } = snapshot;
    return this.#intern(`${value} ${context.attempt}`, (code) => ({
      isLive: true,
      code,
      snapshot,
      status: shownAs(snapshot),
      attempts: context.attempt,
      isAsking: value === 'asking',
      isPlanning: value === 'planning',
      wantsSlot: value === 'ready' || value === 'due',
      ending: endings[value],
    })) as LiveRow;
  }

  #settled(status: SettledStatus, { attempt, ending }: TaskContext): SettledRow {
    return this.ended(status, attempt, ending?.cause);
  }

  #intern(name: string, make: (code: number) => Row): Row {
    let row = this.#rows.get(name);
    if (row === undefined) {
      const code = this.#codes.get(name) ?? this.#codes.size + 1;
      this.#codes.set(name, code);
      row = make(code);
      this.#rows.set(name, row);
    }
    return row;
  }
}

/** The status of a state is its tag. */
function shownAs(snapshot: Snapshot): LiveRow['status'] {
  const statuses = ['pending', 'waiting', 'running', 'retrying'] as const;
  return statuses.find((status) => snapshot.hasTag(status as never)) as LiveRow['status'];
}

/** How a task has settled; `undefined` if it has not. */
export function endingOf(row: Row | undefined): SettledStatus | undefined {
  return row === undefined || row.isLive ? undefined : row.status;
}

/** The attempts of a live task that have ended. */
export function attemptsBehind({ status, attempts }: LiveRow): number {
  return status === 'retrying' ? attempts : Math.max(attempts - 1, 0);
}
