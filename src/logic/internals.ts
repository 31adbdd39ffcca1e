/**
 * The XState internals that topple calls and reads; `system.ts` has those of actor systems that it replaces. The tests
 * of both files fail when an update of XState moves one.
 */
import type { ActorScope, AnyActorRef, AnyEventObject } from 'xstate';

type Scope = ActorScope<never, AnyEventObject, AnyActorRef['system'], never>;

interface System {
  _sendInspectionEvent(event: object): void;
  _relay(source: AnyActorRef | undefined, target: AnyActorRef, event: AnyEventObject): void;
}

interface Actor {
  readonly _actorScope: Scope;
  readonly _parent: AnyActorRef | undefined;
  readonly observers: ReadonlySet<{ readonly next?: unknown }>;
  readonly eventListeners: ReadonlyMap<string, unknown>;
  readonly mailbox: { _current: Mail | null };
  _snapshot: unknown;
  /** Takes an event from a relay. The events by which XState itself stops an actor go into the mailbox. */
  _send(event: AnyEventObject): void;
}

interface Mail {
  readonly value: AnyEventObject;
  readonly next: Mail | null;
}

/** Tells inspectors of a microstep. */
export function inspectMicrostep(
  scope: Scope,
  event: object,
  snapshot: object,
  taken: object | undefined,
): void {
  (scope.system as unknown as System)._sendInspectionEvent({
    type: '@xstate.microstep',
    actorRef: scope.self,
    event,
    snapshot,
    _transitions: taken === undefined ? [] : [taken],
  });
}

/** Tells inspectors of an action. */
export function inspectAction(scope: Scope, type: string, params: unknown): void {
  (scope.system as unknown as System)._sendInspectionEvent({
    type: '@xstate.action',
    actorRef: scope.self,
    action: { type, params },
  });
}

/** Emits an event to an actor's listeners. */
export function emitFrom(actor: AnyActorRef, event: object): void {
  scopeOf(actor).emit(event as never);
}

/** Whether anybody listens to the events that an actor emits. */
export function hasListeners(actor: AnyActorRef): boolean {
  return (actor as unknown as Actor).eventListeners.size > 0;
}

/** The number of subscribers to an actor's snapshots or its end. */
export function subscriberCount(actor: AnyActorRef): number {
  return (actor as unknown as Actor).observers.size;
}

/** Whether anybody subscribes to an actor's snapshots. */
export function isFollowed(actor: AnyActorRef): boolean {
  for (const { next } of (actor as unknown as Actor).observers) if (next !== undefined) return true;
  return false;
}

/** Passes an actor's snapshot through a function on each read, by XState too, and keeps the result. */
export function renewOnRead(actor: AnyActorRef, renew: (last: unknown) => unknown): void {
  let last = (actor as unknown as Actor)._snapshot;
  Object.defineProperty(actor, '_snapshot', {
    configurable: true,
    enumerable: true,
    get() {
      last = renew(last);
      return last;
    },
    set(next) {
      last = next;
    },
  });
}

/** Calls back once an actor's current transition is over. */
export function deferOn(actor: AnyActorRef, callback: () => void): void {
  scopeOf(actor).defer(callback);
}

/** Stops a child that an action made with `createActor(…, { parent })`. */
export function stopChild(parent: AnyActorRef, child: AnyActorRef): void {
  scopeOf(parent).stopChild(child);
}

/** Sends an event, and shows inspectors its source. */
export function sendFrom(source: AnyActorRef | undefined, target: AnyActorRef, event: AnyEventObject): void {
  (target.system as unknown as System)._relay(source, target, event);
}

/**
 * Reserves the mailbox of an actor that does not take events yet for `deliver`. Events sent in any other way, before or
 * after, go to `receive`.
 *
 * @param receive called with the actor as its `this`
 */
export function guard(target: AnyActorRef, receive: (this: AnyActorRef, event: unknown) => void): void {
  const actor = target as unknown as Actor;
  let early = actor.mailbox._current;
  actor.mailbox._current = null;
  actor._send = receive;
  for (; early !== null; early = early.next) receive.call(target, early.value);
}

/** Puts an event into the mailbox of an actor, guarded or not. Inspectors are not told. */
export function deliver(target: AnyActorRef, event: AnyEventObject): void {
  (Object.getPrototypeOf(target) as Actor)._send.call(target, event);
}

/** Puts an event into the mailbox of an actor, and shows inspectors its source. */
export function deliverFrom(
  source: AnyActorRef | undefined,
  target: AnyActorRef,
  event: AnyEventObject,
): void {
  (target.system as unknown as System)._sendInspectionEvent({
    type: '@xstate.event',
    sourceRef: source,
    actorRef: target,
    event,
  });
  deliver(target, event);
}

/** The actor that spawned or invoked this one. */
export function parentOf(actor: AnyActorRef): AnyActorRef | undefined {
  return (actor as unknown as Actor)._parent;
}

/** The clock of an actor's system. */
export function clockOf(actor: AnyActorRef): unknown {
  return (actor as unknown as { readonly clock: unknown }).clock;
}

function scopeOf(actor: AnyActorRef): Scope {
  return (actor as unknown as Actor)._actorScope;
}
