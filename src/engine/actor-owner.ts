import type { AnyActorRef } from 'xstate';
import { guard } from '../logic/internals.ts';

/** Carries out the effects of an actor, and receives events that the engine did not send. */
export interface Owner {
  /** The event may be any value. */
  receive(event: unknown): void;
}

/** Key of an actor's owner. A stand-in for an actor that does not exist is its own owner. */
export const owner = Symbol('topple.owner');

/** Binds an actor that takes no events yet to its owner. From then on only the engine delivers to it. */
export function setOwner(actor: AnyActorRef, itsOwner: Owner): void {
  (actor as unknown as { [owner]: Owner })[owner] = itsOwner;
  guard(actor, receive);
}

/** Shared by all actors, to save a closure for each. */
function receive(this: AnyActorRef, event: unknown): void {
  ownerOf<Owner>(this).receive(event);
}

/** The owner of an actor that topple made. */
export function ownerOf<Kind extends object>(actor: AnyActorRef): Kind {
  return (actor as unknown as { readonly [owner]: Kind })[owner];
}

/** Whether topple made an actor. */
export function isOwned(actor: AnyActorRef): boolean {
  return owner in actor;
}
