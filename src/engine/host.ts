import type { AnyActorRef } from 'xstate';
import { guard } from '../logic/internals.ts';

/** Carries out the effects of an actor, and hears what it is sent by others than the engine. */
export interface Host {
  /** The event may be any value. */
  receive(event: unknown): void;
}

/** Where an actor has what carries out its effects. Whoever stands for an actor that is not there has itself. */
export const host = Symbol('topple.host');

/** Ties an actor that takes no events yet to what carries out its effects. From now on only the engine delivers to it. */
export function setHost(actor: AnyActorRef, owner: Host): void {
  (actor as unknown as { [host]: Host })[host] = owner;
  guard(actor, receive);
}

/** One function for all actors: it costs them no closure. */
function receive(this: AnyActorRef, event: unknown): void {
  hostOf<Host>(this).receive(event);
}

/** What carries out the effects of an actor that topple made. */
export function hostOf<Host extends object>(actor: AnyActorRef): Host {
  return (actor as unknown as { readonly [host]: Host })[host];
}

/** Whether topple made an actor. */
export function isHosted(actor: AnyActorRef): boolean {
  return host in actor;
}
