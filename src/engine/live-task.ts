import { type AnyActorLogic, type AnyActorRef, createActor } from 'xstate';
import type { Ending, TaskEffects, TaskEvent, TaskInput, taskMachine } from '../../machines/task.ts';
import type { CompiledLogic } from '../logic/actor-logic.ts';
import type { Cursor } from '../logic/cursor.ts';
import { deliverFrom, stopChild } from '../logic/internals.ts';
import { nameInSystem } from '../logic/system.ts';
import type { TaskDefinition } from '../model/definition.ts';
import type { Step } from '../model/entry-list.ts';
import { CancelledError, TimeoutError, viewError } from '../model/error.ts';
import type { TaskFact } from '../model/journal.ts';
import type { SettledStatus } from '../model/status.ts';
import type { TaskView } from '../model/view.ts';
import { Attempt, type AttemptRun, type AttemptTask } from './attempt.ts';
import type { Claim } from './claims.ts';
import { type Host, host, setHost } from './host.ts';
import { childThatEnded } from './refusals.ts';
import type { Lane } from './slots.ts';
import { placeOfLeft, placeOnFastPath } from './task-place.ts';
import type { Timer } from './timers.ts';

/** Events by which the run tells a task what to do. The others a task sends itself, of its time and its attempts. */
const saidByRun: ReadonlySet<TaskEvent['type']> = new Set([
  'task.ready',
  'task.skip',
  'task.fail_upstream',
  'task.cancel',
  'attempt.start',
]);

/** What runs the tasks of a run: as actors, and where it is compiled also without. */
export interface TaskLogic {
  readonly logic: AnyActorLogic;
  readonly compiled: CompiledLogic<typeof taskMachine> | undefined;
}

/** What a task needs of its run. */
export interface TaskRun extends AttemptRun {
  /** Place in the order of starting. */
  readonly order: number;
  readonly actor: AnyActorRef;
  readonly taskLogic: TaskLogic;
  /** Whether each task is to have its actor from the start, since somebody watches. */
  readonly isInspected: boolean;
  /** Whether it is being cancelled, or is out of time: a cancel is on its way to each of its tasks. */
  readonly isEnding: boolean;
  timeoutError(): TimeoutError;
  /** Calls back once the event loop has had its turn. */
  afterEventLoop(callback: () => void): void;
  /** Keeps what a task's machine announced. */
  record(fact: TaskFact, index: number): void;
  /** The same for the steps of nearly every task, without an object for each. */
  recordStep(type: Step, at: number, index: number, attempt?: number, output?: unknown): void;
  /** Hears that a task is in a final state. */
  taskSettled(task: LiveTask, status: SettledStatus, ending: Ending): void;
  leaveSlot(lane: Lane): void;
  /** Tells the logger of an event that changes nothing. */
  refuse(event: unknown, taskId: string): void;
  /** Ends the run with an error: something is broken. */
  fault(error: unknown): void;
}

/**
 * A task from its verdict until it has settled: its machine, and what the engine does at the machine's word.
 *
 * The machine has an actor once somebody can see it: from the start where the run is inspected or interpreted, or
 * where its body is an actor too; else when it is asked for.
 *
 * Nearly all tasks go the same way: ready, started, done. While nobody watches, a task needs no machine for that: on
 * this fast path it does what the machine's transitions ask for, and at anything else the machine is put where the
 * task stands. `fast-path.test.ts` proves them the same.
 */
export class LiveTask implements AttemptTask, Claim, Host {
  place = -1;
  readyAt = 0;
  /** When its first attempt started. */
  startedAt: number | undefined;
  readonly run: TaskRun;
  /** Place in definition order. */
  readonly index: number;
  readonly definition: TaskDefinition;
  readonly #lane: Lane;
  /** Whether it is ready or running, without a machine as yet. */
  #isOnFastPath = false;
  /** The machine, from when it is needed until it has an actor. */
  #cursor: Cursor | undefined;
  #actor: AnyActorRef | undefined;
  #attempt: Attempt | undefined;
  /** Its first attempt's start on the monotonic clock, where the task may be tried again. */
  #origin: number | undefined;
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
    if (run.taskLogic.compiled === undefined || run.isInspected) {
      this.#startActor({ input: this.#input, snapshot: left && placeOfLeft(left, this.#input) });
    } else if (left !== undefined) this.#cursor = this.#cursorFrom(placeOfLeft(left, this.#input));
  }

  get [host](): this {
    return this;
  }

  /** Its actor, made when first asked for. */
  get actor(): AnyActorRef {
    return this.#actor ?? this.#startActor({ snapshot: this.#machine.snapshot() });
  }

  /** The same, if it has been made. */
  get knownActor(): AnyActorRef | undefined {
    return this.#actor;
  }

  get priority(): number {
    return this.definition.priority;
  }

  get elapsedMs(): number {
    if (this.#origin === undefined) return 0;
    return Math.round(this.run.timers.monotonicNow() - this.#origin);
  }

  /** Whether an attempt is under way. */
  get isRunning(): boolean {
    return this.#attempt !== undefined;
  }

  get runOrder(): number {
    return this.run.order;
  }

  /** Its trigger rule says run. */
  ready(at: number): void {
    if (this.#actor !== undefined) return this.send({ type: 'task.ready', at });
    this.#isOnFastPath = true;
    this.run.recordStep('task.ready', at, this.index);
    this.requestSlot(at);
  }

  send(event: TaskEvent): void {
    if (this.#actor !== undefined || this.run.isInspected) {
      const { actor, run } = this;
      return deliverFrom(saidByRun.has(event.type) ? run.actor : actor, actor, event);
    }
    const cursor = this.#machine;
    if (cursor.isMoving) cursor.afterMove(() => this.send(event));
    else this.#move(cursor, event);
  }

  /** Takes what others than the engine send to its actor, which changes nothing. */
  receive(event: unknown): void {
    // XState tells of the end of a body that is an actor; its attempt hears of that by itself.
    if (childThatEnded(event) !== 'body') this.run.refuse(event, this.definition.id);
  }

  /** Goes on as an earlier actor was left. XState runs no entry actions for a restored actor: this does what they ask for. */
  takeUp({ startedAt, status, readyAt = 0, retryAt = 0 }: TaskView): void {
    const now = this.run.now();
    if (startedAt !== undefined) {
      const { totalTimeoutMs = Number.POSITIVE_INFINITY } = this.definition;
      // Not by a timer: until that comes it might have got a slot, and its body been called.
      if (startedAt + totalTimeoutMs <= now) return this.#expire();
      this.#startLimits(startedAt, now);
    }
    if (status === 'retrying') this.wakeAt(retryAt, now);
    else this.requestSlot(readyAt);
  }

  /** Its attempt is to begin outside of the machine's step: what bodies do is nothing to it. */
  start(): Attempt | undefined {
    const at = this.run.now();
    if (this.#mayGoFast) this.#startFast(at);
    else this.send({ type: 'attempt.start', at });
    return this.#attempt;
  }

  requestSlot(readyAt: number): void {
    this.readyAt = readyAt;
    this.#lane.push(this);
  }

  performAttempt(number: number, at: number): void {
    this.#attempt = new Attempt(this, number);
    if (this.startedAt === undefined) this.#startLimits(at, at);
  }

  returned(at: number, output: unknown): void {
    if (!this.#mayGoFast) return this.send({ type: 'attempt.done', at, output });
    try {
      this.run.recordStep('task.done', at, this.index, 1, output);
      this.reportSettled('done', { at, output });
    } catch (error) {
      this.run.fault(error);
    }
  }

  abortAttempt({ of, cause, reason }: TaskEffects['abortAttempt']): void {
    const attempt = this.#attempt as Attempt;
    switch (of) {
      case 'attempt':
        return attempt.end({ as: 'attempt failed', cause, error: attempt.timeoutError() });
      case 'task':
        return attempt.end({ as: 'task failed', cause, error: this.#timeoutError() });
      case 'run': {
        this.run.timers.cancel(this.#limit);
        const error = cause === 'timeout' ? this.run.timeoutError() : new CancelledError(reason);
        return attempt.end({ as: 'task cancelled', cause, error, reason });
      }
    }
  }

  /** @param now the same clock's instant, from which the wait counts */
  wakeAt(at: number, now: number): void {
    const due = (): void => this.send({ type: 'attempt.due', at: this.run.now() });
    this.#wake = this.run.timers.after(at - now, due);
  }

  reportSettled(status: SettledStatus, ending: Ending): void {
    this.run.timers.cancel(this.#wake);
    this.run.timers.cancel(this.#limit);
    this.#lane.withdraw(this);
    this.run.taskSettled(this, status, ending);
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
    if (this.#actor !== undefined) stopChild(this.run.actor, this.#actor);
  }

  #startFast(at: number): void {
    try {
      this.run.recordStep('task.started', at, this.index, 1);
      this.performAttempt(1, at);
    } catch (error) {
      this.run.fault(error);
    }
  }

  get #mayGoFast(): boolean {
    return this.#isOnFastPath && !this.run.isInspected;
  }

  /** Where it stands, from the fast path on if it went that way. */
  get #machine(): Cursor {
    if (this.#isOnFastPath) {
      const isRunning = this.startedAt !== undefined;
      this.#cursor = this.#cursorFrom(placeOnFastPath(isRunning, this.readyAt, this.#input));
      this.#isOnFastPath = false;
    }
    this.#cursor ??= this.#compiled.cursor(this, this.#input);
    return this.#cursor;
  }

  #cursorFrom(snapshot: object): Cursor {
    return this.#compiled.cursorFrom(this, this.#compiled.restoreSnapshot(snapshot));
  }

  get #compiled(): CompiledLogic<typeof taskMachine> {
    return this.run.taskLogic.compiled as CompiledLogic<typeof taskMachine>;
  }

  get #input(): TaskInput {
    return { task: this.index, maxAttempts: this.definition.retry?.maxAttempts ?? 1 };
  }

  #move(cursor: Cursor, event: TaskEvent): void {
    try {
      cursor.move(event);
    } catch (error) {
      this.run.fault(error);
    }
  }

  /** From here on the actor takes the machine further. */
  #startActor(options: { readonly input?: object; readonly snapshot?: object | undefined }): AnyActorRef {
    const { run, definition } = this;
    const actor = createActor(run.taskLogic.logic, {
      id: definition.id,
      parent: run.actor,
      ...options,
    } as never) as AnyActorRef & { start(): void };
    this.#actor = actor;
    this.#cursor = undefined;
    nameInSystem(actor, run.keyOf(definition.id));
    setHost(actor, this);
    // XState tells the run, too, but so can anyone.
    actor.subscribe({ error: (error) => run.fault(error) });
    actor.start();
    return actor;
  }

  /** @param now the stamp of this instant; later than `startedAt` where the task is taken up */
  #startLimits(startedAt: number, now: number): void {
    this.startedAt = startedAt;
    const { retry, totalTimeoutMs } = this.definition;
    const { timers } = this.run;
    const goneMs = now - startedAt;
    if (retry !== undefined) this.#origin = timers.latestMonotonic - goneMs;
    if (totalTimeoutMs !== undefined)
      this.#limit = timers.after(totalTimeoutMs - goneMs, () => this.#expire());
  }

  #expire(): void {
    if (this.run.isEnding) return;
    const error = viewError(this.#timeoutError());
    this.send({ type: 'task.expire', at: this.run.now(), cause: 'timeout', error });
  }

  #timeoutError(): TimeoutError {
    const { id, totalTimeoutMs = 0 } = this.definition;
    return new TimeoutError(`Task \`${id}\``, 'totalTimeoutMs', totalTimeoutMs);
  }
}
