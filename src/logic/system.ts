/**
 * The changes that topple makes to an actor system, through XState's internals: how it finds actors, and how it tells
 * inspectors.
 */
import type { AnyActorRef, InspectionEvent, Observer, Subscription } from 'xstate';
import { parentOf } from './internals.ts';

/** Provides actors that are made only when they are looked up by name. */
export interface Namer {
  /** The actor of that name, made on demand; `undefined` for the name of another. */
  find(systemId: string): AnyActorRef | undefined;
  /** All of them. */
  findAll(): readonly AnyActorRef[];
}

/** The methods of a system that are replaced. */
interface System {
  get(systemId: string): AnyActorRef | undefined;
  getAll(): Record<string, AnyActorRef>;
  inspect(observer: Inspector): Subscription;
  /** Registers a starting actor under its `systemId`. */
  _set(systemId: string, actor: AnyActorRef): void;
  /** Tells inspectors. */
  _sendInspectionEvent(event: Sent): void;
  [changed]?: Changed;
}

type Inspector = Partial<Observer<InspectionEvent>> | ((event: InspectionEvent) => void);

/** An event as it is sent to inspectors. */
interface Sent {
  readonly type: string;
  readonly actorRef: AnyActorRef;
  rootId?: string;
}

/** The state of a changed system: its own methods, and the namers. */
interface Changed extends Omit<System, typeof changed> {
  /** Namers by the prefix of their names, up to the first slash. */
  readonly namers: Map<string, Namer>;
  readonly inspectors: Set<(event: InspectionEvent) => void>;
  /** Whether XState has inspectors of its own, which are assumed to stay. */
  readonly wasInspected: boolean;
  /** Session id of the actor for which the system was made. */
  readonly rootId: string;
}

const changed = Symbol('topple.changed');

const unread = Symbol('nobody has read it');
const probe = Object.defineProperty({}, 'type', {
  enumerable: true,
  get() {
    throw unread;
  },
});

/**
 * Whether anybody inspects the system of an actor. XState copies an event before it shows it to observers, but only if
 * there are any: an event that cannot be copied is not shown, and reveals whether there are.
 */
export function isInspected({ system }: { readonly system: unknown }): boolean {
  const known = (system as System)[changed];
  if (known !== undefined) return known.wasInspected || known.inspectors.size > 0;
  try {
    (system as System)._sendInspectionEvent(probe as Sent);
    return false;
  } catch {
    return true;
  }
}

/** Inspects the system of a new actor that is alone in it, as XState's option `inspect` does. */
export function inspectFromStart(actor: AnyActorRef, inspect: (event: InspectionEvent) => void): void {
  change(actor);
  actor.system.inspect(inspect);
  (actor.system as unknown as System)._sendInspectionEvent({ type: '@xstate.actor', actorRef: actor });
}

/** Gives an actor that has not started its `systemId`, under which a namer finds it. */
export function nameInSystem(actor: AnyActorRef, systemId: string): void {
  const named = actor as NamedActor;
  named.systemId = systemId;
  named[isNamed] = true;
}

/** Marks actors that the maps of their system need not hold. */
const isNamed = Symbol('topple.isNamed');

type NamedActor = AnyActorRef & { systemId: string; [isNamed]?: boolean };

/**
 * Makes the system of an actor look up names with this prefix in a namer. The prefix ends with the first slash of the
 * name.
 */
export function offerNames(actor: AnyActorRef, prefix: string, namer: Namer): void {
  change(actor).namers.set(prefix, namer);
}

/** Withdraws a namer given to `offerNames`. */
export function withdrawNames({ system }: AnyActorRef, prefix: string, namer: Namer): void {
  const { namers } = (system as unknown as System)[changed] as Changed;
  if (namers.get(prefix) === namer) namers.delete(prefix);
}

function change(actor: AnyActorRef): Changed {
  const system = actor.system as unknown as System;
  if (system[changed] === undefined) {
    const { get, getAll, inspect, _set, _sendInspectionEvent } = system;
    system[changed] = {
      get,
      getAll,
      inspect,
      _set,
      _sendInspectionEvent,
      namers: new Map(),
      inspectors: new Set(),
      wasInspected: isInspected({ system }),
      rootId: rootOf(actor).sessionId,
    };
    // Closures made for each system would make V8 keep one run alive by the next.
    Object.assign(system, changes);
  }
  return system[changed];
}

const changes: Omit<System, typeof changed> & ThisType<System> = {
  get(systemId) {
    const known = this[changed] as Changed;
    const prefix = systemId.slice(0, systemId.indexOf('/') + 1);
    return known.get(systemId) ?? known.namers.get(prefix)?.find(systemId);
  },
  getAll() {
    const known = this[changed] as Changed;
    const named = [...known.namers.values()].flatMap((namer) => namer.findAll());
    return {
      ...known.getAll(),
      ...Object.fromEntries(named.map((actor) => [(actor as NamedActor).systemId, actor])),
    };
  },
  _set(systemId, actor) {
    // Its namer knows it; putting every task into two maps would cost more than making it.
    if ((actor as NamedActor)[isNamed] !== true) (this[changed] as Changed)._set(systemId, actor);
  },
  inspect(inspector) {
    const { inspectors } = this[changed] as Changed;
    const tell =
      typeof inspector === 'function'
        ? inspector.bind(undefined)
        : (event: InspectionEvent) => inspector.next?.(event);
    inspectors.add(tell);
    return { unsubscribe: () => void inspectors.delete(tell) };
  },
  _sendInspectionEvent(event) {
    const known = this[changed] as Changed;
    if (known.wasInspected) known._sendInspectionEvent(event);
    if (known.inspectors.size === 0) return;
    // The sender makes the event for this call only. XState sets this in a copy, a third of the cost of an inspected
    // task.
    event.rootId = known.rootId;
    for (const tell of known.inspectors) tell(event as InspectionEvent);
  },
};

function rootOf(actor: AnyActorRef): AnyActorRef {
  let root = actor;
  for (let parent = parentOf(root); parent !== undefined; parent = parentOf(root)) root = parent;
  return root;
}
