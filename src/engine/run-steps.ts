import type { AnyActorRef } from 'xstate';
import type { OrchestratorContext, OrchestratorEvent, RunResult } from '../../machines/orchestrator.ts';
import type { Cursor } from '../logic/cursor.ts';
import type { CompiledSnapshot } from '../logic/snapshot.ts';
import type { Namer } from '../logic/system.ts';
import { isA } from '../model/check.ts';
import { EngineStoppedError } from '../model/error.ts';
import type { Entry } from '../model/journal.ts';
import type { Logger } from '../model/logger.ts';
import type { SettledStatus } from '../model/status.ts';
import { type FastRun, settle, settlesRun } from './fast-path.ts';
import { RunActor } from './run-actor.ts';
import type { RunConfig } from './run-config.ts';
import type { RunMachines } from './run-machines.ts';

/** The sender of an event to the orchestrator: the run itself, about time and results, or a user. */
type Sender = 'run' | 'user';

const nobody = (): void => {};

/** The run that owns the orchestrator. */
export interface StepsOwner extends FastRun, Namer {
  readonly machines: RunMachines;
  /** Whether it has settled, or was stopped before. */
  readonly isOver: boolean;
  /** Whether its end has been kept. */
  readonly hasSettled: boolean;
  readonly config: RunConfig;
  /** Of a child run. */
  readonly parent: object | undefined;
  /** Takes the result once the orchestrator is done. */
  settle(result: RunResult | undefined): void;
  /** Takes the error of a run that ended before it settled. */
  stopped(error: unknown): void;
}

/**
 * The steps of a run's orchestrator.
 *
 * Compiled, it is moved by a cursor. It has an actor once it can be seen: from the start if an actor was made of the
 * flow or the engine is inspected; otherwise when `actor` is read. From then on it takes its steps in the actor,
 * except those of settled tasks while it is not inspected. Interpreted, it has only its actor.
 */
export class RunSteps {
  /** Set if it is compiled. */
  cursor: Cursor | undefined;
  readonly #owner: StepsOwner;
  readonly #makeActor: (() => void) | undefined;
  #actor: RunActor | undefined;
  #isOpen = false;

  /** @param makeActor makes the actor of a run that has none, and binds it to the run */
  constructor(owner: StepsOwner, makeActor: (() => void) | undefined) {
    this.#owner = owner;
    this.#makeActor = makeActor;
  }

  /** Begins the run. */
  open(): void {
    this.#isOpen = true;
    this.#actor?.attach(this.#owner);
  }

  /** Refuses to begin the run: notifies the actor's observers, or the logger if there are none. */
  refuse(error: unknown, logger: Logger): void {
    const message = 'A run was refused; the actor made for it has the status `error`';
    if (this.#actor?.isHeard === false) logger.error(message, error);
    if (!this.#isOpen) this.#actor?.tellEnd(this.#owner);
    this.fault(error);
  }

  /** Closes the run. */
  close(): void {
    if (this.#isOpen) this.#actor?.detach(this.#owner);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The actor, created on first read. */
  get actor(): AnyActorRef {
    if (this.#actor === undefined) this.#makeActor?.();
    return (this.#actor as RunActor).ref;
  }

  /** Makes this the run's actor. */
  bindActor(ref: AnyActorRef): void {
    this.#actor = new RunActor(ref, this.#owner.config.forwardsEvents);
    if (this.#isOpen && !this.#owner.isOver) this.#actor.attach(this.#owner);
  }

  /** Whether the actor's system is inspected. */
  get isInspected(): boolean {
    return this.#actor?.isInspected ?? false;
  }

  /** Whether it takes its steps in an actor, which updates its snapshot. */
  get isShown(): boolean {
    return this.#actor !== undefined && this.cursor !== undefined;
  }

  /** Notifies the actor's listeners of an entry; `undefined` if it has none. */
  get tell(): ((entry: Entry) => void) | undefined {
    const tell = this.#actor?.tell;
    if (tell === undefined || this.cursor?.isMoving !== true) return tell;
    // A listener must see the snapshot that shows the entry: that of the current step, if it is still under way.
    return (entry) => (this.cursor?.isMoving === true ? this.#actor?.defer(() => tell(entry)) : tell(entry));
  }

  /** Whether anybody watches the actor. */
  get isWatched(): boolean {
    return this.#actor?.isWatched ?? false;
  }

  /** Shows the kept entries; the actor's own steps end with a snapshot of them anyway. */
  kept(): void {
    if (this.isShown && this.cursor?.isMoving === false) this.#actor?.showKept();
  }

  send(event: OrchestratorEvent, sender: Sender = 'run'): void {
    if (this.#actor === undefined) this.#move(event, sender);
    else this.#actor.send(event, sender === 'run' ? this.#actor.ref : undefined);
  }

  /** Takes a command sent to its actor. */
  deliver(command: OrchestratorEvent): void {
    this.#actor?.deliver(command);
  }

  /**
   * Reports a settled task: to the actor only if it is inspected.
   *
   * @param source the task's actor, if there is one
   */
  taskSettled(at: number, task: number, status: SettledStatus, source: AnyActorRef | undefined): void {
    const isSeen = this.#actor !== undefined && (this.cursor === undefined || this.#actor.isInspected);
    if (!isSeen && this.#takesFastPath(at, task, status)) return;
    const event = { type: 'task.settled', at, task, status } as const;
    if (isSeen) this.#actor?.send(event, source);
    else this.#move(event);
  }

  /** Ends the run with an error: its actor by an event that no state expects, which XState treats as an error. */
  fault(error: unknown): void {
    if (this.#owner.isOver) return;
    if (this.#actor === undefined) this.#owner.stopped(error);
    else this.#actor.send({ type: 'xstate.error.actor.topple', error }, this.#actor.ref);
  }

  stop(): void {
    this.#actor?.stop();
  }

  /**
   * The first snapshot of an actor made at this point.
   *
   * @param cutBy the error that ended the run before it settled
   */
  snapshot(cutBy?: { readonly error?: unknown }): CompiledSnapshot {
    const cursor = this.cursor as Cursor;
    if (cutBy === undefined) return cursor.snapshot();
    const { error } = cutBy;
    return isA(error, EngineStoppedError) ? cursor.snapshot('stopped') : cursor.snapshot('error', error);
  }

  /** Takes the step without the orchestrator, if the fast path stands for it. */
  #takesFastPath(at: number, task: number, status: SettledStatus): boolean {
    const owner = this.#owner;
    const cursor = this.cursor as Cursor;
    const context = cursor.context as OrchestratorContext;
    if (!owner.machines.isOrchestratorFast || settlesRun(context, task, status)) return false;
    if (owner.isOver || cursor.isMoving) return false;
    cursor.hold();
    try {
      settle(owner, context, at, task, status);
    } catch (error) {
      this.fault(error);
    } finally {
      cursor.release();
    }
    return true;
  }

  #move(event: OrchestratorEvent, sender: Sender = 'run'): void {
    const cursor = this.cursor as Cursor;
    if (this.#owner.isOver) return;
    if (cursor.isMoving) return cursor.afterMove(() => this.send(event, sender));
    try {
      cursor.move(event);
    } catch (error) {
      return this.fault(error);
    }
    this.conclude();
  }

  /**
   * Ends the run once its last step is over and its end is kept.
   *
   * @param tell notifies of its last entries, before anybody is told that it has ended
   */
  conclude(tell: () => void = nobody): void {
    const cursor = this.cursor as Cursor;
    if (!cursor.isOver || !this.#owner.hasSettled) return;
    // An actor may have been created within the last step, or may have been waiting for the store.
    if (this.#actor?.isActive === true) return this.#actor.showEnd(tell);
    tell();
    this.#owner.settle(cursor.output as RunResult);
  }
}
