import type { AnyActorRef } from 'xstate';
import type { OrchestratorContext, OrchestratorEvent, RunResult } from '../../machines/orchestrator.ts';
import type { Cursor } from '../logic/cursor.ts';
import type { CompiledSnapshot } from '../logic/snapshot.ts';
import type { Namer } from '../logic/system.ts';
import { isA } from '../model/check.ts';
import { EngineStoppedError } from '../model/error.ts';
import type { Entry } from '../model/journal.ts';
import type { Verdict } from '../model/ledger.ts';
import type { Logger } from '../model/logger.ts';
import type { SettledStatus } from '../model/status.ts';
import { RunActor } from './run-actor.ts';

/** Who says something to a run's orchestrator: the run itself, of its time and what it makes, or a user. */
type Sender = 'run' | 'user';

/** The run whose orchestrator it is. */
export interface StepsOwner extends Namer {
  /** Whether it has settled, or was stopped before. */
  readonly isOver: boolean;
  /** Whether its actor's parent gets its events. */
  readonly forwardsEvents: boolean;
  readonly keyPrefix: string;
  /** Each of these tasks is to be told its verdict. */
  deliverVerdicts(verdicts: readonly Verdict[], at: number): void;
  /** The orchestrator is done. */
  settle(result: RunResult | undefined): void;
  /** It is over before it has settled. */
  stopped(error: unknown): void;
}

/**
 * How a run's orchestrator takes its steps.
 *
 * Compiled, it is moved by a cursor. It has an actor once somebody can see one: from the start where an actor was
 * made of the flow, or the engine is inspected; else when `actor` is asked for. From then on it takes its steps in
 * the actor, but for those of settled tasks while nobody inspects it. Interpreted, it has its actor alone.
 */
export class RunSteps {
  /** Where it is compiled. */
  cursor: Cursor | undefined;
  readonly #owner: StepsOwner;
  readonly #makeActor: (() => void) | undefined;
  #actor: RunActor | undefined;
  #isOpen = false;

  /** @param makeActor makes the actor of a run that has none, and has the run adopt it */
  constructor(owner: StepsOwner, makeActor: (() => void) | undefined) {
    this.#owner = owner;
    this.#makeActor = makeActor;
  }

  /** The run begins. */
  open(): void {
    this.#isOpen = true;
    this.#actor?.attach(this.#owner);
  }

  /** The run does not begin: that is told to whoever listens to the actor, else to the logger. */
  refuse(error: unknown, logger: Logger): void {
    const message = 'A run was not gone on with; the actor that was made for it has the status `error`';
    if (this.#actor?.isHeard === false) logger.error(message, error);
    this.#actor?.tellEnd(this.#owner);
    this.fault(error);
  }

  /** The run is over. */
  close(): void {
    if (this.#isOpen) this.#actor?.detach(this.#owner);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The actor, made when first asked for. */
  get actor(): AnyActorRef {
    if (this.#actor === undefined) this.#makeActor?.();
    return (this.#actor as RunActor).ref;
  }

  /** The run has this actor from now on. */
  adopt(ref: AnyActorRef): void {
    this.#actor = new RunActor(ref, this.#owner.forwardsEvents);
    if (this.#isOpen && !this.#owner.isOver) this.#actor.attach(this.#owner);
  }

  /** Whether anybody inspects the actor's system. */
  get isInspected(): boolean {
    return this.#actor?.isInspected ?? false;
  }

  /** Whether it takes its steps in an actor, whose snapshot changes with them. */
  get isShown(): boolean {
    return this.#actor !== undefined && this.cursor !== undefined;
  }

  /** Tells those who listen to the actor of an entry; `undefined` where nobody does. */
  get tell(): ((entry: Entry) => void) | undefined {
    const tell = this.#actor?.tell;
    if (tell === undefined || this.cursor?.isMoving !== true) return tell;
    // Who hears of the entry is to see the snapshot that shows it: that of the present step, if it is not over by then.
    return (entry) => (this.cursor?.isMoving === true ? this.#actor?.defer(() => tell(entry)) : tell(entry));
  }

  /** What was recorded has been kept. The actor's own steps end with a snapshot of it. */
  kept(): void {
    if (this.isShown && this.cursor?.isMoving === false) this.#actor?.showKept();
  }

  send(event: OrchestratorEvent, sender: Sender = 'run'): void {
    if (this.#actor === undefined) this.#move(event, sender);
    else this.#actor.send(event, sender === 'run' ? this.#actor.ref : undefined);
  }

  /** Takes a command that was sent to its actor. */
  admit(command: OrchestratorEvent): void {
    this.#actor?.admit(command);
  }

  /**
   * Tells that a task has settled: to the actor only if somebody inspects it.
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

  /** Ends it with an error: an actor by an event that no state expects, which XState takes for that. */
  fault(error: unknown): void {
    if (this.#owner.isOver) return;
    if (this.#actor === undefined) this.#owner.stopped(error);
    else this.#actor.send({ type: 'xstate.error.actor.topple', error }, this.#actor.ref);
  }

  stop(): void {
    this.#actor?.stop();
  }

  /**
   * What an actor that is made now shows first.
   *
   * @param cutBy what ended the run before it had settled
   */
  snapshot(cutBy?: { readonly error?: unknown }): CompiledSnapshot {
    const cursor = this.cursor as Cursor;
    if (cutBy === undefined) return cursor.snapshot();
    const { error } = cutBy;
    return isA(error, EngineStoppedError) ? cursor.snapshot('stopped') : cursor.snapshot('error', error);
  }

  /** What the orchestrator does when a task has settled that is not the last, in any of its states: see `LiveTask`. */
  #takesFastPath(at: number, task: number, status: SettledStatus): boolean {
    const cursor = this.cursor as Cursor;
    const { ledger } = cursor.context as OrchestratorContext;
    if (this.#owner.isOver || cursor.isMoving || ledger.unsettled === 1) return false;
    cursor.hold();
    try {
      this.#owner.deliverVerdicts(ledger.settle(task, status).verdicts, at);
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
    if (!cursor.isOver) return;
    // An actor that was asked for within this last step has not heard of the end.
    if (this.#actor?.isActive === true) this.#actor.send({ type: 'topple.look' }, this.#actor.ref);
    else this.#owner.settle(cursor.output as RunResult);
  }
}
