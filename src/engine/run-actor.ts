import type { AnyActorRef, AnyEventObject } from 'xstate';
import type { RunResult } from '../../machines/orchestrator.ts';
import {
  deliver,
  deliverFrom,
  emitFrom,
  hasListeners,
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
    this.ref.subscribe({ complete: () => this.#completed(owner), error: (error) => owner.stopped(error) });
  }

  detach(owner: ActorOwner): void {
    withdrawNames(this.ref, owner.keyPrefix, owner);
  }

  /** Whether it takes steps: it was not stopped, for one. */
  get isActive(): boolean {
    return (this.ref.getSnapshot() as { readonly status: string }).status === 'active';
  }

  /** Whether anybody inspects its system. */
  get isInspected(): boolean {
    return isInspected(this.ref);
  }

  /** Whether anybody but the run itself looks at its steps. */
  get isWatched(): boolean {
    return subscriberCount(this.ref) > 1 || this.isInspected;
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
