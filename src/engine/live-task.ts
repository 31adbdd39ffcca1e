import { type AnyActorRef, createActor } from 'xstate';
import type { Ending, TaskEffects, TaskEvent, TaskInput } from '../../machines/task.ts';
import type { Cursor } from '../logic/cursor.ts';
import { deliverFrom, stopChild } from '../logic/internals.ts';
import { nameInSystem } from '../logic/system.ts';
import { isChildBody, isRunBody, isWaitBody, type TaskDefinition } from '../model/definition.ts';
import { CancelledError, TimeoutError, viewError } from '../model/error.ts';
import type { TaskFact } from '../model/journal.ts';
import type { SettledStatus } from '../model/status.ts';
import type { TaskView } from '../model/view.ts';
import { type Owner, owner, setOwner } from './actor-owner.ts';
import type { Attempt, AttemptRun, AttemptTask } from './attempt.ts';
import type { Carrier } from './carrier.ts';
import { ChildAttempt, type ChildRun } from './child-attempt.ts';
import type { Claim } from './claims.ts';
import {
  becomeDone,
  becomeReady,
  type FastTask,
  fastPlace,
  type StepRecorder,
  startFirst,
} from './fast-path.ts';
import type { Gate } from './gate.ts';
import type { Pending, Waits } from './pending.ts';
import { childThatEnded } from './refusals.ts';
import type { RunConfig } from './run-config.ts';
import type { RunLanes } from './run-lanes.ts';
import type { RunMachines, RunTables } from './run-machines.ts';
import type { Lane } from './slots.ts';
import { recoveredPlace } from './task-state.ts';
import type { Timer } from './timers.ts';

/** Events sent by the run. A task sends itself the others, about its time and its attempts. */
const saidByRun: ReadonlySet<TaskEvent['type']> = new Set([
  'task.ready',
  'task.skip',
  'task.fail_upstream',
  'task.cancel',
  'attempt.start',
]);

/** The part of a run that a task needs. */
export interface TaskRun extends AttemptRun, StepRecorder {
  /** Place in start order. */
  readonly order: number;
  /** Added to the priority of each task: of a child run, that of its own task. */
  readonly priority: number;
  readonly actor: AnyActorRef;
  readonly machines: RunMachines;
  /** The class of its attempts. */
  readonly carrier: Carrier;
  /** Whether each task has its actor from the start, to be inspected. */
  readonly isInspected: boolean;
  /** Whether it is being cancelled or is out of time: each task is about to be cancelled. */
  readonly isEnding: boolean;
  /** Where claims wait for their entries to be kept; `undefined` if those are kept at the end of the turn. */
  readonly gate: Gate | undefined;
  readonly config: RunConfig;
  readonly lanes: RunLanes;
  /** Whether the start of an attempt must be kept before its body is called. */
  readonly keepsStarts: boolean;
  /** Calls back with what conditions and waits need, once it is loaded; at once if it is. Never once the task has settled. */
  withWaits(task: LiveTask, callback: (waits: Waits) => void): void;
  /** The value that has come for a task; `undefined` if none has. */
  deliveryFor(index: number): { readonly value: unknown } | undefined;
  /** Resolves once everything recorded so far is kept. */
  whenKept(): Promise<void>;
  /** Calls back once the event loop has had its turn. */
  afterEventLoop(callback: () => void): void;
  /** Records a fact that a task's machine announced. */
  record(fact: TaskFact, index: number): void;
  /** The last attempt of a task that waits for a retry, if something in that attempt's child run is to be undone. */
  attemptToUndo(index: number): number | undefined;
  /** Has the child run of a failed attempt undone. Calls back after that; not if it was stopped. */
  undoChild(attempt: ChildAttempt, done: () => void): void;
  /** Takes a task that is in a final state. */
  taskSettled(task: LiveTask, status: SettledStatus, ending: Ending): void;
  leaveSlot(lane: Lane): void;
  /** Logs an event that changes nothing. */
  refuse(event: unknown, taskId: string): void;
  /** Ends the run with an internal error. */
  fault(error: unknown): void;
}

/**
 * A task from its verdict until it has settled: its machine, and the effects that the machine asks for.
 *
 * The machine has an actor once it can be seen: from the start if the run is inspected or interpreted, or if its body
 * is an actor too; otherwise on first read.
 *
 * Nearly all tasks take the same steps: ready, started, done. An unobserved task takes these on the fast path, without
 * its machine. Any other event first puts the machine into the task's current state.
 */
export class LiveTask implements AttemptTask, Claim, FastTask, Owner {
  place = -1;
  readyAt = 0;
  /** The instant its first attempt started. */
  startedAt: number | undefined;
  readonly run: TaskRun;
  /** Place in definition order. */
  readonly index: number;
  readonly definition: TaskDefinition;
  readonly priority: number;
  readonly #lane: Lane;
  /** Whether it is ready or running without a machine. */
  #isOnFastPath = false;
  /** The machine, once needed, until it has an actor. */
  #cursor: Cursor | undefined;
  #actor: AnyActorRef | undefined;
  #attempt: Attempt | undefined;
  /** Its first attempt's start on the monotonic clock, if the task may be retried. */
  #origin: number | undefined;
  /** Fires when the next attempt is due. */
  #wake: Timer | undefined;
  /** Fires when the time for all attempts is over. */
  #limit: Timer | undefined;
  /** Its condition while that is asked, or its wait. */
  #pending: Pending | undefined;
  /** The end that comes instead of its retry, while its child run is undone. */
  #end: TaskEvent | undefined;

  /** @param left the task's state left by an earlier actor, if a stopped run is recovered */
  constructor(run: TaskRun, index: number, definition: TaskDefinition, lane: Lane, left?: TaskView) {
    this.run = run;
    this.index = index;
    this.definition = definition;
    this.priority = run.priority + definition.priority;
    this.#lane = lane;
    if (run.machines.tables === undefined || run.isInspected) {
      this.#startActor({ input: this.#input, snapshot: left && recoveredPlace(left, this.#input) });
    } else if (left !== undefined) this.#cursor = this.#cursorFrom(recoveredPlace(left, this.#input));
  }

  get [owner](): this {
    return this;
  }

  /** Its actor, created on first read. */
  get actor(): AnyActorRef {
    return this.#actor ?? this.#startActor({ snapshot: this.#machine.snapshot() });
  }

  /** Its actor, if it has been created. */
  get knownActor(): AnyActorRef | undefined {
    return this.#actor;
  }

  /** Its child run, while that is under way. */
  get child(): ChildRun | undefined {
    return this.#attempt instanceof ChildAttempt ? this.#attempt.child : undefined;
  }

  /** Whether a body of its own is under way. */
  get isPerforming(): boolean {
    return this.#attempt !== undefined && !(this.#attempt instanceof ChildAttempt);
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

  /** Makes the task ready: its trigger rule says run. */
  ready(at: number): void {
    const { when, body } = this.definition;
    const isPlain = when === undefined && !isWaitBody(body);
    if (this.#actor !== undefined || !this.run.machines.isTaskFast || !isPlain)
      return this.send({ type: 'task.ready', at });
    this.#isOnFastPath = true;
    becomeReady(this, at);
  }

  send(event: TaskEvent): void {
    const isEnd = event.type === 'task.cancel' || event.type === 'task.expire';
    if (isEnd && isChildBody(this.definition.body) && this.#undoesBefore(event)) return;
    this.#tell(event);
  }

  #tell(event: TaskEvent): void {
    if (this.#actor !== undefined || this.run.isInspected) {
      const { actor, run } = this;
      return deliverFrom(saidByRun.has(event.type) ? run.actor : actor, actor, event);
    }
    const cursor = this.#machine;
    if (cursor.isMoving) cursor.afterMove(() => this.#tell(event));
    else this.#move(cursor, event);
  }

  /** Takes events sent to its actor from outside the engine, which change nothing. */
  receive(event: unknown): void {
    // XState reports the end of a body that is an actor; its attempt observes that itself.
    if (childThatEnded(event) !== 'body') this.run.refuse(event, this.definition.id);
  }

  /** Resumes from an earlier actor's state. Replaces the entry actions, which XState skips for a restored actor. */
  recover({ startedAt, status, attempts, readyAt = 0, retryAt = 0, until, timeoutAt }: TaskView): void {
    const now = this.run.now();
    if (isWaitBody(this.definition.body)) {
      if (status !== 'waiting') return this.planWait(readyAt);
      return this.#waitOn(until ?? timeoutAt);
    }
    if (startedAt !== undefined) {
      const { totalTimeoutMs = Number.POSITIVE_INFINITY } = this.definition;
      // Not by a timer: before it fires, the task could get a slot and its body be called.
      const isLate = startedAt + totalTimeoutMs <= now;
      if (isLate && status === 'running') this.takeUp(attempts);
      if (isLate) return this.#expire();
      this.#startLimits(startedAt, now);
    }
    if (status === 'retrying') this.wakeAt(retryAt, now);
    else if (status === 'running') this.takeUp(attempts);
    else this.requestSlot(readyAt);
  }

  /** Goes on with the attempt of an earlier actor whose body is a run, even if that is to be ended at once. */
  takeUp(attempts: number): void {
    this.performAttempt(attempts, this.run.now());
    const attempt = this.#attempt;
    this.run.next(() => {
      if (attempt !== undefined && this.#attempt === attempt) attempt.begin();
    });
  }

  /**
   * Returns its attempt, or its condition, to be begun outside of the machine's step: the user's code must not affect that
   * step. `undefined` if there is none, or if it is begun once its start is kept.
   */
  start(): { begin(): void } | undefined {
    if (this.#pending !== undefined) return this.#pending;
    const at = this.run.now();
    if (this.#mayGoFast) this.#startFast(at);
    else this.send({ type: 'attempt.start', at });
    const attempt = this.#attempt;
    if (attempt === undefined || !this.run.keepsStarts) return attempt;
    this.#beginOnceKept(attempt);
    return undefined;
  }

  requestSlot(readyAt: number): void {
    this.#pending = undefined;
    this.#enterLane(this.#lane, readyAt);
  }

  /** Asks its condition, in a line that needs no slot, where a pause holds it as it holds attempts. */
  askCondition(at: number): void {
    this.run.withWaits(this, (waits) => {
      this.#pending = waits.ask(this);
      this.#enterLane(this.run.lanes.free, at);
    });
  }

  planWait(readyAt: number): void {
    this.#pending = undefined;
    this.run.withWaits(this, (waits) => {
      const plan = waits.plan(this, readyAt);
      this.#pending = plan;
      plan.begin();
    });
  }

  awaitInstant(at: number | undefined): void {
    this.run.withWaits(this, (waits) => {
      this.#pending = waits.until(this, at);
    });
  }

  /** Takes a value that has come for it. */
  delivered(at: number, output: unknown): void {
    this.send({ type: 'wait.delivered', at, output });
  }

  performAttempt(number: number, at: number): void {
    const attempt = isRunBody(this.definition.body)
      ? new ChildAttempt(this, number)
      : new this.run.carrier(this, number);
    this.#attempt = attempt;
    if (this.startedAt === undefined) this.#startLimits(at, at);
    attempt.open();
  }

  returned(at: number, output: unknown): void {
    if (!this.#mayGoFast) return this.send({ type: 'attempt.done', at, output });
    try {
      becomeDone(this, at, output);
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
        const error = cause === 'timeout' ? this.run.config.timeoutError() : new CancelledError(reason);
        return attempt.end({ as: 'task cancelled', cause, error, reason });
      }
    }
  }

  /** @param now the instant on the same clock from which the wait counts */
  wakeAt(at: number, now: number): void {
    const due = (): void => this.send({ type: 'attempt.due', at: this.run.now() });
    this.#wake = this.run.timers.after(at - now, due);
  }

  reportSettled(status: SettledStatus, ending: Ending): void {
    // Few tasks have timers: asked for here, they cost the others nothing.
    if (this.#wake !== undefined || this.#limit !== undefined) this.#cancelTimers();
    this.#withdraw();
    this.#pending?.stop();
    this.run.taskSettled(this, status, ending);
  }

  /** Frees the slot of the ended attempt. */
  leaveSlot(): void {
    this.#attempt = undefined;
    this.run.leaveSlot(this.#lane);
  }

  /** Ends the task without telling the run, which is being stopped. */
  stop(): void {
    this.#cancelTimers();
    this.#withdraw();
    this.#pending?.stop();
    if (this.#attempt !== undefined) {
      this.#attempt.stop();
      this.leaveSlot();
    }
    if (this.#actor !== undefined) stopChild(this.run.actor, this.#actor);
  }

  #beginOnceKept(attempt: Attempt): void {
    const begin = (): void => {
      if (this.#attempt !== attempt) return;
      if (attempt.isEnding && !(attempt instanceof ChildAttempt)) attempt.threw(undefined);
      else attempt.begin();
    };
    // The run ends where its entries cannot be kept.
    this.run.whenKept().then(begin, () => {});
  }

  #startFast(at: number): void {
    try {
      startFirst(this, at);
    } catch (error) {
      this.run.fault(error);
    }
  }

  #enterLane(lane: Lane, readyAt: number): void {
    this.readyAt = readyAt;
    const { gate } = this.run;
    if (gate === undefined) lane.push(this);
    else gate.push(this, lane);
  }

  #withdraw(): void {
    if (this.place === -1) return;
    this.run.gate?.withdraw(this);
    if (this.#pending === undefined) this.#lane.withdraw(this);
    else this.run.lanes.free.withdraw(this);
  }

  /**
   * Whether an end waits until its child run is undone: no retry follows any more, and a task settles only after that.
   * A cancel counts more than the end of its time.
   */
  #undoesBefore(event: TaskEvent): boolean {
    if (this.#end !== undefined) {
      if (event.type === 'task.cancel') this.#end = event;
      return true;
    }
    const number = this.#attempt === undefined ? this.run.attemptToUndo(this.index) : undefined;
    if (number === undefined) return false;
    this.#end = event;
    this.#cancelTimers();
    this.#withdraw();
    const attempt = new ChildAttempt(this, number);
    this.#attempt = attempt;
    attempt.undo(() => {
      const end = this.#end as TaskEvent;
      this.leaveSlot();
      this.#tell({ ...end, at: this.run.now() } as TaskEvent);
    });
    return true;
  }

  /** Goes on waiting where an earlier actor did. */
  #waitOn(at: number | undefined): void {
    const delivery = this.run.deliveryFor(this.index);
    if (delivery === undefined) this.awaitInstant(at);
    else this.delivered(this.run.now(), delivery.value);
  }

  get #mayGoFast(): boolean {
    return this.#isOnFastPath && !this.run.isInspected;
  }

  #cancelTimers(): void {
    this.run.timers.cancel(this.#wake);
    this.run.timers.cancel(this.#limit);
  }

  /** The machine in its current state, taken from the fast path if it is on that. */
  get #machine(): Cursor {
    if (this.#isOnFastPath) {
      const state = this.startedAt === undefined ? 'ready' : 'running';
      this.#cursor = this.#cursorFrom(fastPlace(state, this.readyAt, this.#input));
      this.#isOnFastPath = false;
    }
    this.#cursor ??= this.#compiled.cursor(this, this.#input);
    return this.#cursor;
  }

  #cursorFrom(snapshot: object): Cursor {
    return this.#compiled.cursorFrom(this, this.#compiled.restoreSnapshot(snapshot));
  }

  get #compiled(): RunTables['task'] {
    return (this.run.machines.tables as RunTables).task;
  }

  get #input(): TaskInput {
    const { retry, when, body } = this.definition;
    const maxAttempts = retry?.maxAttempts ?? 1;
    return { task: this.index, maxAttempts, asks: when !== undefined, waits: isWaitBody(body) };
  }

  #move(cursor: Cursor, event: TaskEvent): void {
    try {
      cursor.move(event);
    } catch (error) {
      this.run.fault(error);
    }
  }

  /** Starts the actor, which takes over from the cursor. */
  #startActor(options: { readonly input?: object; readonly snapshot?: object | undefined }): AnyActorRef {
    const { run, definition } = this;
    const actor = createActor(run.machines.taskLogic, {
      id: definition.id,
      parent: run.actor,
      ...options,
    } as never) as AnyActorRef & { start(): void };
    this.#actor = actor;
    this.#cursor = undefined;
    nameInSystem(actor, run.config.nameOf(definition.id));
    setOwner(actor, this);
    // XState tells the run too, but anyone can send such an event.
    actor.subscribe({ error: (error) => run.fault(error) });
    actor.start();
    return actor;
  }

  /** @param now the current stamp; later than `startedAt` if the task is recovered */
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
