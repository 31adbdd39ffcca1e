import type { AnyEventObject, InspectionEvent } from 'xstate';
import { plain } from './plain.ts';

type Ref = InspectionEvent['actorRef'];

/** Parts of an actor that the package reads and XState's type of it does not tell. */
interface Inspected {
  readonly logic?: { readonly config?: unknown } | undefined;
  getSnapshot(): object;
}

/** Machine configurations, each copied once. */
const configs = new WeakMap<object, object>();

/** By the copy that a message carries: when the observation was made. */
const instants = new WeakMap<object, number>();

/**
 * What the package's inspector is given in place of an observation; nothing where it is not told, as of steps and
 * actions, for which it has no use.
 *
 * It converts observations later, in timers, where what a context throws would end the process; so whatever is the
 * user's is copied before.
 */
export function observe(event: InspectionEvent, rootSnapshots: boolean): InspectionEvent | undefined {
  const at = Date.now();
  const isLeftOut = (snapshot: unknown): boolean =>
    isOfRun(snapshot) || (!rootSnapshots && event.actorRef.sessionId === event.rootId);
  switch (event.type) {
    case '@xstate.actor':
      return { ...event, actorRef: standIn(event.actorRef, at, isLeftOut) };
    case '@xstate.event':
      return { ...event, event: carry(lean(event.event), at) };
    case '@xstate.snapshot':
      if (isLeftOut(event.snapshot)) return undefined;
      return { ...event, event: carry(lean(event.event), at), snapshot: plain(event.snapshot) as never };
    default:
      return undefined;
  }
}

/** When the observation was made that became this message: the package stamps messages when it converts them. */
export function observedAt(message: { readonly event?: object; readonly snapshot?: object }): number {
  return instants.get(message.event ?? message.snapshot ?? message) ?? Date.now();
}

/** The actor, but for what is read of it later: XState tells of it before it has a snapshot. */
function standIn(actorRef: Ref, at: number, isLeftOut: (snapshot: unknown) => boolean): Ref {
  const actor = actorRef as Ref & Inspected;
  const read = (): object => {
    try {
      const snapshot = actor.getSnapshot();
      return isLeftOut(snapshot) ? outlineOf(snapshot) : snapshot;
    } catch {
      // XState gave the actor up before it had a snapshot: another has its `systemId`, for one.
      return {};
    }
  };
  return Object.create(actor, {
    logic: { value: { config: copyOfConfig(actor.logic?.config) } },
    getSnapshot: { value: () => carry(read(), at) },
  });
}

/** An event that brings a parent the snapshot of a run which it watches, without the view in it. */
function lean(event: AnyEventObject): AnyEventObject {
  return isOfRun(event.snapshot) ? { ...event, snapshot: outlineOf(event.snapshot) } : event;
}

function carry(value: object, at: number): never {
  const copied = plain(value);
  instants.set(copied, at);
  return copied as never;
}

function copyOfConfig(config: unknown): object | undefined {
  if (typeof config !== 'object' || config === null) return undefined;
  let copied = configs.get(config);
  if (copied === undefined) {
    copied = plain(config, Number.POSITIVE_INFINITY);
    configs.set(config, copied);
  }
  return copied;
}

function outlineOf(snapshot: object): object {
  const { status, value } = snapshot as { readonly status: unknown; readonly value?: unknown };
  return { status, value };
}

/** Only a run's context is not a field: it is a view of all tasks, made each time that it is read. */
function isOfRun(snapshot: unknown): snapshot is object {
  return (
    typeof snapshot === 'object' &&
    snapshot !== null &&
    'context' in snapshot &&
    !Object.hasOwn(snapshot, 'context')
  );
}
