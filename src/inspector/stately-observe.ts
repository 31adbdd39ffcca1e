import type { AnyEventObject, InspectionEvent } from 'xstate';
import { plain } from './plain.ts';

type Ref = InspectionEvent['actorRef'];

/** Parts of an actor that the package reads and XState's type leaves out. */
interface Inspected {
  readonly logic?: { readonly config?: unknown } | undefined;
  getSnapshot(): object;
}

/** Copies of machine configurations, each made once. */
const configs = new WeakMap<object, object>();

/** The instants of observations, by the copy that the message carries. */
const instants = new WeakMap<object, number>();

/**
 * Copies an observation for the package's inspector; `undefined` for one that it has no use for, such as of steps and
 * actions.
 *
 * The package converts observations later, in timers, where an error thrown by a context would end the process. So user
 * data is copied first.
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

/** The instant of the observation behind a message: the package stamps messages when it converts them. */
export function observedAt(message: { readonly event?: object; readonly snapshot?: object }): number {
  return instants.get(message.event ?? message.snapshot ?? message) ?? Date.now();
}

/**
 * Stands in for an actor, copying all but the parts that are read later: XState reports an actor before it has a
 * snapshot.
 */
function standIn(actorRef: Ref, at: number, isLeftOut: (snapshot: unknown) => boolean): Ref {
  const actor = actorRef as Ref & Inspected;
  const read = (): object => {
    try {
      const snapshot = actor.getSnapshot();
      return isLeftOut(snapshot) ? outlineOf(snapshot) : snapshot;
    } catch {
      // XState gave the actor up before it had a snapshot, for example because its `systemId` is taken.
      return {};
    }
  };
  return Object.create(actor, {
    logic: { value: { config: copyOfConfig(actor.logic?.config) } },
    getSnapshot: { value: () => carry(read(), at) },
  });
}

/** An event that brings a parent the snapshot of a run that it watches, without the view in it. */
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

/** Only a run has a context that is not a field: a view of all tasks, made on each read. */
function isOfRun(snapshot: unknown): snapshot is object {
  return (
    typeof snapshot === 'object' &&
    snapshot !== null &&
    'context' in snapshot &&
    !Object.hasOwn(snapshot, 'context')
  );
}
