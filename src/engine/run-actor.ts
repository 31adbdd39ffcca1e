import type { AnyActorRef, AnyEventObject } from 'xstate';
import type { RunResult } from '../../machines/orchestrator.ts';
import {
  deferOn,
  deliver,
  deliverFrom,
  emitFrom,
  hasListeners,
  isFollowed,
  parentOf,
  sendFrom,
  stopChild,
  subscriberCount,
} from '../logic/internals.ts';
import { isInspected, type Namer, offerNames, withdrawNames } from '../logic/system.ts';
import { EngineStoppedError } from '../model/error.ts';
import type { Entry } from '../model/journal.ts';
import { isOwned } from './actor-owner.ts';

/** Learns how an actor ended, and makes the actors of tasks. */
interface ActorOwner extends Namer {
  /** The prefix of its task actors' names. */
  readonly config: { readonly namePrefix: string };
  /** Of a child run. */
  readonly parent: object | undefined;
  settle(result: RunResult | undefined): void;
  stopped(error: unknown): void;
}

/** Makes an actor show a snapshot of the kept entries: an event that only the engine can send. */
export const kept = { type: 'topple.kept' } as const;

/** Makes an actor show its run's end. */
export class EndKept {
  readonly type = 'topple.kept';
  /** Notifies of the last entries. */
  readonly tell: () => void;

  constructor(tell: () => void) {
    this.tell = tell;
  }
}

/** The XState actor of a run. A run has one once it can be seen. */
export class RunActor {
  readonly ref: AnyActorRef;
  readonly #forwardsTo: AnyActorRef | undefined;
  #isAttached = false;

  /** @param forwards whether its parent gets its events */
  constructor(ref: AnyActorRef, forwards: boolean) {
    this.ref = ref;
    const parent = forwards ? parentOf(ref) : undefined;
    // A task that has the run as its body takes no events.
    this.#forwardsTo = parent === undefined || isOwned(parent) ? undefined : parent;
  }

  /** Lets its system find task actors, and reports its end. */
  attach(owner: ActorOwner): void {
    // The names below a child run are found by way of its root.
    this.#isAttached = owner.parent === undefined;
    if (this.#isAttached) offerNames(this.ref, owner.config.namePrefix, owner);
    this.tellEnd(owner);
  }

  /** Reports its end. */
  tellEnd(owner: ActorOwner): void {
    this.ref.subscribe({ complete: () => this.#completed(owner), error: (error) => owner.stopped(error) });
  }

  /** Ends what `attach` began, if it did. */
  detach(owner: ActorOwner): void {
    if (this.#isAttached) withdrawNames(this.ref, owner.config.namePrefix, owner);
  }

  /** Whether anything observes its end. */
  get isHeard(): boolean {
    return subscriberCount(this.ref) > 0 || parentOf(this.ref) !== undefined;
  }

  /** Whether it takes steps: for example, it was not stopped. */
  get isActive(): boolean {
    return (this.ref.getSnapshot() as { readonly status: string }).status === 'active';
  }

  /** Whether its system is inspected. */
  get isInspected(): boolean {
    return isInspected(this.ref);
  }

  /** Whether anybody hears of its entries or its snapshots. */
  get isWatched(): boolean {
    return this.tell !== undefined || isFollowed(this.ref) || this.isInspected;
  }

  /** Shows observers a snapshot of the kept entries. */
  showKept(): void {
    if (this.isActive && (isFollowed(this.ref) || this.isInspected)) deliver(this.ref, kept);
  }

  /** Shows the run's end: the actor is done. */
  showEnd(tell: () => void): void {
    deliver(this.ref, new EndKept(tell));
  }

  /** @param source for inspectors: the sending actor, or `undefined` if sent from outside */
  send(event: AnyEventObject, source: AnyActorRef | undefined): void {
    deliverFrom(source, this.ref, event);
  }

  /** Takes an event from outside: inspectors have been notified of it. */
  deliver(event: AnyEventObject): void {
    deliver(this.ref, event);
  }

  /** Notifies the actor's listeners of an entry; `undefined` if it has none. */
  get tell(): ((entry: Entry) => void) | undefined {
    return this.#forwardsTo !== undefined || hasListeners(this.ref) ? this.#tell : undefined;
  }

  /** Calls back once the current step is over. */
  defer(callback: () => void): void {
    deferOn(this.ref, callback);
  }

  stop(): void {
    const parent = parentOf(this.ref);
    if (parent === undefined) (this.ref as AnyActorRef & { stop(): void }).stop();
    else stopChild(parent, this.ref);
  }

  #completed(owner: ActorOwner): void {
    const { status, output } = this.ref.getSnapshot() as {
      readonly status: string;
      readonly output?: RunResult;
    };
    if (status === 'done') owner.settle(output);
    else owner.stopped(new EngineStoppedError('The actor of the run was stopped before it settled'));
  }

  readonly #tell = (entry: Entry): void => {
    emitFrom(this.ref, entry);
    if (this.#forwardsTo !== undefined) sendFrom(this.ref, this.#forwardsTo, entry);
  };
}
