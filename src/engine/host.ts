import type { AnyActorRef } from 'xstate';

/** Where an actor has what carries out its effects. Whoever stands for an actor that is not there has itself. */
export const host = Symbol('topple.host');

/** Ties an actor to what carries out its effects. */
export function setHost(actor: AnyActorRef, owner: object): void {
  (actor as unknown as { [host]: object })[host] = owner;
}

/** What carries out the effects of an actor that topple made. */
export function hostOf<Host extends object>(actor: AnyActorRef): Host {
  return (actor as unknown as { readonly [host]: Host })[host];
}
