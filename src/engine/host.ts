import type { AnyActorRef } from 'xstate';
import { guard } from '../logic/internals.ts';

/** Carries out the effects of an actor, and receives events that the engine did not send. */
export interface Host {
  /** The event may be any value. */
  receive(event: unknown): void;
}

/** Key of an actor's host. A stand-in for an actor that does not exist is its own host. */
export const host = Symbol('topple.host');

/** Binds an actor that takes no events yet to its host. From then on only the engine delivers to it. */
export function setHost(actor: AnyActorRef, owner: Host): void {
  (actor as unknown as { [host]: Host })[host] = owner;
  guard(actor, receive);
}

/** Shared by all actors, to save a closure for each. */
function receive(this: AnyActorRef, event: unknown): void {
  hostOf<Host>(this).receive(event);
}

/** The host of an actor that topple made. */
export function hostOf<Host extends object>(actor: AnyActorRef): Host {
  return (actor as unknown as { readonly [host]: Host })[host];
}

/** Whether topple made an actor. */
export function isHosted(actor: AnyActorRef): boolean {
  return host in actor;
}
