/**
 * The XState internals that topple stands on, all of them; `test/logic/internals.test.ts` fails when an update of
 * XState moves one.
 */
import type { ActorScope, AnyActorRef, AnyEventObject, Subscription } from 'xstate';

type Scope = ActorScope<never, AnyEventObject, AnyActorRef['system'], never>;

interface System {
  _sendInspectionEvent(event: object): void;
  _relay(source: AnyActorRef | undefined, target: AnyActorRef, event: AnyEventObject): void;
}

interface Actor {
  readonly _actorScope: Scope;
  readonly _parent: AnyActorRef | undefined;
  readonly observers: ReadonlySet<unknown>;
  readonly eventListeners: ReadonlyMap<string, unknown>;
}

const unread = Symbol('nobody has read it');
const probe = Object.defineProperty({}, 'type', {
  enumerable: true,
  get() {
    throw unread;
  },
});

/**
 * Whether anybody inspects the system of an actor. XState copies an event before it shows it to observers, and only if
 * there are any: one that cannot be copied is shown to nobody, and tells. Of a system that is asked for names the
 * inspectors are counted; those that were there before that are taken to stay.
 */
export function isInspected({ system }: { readonly system: unknown }): boolean {
  const known = (system as Directory)[names];
  if (known !== undefined) return known.inspectors > 0;
  try {
    (system as unknown as System)._sendInspectionEvent(probe);
    return false;
  } catch {
    return true;
  }
}

/** Tells inspectors of a step taken. */
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

/** Tells inspectors of an action done. */
export function inspectAction(scope: Scope, type: string, params: unknown): void {
  (scope.system as unknown as System)._sendInspectionEvent({
    type: '@xstate.action',
    actorRef: scope.self,
    action: { type, params },
  });
}

/** Has an actor emit an event to its listeners. */
export function emitFrom(actor: AnyActorRef, event: object): void {
  scopeOf(actor).emit(event as never);
}

/** Whether anybody has asked an actor for the events that it emits. */
export function hasListeners(actor: AnyActorRef): boolean {
  return (actor as unknown as Actor).eventListeners.size > 0;
}

/** How many have subscribed to an actor's snapshots. */
export function subscriberCount(actor: AnyActorRef): number {
  return (actor as unknown as Actor).observers.size;
}

/** Calls back once an actor's present transition is over. */
export function deferOn(actor: AnyActorRef, callback: () => void): void {
  scopeOf(actor).defer(callback);
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

/** Has actors that are made only when somebody asks for them by name. */
export interface Namer {
  /** The actor of that name, if it is one of its; it may be made now. */
  find(systemId: string): AnyActorRef | undefined;
  /** All of them. */
  findAll(): readonly AnyActorRef[];
}

/** The part of a system by which its actors are found and seen. */
interface Directory {
  get(systemId: string): AnyActorRef | undefined;
  getAll(): Record<string, AnyActorRef>;
  inspect(observer: object): Subscription;
  /** Enters an actor that starts under its `systemId`. */
  _set(systemId: string, actor: AnyActorRef): void;
  [names]?: Names;
}

/** What stands behind a directory that asks others for names. */
interface Names extends Pick<Directory, 'get' | 'getAll' | 'inspect' | '_set'> {
  /** By what their names begin with, up to the first slash. */
  readonly namers: Map<string, Namer>;
  /** How many inspect the system. */
  inspectors: number;
}

const names = Symbol('topple.names');

/** Has the system of an actor ask for names that begin with a prefix, which ends with their first slash. */
export function offerNames({ system }: AnyActorRef, prefix: string, namer: Namer): void {
  const directory = system as unknown as Directory;
  if (directory[names] === undefined) {
    const inspectors = isInspected({ system }) ? 1 : 0;
    const namers = new Map<string, Namer>();
    const { get, getAll, inspect, _set } = directory;
    directory[names] = { namers, get, getAll, inspect, _set, inspectors };
    // Closures made for each system would make V8 keep one run alive by the next.
    Object.assign(directory, askingNamers);
  }
  directory[names].namers.set(prefix, namer);
}

/** Ends what `offerNames` began. */
export function withdrawNames({ system }: AnyActorRef, prefix: string, namer: Namer): void {
  const { namers } = (system as unknown as Directory)[names] as Names;
  if (namers.get(prefix) === namer) namers.delete(prefix);
}

const askingNamers: Pick<Directory, 'get' | 'getAll' | 'inspect' | '_set'> & ThisType<Directory> = {
  get(systemId) {
    const known = this[names] as Names;
    const prefix = systemId.slice(0, systemId.indexOf('/') + 1);
    return known.get(systemId) ?? known.namers.get(prefix)?.find(systemId);
  },
  getAll() {
    const known = this[names] as Names;
    const named = [...known.namers.values()].flatMap((namer) => namer.findAll());
    return {
      ...known.getAll(),
      ...Object.fromEntries(named.map((actor) => [(actor as NamedActor).systemId, actor])),
    };
  },
  _set(systemId, actor) {
    // Its namer knows it; two maps that every task passes through would cost more than its making.
    if ((actor as NamedActor)[isNamed] !== true) (this[names] as Names)._set(systemId, actor);
  },
  inspect(observer) {
    const known = this[names] as Names;
    known.inspectors++;
    const subscription = known.inspect(observer);
    let hasEnded = false;
    return {
      unsubscribe() {
        subscription.unsubscribe();
        if (!hasEnded) known.inspectors--;
        hasEnded = true;
      },
    };
  },
};

/** Stops a child that an action made with `createActor(…, { parent })`. */
export function stopChild(parent: AnyActorRef, child: AnyActorRef): void {
  scopeOf(parent).stopChild(child);
}

/** Sends an event so that inspectors see whom it is from. */
export function sendFrom(source: AnyActorRef | undefined, target: AnyActorRef, event: AnyEventObject): void {
  (target.system as unknown as System)._relay(source, target, event);
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
