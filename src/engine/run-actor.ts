import type { AnyActorRef, AnyEventObject } from 'xstate';
import {
  emitFrom,
  hasListeners,
  isInspected,
  type Namer,
  offerNames,
  parentOf,
  sendFrom,
  stopChild,
  subscriberCount,
  withdrawNames,
} from '../logic/internals.ts';
import type { Entry } from '../model/journal.ts';

/** Who hears how an actor came to its end. */
interface Ends {
  /** It is in a final state, or was stopped. */
  completed(): void;
  stopped(error: unknown): void;
}

/** What only XState's actor can do for a run. A run has one from when somebody can see it. */
export class RunActor {
  readonly ref: AnyActorRef;
  readonly #forwardsTo: AnyActorRef | undefined;

  /** @param forwards whether its parent gets its events */
  constructor(ref: AnyActorRef, forwards: boolean) {
    this.ref = ref;
    this.#forwardsTo = forwards ? parentOf(ref) : undefined;
  }

  /** Has its system find the actors of tasks, and tells of its end. */
  attach(owner: Namer & Ends, keyPrefix: string): void {
    offerNames(this.ref, keyPrefix, owner);
    this.ref.subscribe({ complete: () => owner.completed(), error: (error) => owner.stopped(error) });
  }

  detach(owner: Namer, keyPrefix: string): void {
    withdrawNames(this.ref, keyPrefix, owner);
  }

  /** Whether anybody inspects its system. */
  get isInspected(): boolean {
    return isInspected(this.ref);
  }

  /** Whether anybody but the run itself looks at its steps. */
  get isWatched(): boolean {
    return subscriberCount(this.ref) > 1 || this.isInspected;
  }

  /** @param source the task's actor that it is from, for inspectors */
  send(event: AnyEventObject, source?: AnyActorRef): void {
    sendFrom(source, this.ref, event);
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

  readonly #tell = (entry: Entry): void => {
    emitFrom(this.ref, entry);
    if (this.#forwardsTo !== undefined) sendFrom(this.ref, this.#forwardsTo, entry);
  };
}
