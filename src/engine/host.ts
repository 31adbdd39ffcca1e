import type { AnyActorRef } from 'xstate';

const host = Symbol('topple.host');

/** Ties an actor to what carries out its effects. */
export function setHost(actor: AnyActorRef, owner: object): void {
  Object.defineProperty(actor, host, { value: owner, configurable: true });
}

/** What carries out the effects of an actor that topple made. */
export function hostOf<Host extends object>(actor: AnyActorRef): Host {
  return (actor as unknown as { readonly [host]: Host })[host];
}
