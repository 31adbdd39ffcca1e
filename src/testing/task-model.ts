import { type TaskContext, type TaskEvent, taskMachine } from '../../machines/task.ts';
import type { SnapshotOf } from '../logic/actor-logic.ts';
import { compile } from '../logic/compile.ts';
import type { ErrorView } from '../model/error.ts';
import type { TaskFact } from '../model/journal.ts';
import type { Cause, SettledStatus } from '../model/status.ts';
import { Edges } from './edges.ts';

/** The transitions of the task machine. */
export const taskEdges = new Edges(taskMachine);

const logic = compile(taskMachine);

/** How an attempt that was told to end will have ended: it failed, its task did, its task is cancelled. */
export type AttemptEnding = 'attempt' | 'task' | 'cancel';

/** A task that has its verdict and has not settled, as the model has it. Equal ones are the same object. */
export interface LiveRow {
  readonly isLive: true;
  /** Small, and the same for equal rows of any task of the flow. */
  readonly code: number;
  readonly snapshot: SnapshotOf<typeof taskMachine>;
  readonly status: 'pending' | 'running' | 'retrying';
  /** Attempts started; one that a stop cut short is made again, and counts once. */
  readonly attempts: number;
  /** Whether it is in line for a slot. */
  readonly wantsSlot: boolean;
  /** Set once its attempt was told to end, until its body has. */
  readonly ending: AttemptEnding | undefined;
}

/** A task that has settled. Equal ones are the same object. */
export interface SettledRow {
  readonly isLive: false;
  readonly code: number;
  readonly status: SettledStatus;
  readonly attempts: number;
  readonly cause: Cause | undefined;
}

/** `undefined` for a task without a verdict. */
export type Row = LiveRow | SettledRow;

/** What became of a row, and what its machine announced. */
export interface RowStep {
  readonly row: Row;
  readonly facts: readonly TaskFact[];
  /** The machine's transition, as coverage names it; `undefined` where the event changed nothing. */
  readonly taken: string | undefined;
  /** How often it said that it has settled. */
  readonly reports: number;
}

export type RowEvent =
  | 'task.ready'
  | 'task.skip'
  | 'task.fail_upstream'
  | 'task.cancel'
  | 'task.cancel.timeout'
  | 'task.expire'
  | 'attempt.start'
  | 'attempt.due'
  | 'attempt.progress'
  | 'attempt.done'
  | 'attempt.failed'
  | 'attempt.failed.retry'
  | 'attempt.failed.fatal'
  | 'attempt.failed.timeout'
  | 'attempt.skipped'
  | 'attempt.cancelled'
  | 'attempt.cancelled.timeout';

const error: ErrorView = { name: 'Error', message: 'told to fail' };
const timeout: ErrorView = { name: 'TimeoutError', message: 'out of time' };

/** Instants are no part of the model: all are 0. What only tells, as outputs and errors do, is always the same. */
const events: Readonly<Record<RowEvent, TaskEvent>> = {
  'task.ready': { type: 'task.ready', at: 0 },
  'task.skip': { type: 'task.skip', at: 0, cause: 'rule' },
  'task.fail_upstream': { type: 'task.fail_upstream', at: 0, cause: 'upstream' },
  'task.cancel': { type: 'task.cancel', at: 0, cause: 'cancelled' },
  'task.cancel.timeout': { type: 'task.cancel', at: 0, cause: 'timeout' },
  'task.expire': { type: 'task.expire', at: 0, cause: 'timeout', error: timeout },
  'attempt.start': { type: 'attempt.start', at: 0 },
  'attempt.due': { type: 'attempt.due', at: 0 },
  'attempt.progress': { type: 'attempt.progress', at: 0, fraction: 0.5 },
  'attempt.done': { type: 'attempt.done', at: 0, output: undefined },
  'attempt.failed': { type: 'attempt.failed', at: 0, error, cause: 'exhausted' },
  'attempt.failed.retry': { type: 'attempt.failed', at: 0, error, cause: 'exhausted', retryAt: 0 },
  'attempt.failed.fatal': { type: 'attempt.failed', at: 0, error, cause: 'fatal' },
  'attempt.failed.timeout': { type: 'attempt.failed', at: 0, error: timeout, cause: 'timeout' },
  'attempt.skipped': { type: 'attempt.skipped', at: 0 },
  'attempt.cancelled': { type: 'attempt.cancelled', at: 0, cause: 'cancelled' },
  'attempt.cancelled.timeout': { type: 'attempt.cancelled', at: 0, cause: 'timeout' },
};

/**
 * One task of a flow through the compiled task machine. Its transitions are pure and its rows few, so each is worked
 * out once and then looked up.
 */
export class TaskModel {
  readonly #task: number;
  readonly #maxAttempts: number;
  readonly #codes: Map<string, number>;
  readonly #rows = new Map<string, Row>();
  readonly #steps = new Map<RowEvent, RowStep[]>();
  #fresh: LiveRow | undefined;

  /** @param codes of rows by their names: shared by all tasks of a flow, so that codes can be compared */
  constructor(task: number, maxAttempts: number, codes: Map<string, number>) {
    this.#codes = codes;
    this.#task = task;
    this.#maxAttempts = maxAttempts;
  }

  /** A new actor, before it hears its verdict. */
  fresh(): LiveRow {
    const input = { task: this.#task, maxAttempts: this.#maxAttempts };
    this.#fresh ??= this.#live(logic.initial(input).state, false, undefined);
    return this.#fresh;
  }

  /** What becomes of a row that an event comes to. */
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
   * The row that a new actor goes on from, of a task that was live when its run was stopped: what was under way runs
   * again under the same number, a wait for a retry goes on.
   */
  takeUp(left: LiveRow): LiveRow {
    const isRetrying = left.status === 'retrying';
    return this.#restored(isRetrying ? 'retrying' : 'pending', left.attempts, !isRetrying);
  }

  /** The same of a task that is to be cancelled: its attempts stay as they were counted. */
  takeUpToEnd(left: LiveRow): LiveRow {
    return this.#restored('pending', left.attempts, true);
  }

  #restored(value: 'pending' | 'retrying', attempt: number, wantsSlot: boolean): LiveRow {
    const context: TaskContext = {
      ...this.fresh().snapshot.context,
      attempt,
      readyAt: 0,
      retryAt: value === 'retrying' ? 0 : undefined,
    };
    const snapshot = logic.restoreSnapshot({ value, context, status: 'active' });
    return this.#live(snapshot, wantsSlot, undefined);
  }

  #work(row: LiveRow, event: RowEvent): RowStep {
    const { state, effects } = logic.step(row.snapshot, events[event]);
    const facts: TaskFact[] = [];
    let { wantsSlot, ending } = row;
    let reports = 0;
    let reported: SettledStatus | undefined;
    for (const { type, params } of effects) {
      switch (type) {
        case 'xstate.emit':
          facts.push((params as { readonly event: TaskFact }).event);
          break;
        case 'requestSlot':
          wantsSlot = true;
          break;
        case 'performAttempt':
          wantsSlot = false;
          ending = undefined;
          break;
        case 'wakeAt':
          wantsSlot = false;
          break;
        case 'abortAttempt':
          if (ending !== 'cancel') ending = event === 'task.expire' ? 'task' : 'cancel';
          break;
        case 'reportSettled':
          reports++;
          reported = (params as { readonly status: SettledStatus }).status;
          break;
      }
    }
    const taken = taskEdges.taken(row.snapshot, events[event]);
    if (reported !== undefined) return { row: this.#settled(reported, state.context), facts, taken, reports };
    if (state.value !== 'running') ending = undefined;
    return { row: this.#live(state, wantsSlot, ending), facts, taken, reports };
  }

  /** An attempt whose time is over is told to end; its machine hears of it once its body has ended. */
  ended(row: LiveRow): LiveRow {
    return row.ending === undefined ? this.#live(row.snapshot, row.wantsSlot, 'attempt') : row;
  }

  #live(
    snapshot: SnapshotOf<typeof taskMachine>,
    wantsSlot: boolean,
    ending: AttemptEnding | undefined,
  ): LiveRow {
    const { attempt } = snapshot.context;
    const status = snapshot.value as LiveRow['status'];
    // Whether it has had its verdict shows: a task waits for its verdict and then for a slot in the same state.
    const isReady = snapshot.context.readyAt !== undefined;
    const name = `${status} ${attempt} ${isReady} ${wantsSlot} ${ending}`;
    return this.#intern(name, (code) => ({
      isLive: true,
      code,
      snapshot,
      status,
      attempts: attempt,
      wantsSlot,
      ending,
    })) as LiveRow;
  }

  #settled(status: SettledStatus, { attempt, ending }: TaskContext): SettledRow {
    const cause = ending?.cause;
    const name = `${status} ${attempt} ${cause}`;
    return this.#intern(name, (code) => ({
      isLive: false,
      code,
      status,
      attempts: attempt,
      cause,
    })) as SettledRow;
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
