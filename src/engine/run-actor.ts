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
import { isHosted } from './host.ts';

/** Who hears how an actor came to its end, and makes the actors of tasks. */
interface ActorOwner extends Namer {
  /** What the names of its tasks' actors begin with. */
  readonly keyPrefix: string;
  settle(result: RunResult | undefined): void;
  stopped(error: unknown): void;
}

/** Has an actor show a snapshot of what has been kept: the one event that only the engine can send. */
export const kept = { type: 'topple.kept' } as const;

/** What only XState's actor can do for a run. A run has one from when somebody can see it. */
export class RunActor {
  readonly ref: AnyActorRef;
  readonly #forwardsTo: AnyActorRef | undefined;

  /** @param forwards whether its parent gets its events */
  constructor(ref: AnyActorRef, forwards: boolean) {
    this.ref = ref;
    const parent = forwards ? parentOf(ref) : undefined;
    // A task whose body the run is takes no events.
    this.#forwardsTo = parent === undefined || isHosted(parent) ? undefined : parent;
  }

  /** Has its system find the actors of tasks, and tells of its end. */
  attach(owner: ActorOwner): void {
    offerNames(this.ref, owner.keyPrefix, owner);
    this.tellEnd(owner);
  }

  /** Tells of its end. */
  tellEnd(owner: ActorOwner): void {
    this.ref.subscribe({ complete: () => this.#completed(owner), error: (error) => owner.stopped(error) });
  }

  detach(owner: ActorOwner): void {
    withdrawNames(this.ref, owner.keyPrefix, owner);
  }

  /** Whether anybody hears of its end. */
  get isHeard(): boolean {
    return subscriberCount(this.ref) > 0 || parentOf(this.ref) !== undefined;
  }

  /** Whether it takes steps: it was not stopped, for one. */
  get isActive(): boolean {
    return (this.ref.getSnapshot() as { readonly status: string }).status === 'active';
  }

  /** Whether anybody inspects its system. */
  get isInspected(): boolean {
    return isInspected(this.ref);
  }

  /** What was recorded has been kept: whoever watches is shown a snapshot of that. */
  showKept(): void {
    if (this.isActive && (isFollowed(this.ref) || this.isInspected)) deliver(this.ref, kept);
  }

  /** @param source for inspectors: the actor that it is from, or `undefined` where it is from outside */
  send(event: AnyEventObject, source: AnyActorRef | undefined): void {
    deliverFrom(source, this.ref, event);
  }

  /** Takes an event that came from outside: inspectors have heard of it. */
  admit(event: AnyEventObject): void {
    deliver(this.ref, event);
  }

  /** Tells those who listen to the actor of an entry; `undefined` where nobody does. */
  get tell(): ((entry: Entry) => void) | undefined {
    return this.#forwardsTo !== undefined || hasListeners(this.ref) ? this.#tell : undefined;
  }

  /** Calls back once the present step is over. */
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
