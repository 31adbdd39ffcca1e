import { type AnyActorLogic, type AnyActorRef, createActor } from 'xstate';
import type { TaskContext, TaskEvent } from '../../machines/task.ts';
import { nameInSystem, sendFrom, stopChild } from '../logic/internals.ts';
import type { TaskDefinition } from '../model/definition.ts';
import { CancelledError, TimeoutError, viewError } from '../model/error.ts';
import type { TaskFact } from '../model/journal.ts';
import type { Cause, SettledStatus } from '../model/status.ts';
import type { TaskView } from '../model/view.ts';
import { Attempt, type AttemptRun, type AttemptTask } from './attempt.ts';
import type { Claim } from './claims.ts';
import { setHost } from './host.ts';
import type { Lane } from './slots.ts';
import type { Timer } from './timers.ts';

/** What a task needs of its run. */
export interface TaskRun extends AttemptRun {
  /** Place in the order of starting. */
  readonly order: number;
  readonly actor: AnyActorRef;
  readonly taskLogic: AnyActorLogic;
  /** Whether it is being cancelled, or is out of time. */
  readonly isEnding: boolean;
  timeoutError(): TimeoutError;
  /** Keeps what a task's machine announced. */
  record(fact: TaskFact, index: number): void;
  /** Hears that a task is in a final state, before the orchestrator does. */
  noteSettled(task: LiveTask, context: TaskContext, status: SettledStatus): void;
  leaveSlot(lane: Lane): void;
}

/** A task from its verdict until it has settled: its actor, and what the engine does at the actor's word. */
export class LiveTask implements Claim, AttemptTask {
  place = -1;
  readyAt = 0;
  /** When its first attempt started. */
  startedAt: number | undefined;
  readonly run: TaskRun;
  /** Place in definition order. */
  readonly index: number;
  readonly definition: TaskDefinition;
  readonly actor: AnyActorRef;
  readonly #lane: Lane;
  /** When the attempt under way was started. */
  #attemptAt = 0;
  #attempt: Attempt | undefined;
  /** Until the next attempt is due. */
  #wake: Timer | undefined;
  /** Until the time for all attempts is over. */
  #limit: Timer | undefined;

  /** @param left how an earlier actor of the task was left, where a stopped run goes on */
  constructor(run: TaskRun, index: number, definition: TaskDefinition, lane: Lane, left?: TaskView) {
    this.run = run;
    this.index = index;
    this.definition = definition;
    this.#lane = lane;
    const { id, retry } = definition;
    const input = { task: index, maxAttempts: retry?.maxAttempts ?? 1 };
    const options = { id, parent: run.actor, input, snapshot: left && snapshotOf(left, input) };
    this.actor = createActor(run.taskLogic, options as never);
    nameInSystem(this.actor, run.keyOf(id));
    setHost(this.actor, this);
    this.actor.start();
    if (left !== undefined) this.#takeUp(left);
  }

  get priority(): number {
    return this.definition.priority;
  }

  /** Whether an attempt is under way. */
  get isRunning(): boolean {
    return this.#attempt !== undefined;
  }

  get runOrder(): number {
    return this.run.order;
  }

  send(event: TaskEvent): void {
    this.actor.send(event);
  }

  /** A slot is free. */
  start(): void {
    this.#attemptAt = this.run.now();
    this.send({ type: 'attempt.start', at: this.#attemptAt });
  }

  requestSlot(readyAt: number): void {
    this.readyAt = readyAt;
    this.#lane.push(this);
  }

  performAttempt(number: number): void {
    this.#attempt = new Attempt(this, number);
    if (this.startedAt === undefined) this.#startLimit(this.#attemptAt);
    this.#attempt.begin(this.#attemptAt);
  }

  abortAttempt(cause: Cause, reason: unknown): void {
    if (cause === 'timeout' && !this.run.isEnding) {
      this.#attempt?.end({ as: 'task failed', cause, error: this.#timeoutError() });
      return;
    }
    const error = cause === 'timeout' ? this.run.timeoutError() : new CancelledError(reason);
    this.#attempt?.end({ as: 'task cancelled', cause, error, reason });
  }

  wakeAt(at: number): void {
    const now = this.run.now();
    const due = (): void => this.send({ type: 'attempt.due', at: this.run.now() });
    this.#wake = this.run.timers.after(at - now, { due }, now);
  }

  reportSettled(context: TaskContext, status: SettledStatus): void {
    this.run.timers.cancel(this.#wake);
    this.run.timers.cancel(this.#limit);
    this.#lane.withdraw(this);
    this.run.noteSettled(this, context, status);
    sendFrom(this.actor, this.run.actor, {
      type: 'task.settled',
      at: context.endedAt ?? this.run.now(),
      task: this.index,
      status,
    });
  }

  /** The attempt under way has ended. */
  leaveSlot(): void {
    this.#attempt = undefined;
    this.run.leaveSlot(this.#lane);
  }

  /** Ends all of it without a word to the run: that is being stopped. */
  stop(): void {
    this.run.timers.cancel(this.#wake);
    this.run.timers.cancel(this.#limit);
    this.#lane.withdraw(this);
    if (this.#attempt !== undefined) {
      this.#attempt.stop();
      this.leaveSlot();
    }
    stopChild(this.run.actor, this.actor);
  }

  #startLimit(startedAt: number): void {
    this.startedAt = startedAt;
    const { totalTimeoutMs } = this.definition;
    if (totalTimeoutMs === undefined) return;
    const now = this.run.now();
    const due = (): void => {
      const error = viewError(this.#timeoutError());
      this.send({ type: 'task.expire', at: this.run.now(), cause: 'timeout', error });
    };
    this.#limit = this.run.timers.after(startedAt + totalTimeoutMs - now, { due }, now);
  }

  #timeoutError(): TimeoutError {
    const { id, totalTimeoutMs = 0 } = this.definition;
    return new TimeoutError(`Task \`${id}\``, 'totalTimeoutMs', totalTimeoutMs);
  }

  /** XState runs no entry actions for a restored actor: what they asked for is asked for here. */
  #takeUp({ startedAt, status, readyAt = 0, retryAt = 0 }: TaskView): void {
    if (startedAt !== undefined) this.#startLimit(startedAt);
    if (status === 'retrying') this.wakeAt(retryAt);
    else this.requestSlot(readyAt);
  }
}

/** An attempt that was under way when the run was stopped runs again, under the same number. */
function snapshotOf(left: TaskView, input: { readonly task: number; readonly maxAttempts: number }): never {
  const isRetrying = left.status === 'retrying';
  const snapshot = {
    status: 'active',
    value: isRetrying ? 'retrying' : 'pending',
    context: {
      ...input,
      attempt: left.status === 'running' ? left.attempts - 1 : left.attempts,
      readyAt: left.readyAt,
      retryAt: isRetrying ? left.retryAt : undefined,
      endedAt: undefined,
      output: undefined,
      error: left.error,
      cause: undefined,
      reason: undefined,
      because: undefined,
    } satisfies TaskContext,
    children: {},
    historyValue: {},
  };
  return snapshot as never;
}
