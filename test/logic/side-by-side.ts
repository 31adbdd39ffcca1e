// The same actor twice, from a machine and from what `compile` makes of it, and all that can be seen of each.

import * as assert from 'uvu/assert';
import {
  type AnyActorLogic,
  type AnyActorRef,
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  type InspectionEvent,
  type Snapshot,
} from 'xstate';
import { compile } from '../../src/logic/index.ts';

/** What a test's actions write to, to be seen with the rest. */
export type Log = unknown[];

export interface Script {
  readonly input?: unknown;
  readonly events?: readonly AnyEventObject[];
  /** To start from. */
  readonly snapshot?: unknown;
  /** Stops the actor at the end. */
  readonly stops?: boolean;
}

/** Asserts that machine and compiled logic do the same, seen from outside, and returns what that is. */
export function assertSame(makeMachine: (log: Log) => AnyStateMachine, script: Script = {}): Log {
  const log: Log = [];
  const machine = makeMachine(log);
  const interpreted = watch(machine, log, script);
  const compiled = watch(compile(machine).logic as AnyActorLogic, log, script);
  assert.equal(compiled, interpreted);
  return interpreted;
}

/** What is seen of an actor from its making to its end: inspections, actions, emitted events, snapshots, errors. */
function watch(logic: AnyActorLogic, log: Log, { input, events = [], snapshot, stops = false }: Script): Log {
  log.length = 0;
  const options = snapshot === undefined ? { input } : { snapshot: snapshot as Snapshot<unknown> };
  const actor = createActor(logic, {
    id: 'root',
    ...options,
    inspect: (event) => log.push(['inspect', ...inspectionOf(event)]),
  });
  log.push(['at first', lookAt(actor)]);
  actor.on('*', (event) => log.push(['emitted', event]));
  actor.subscribe({
    next: (next) => log.push(['next', brief(next)]),
    error: (error) => log.push(['error', messageOf(error)]),
    complete: () => log.push(['complete']),
  });
  actor.start();
  log.push(['started', lookAt(actor)]);
  for (const event of events) {
    if (actor.getSnapshot().status !== 'active') break;
    log.push(['can', lookForward(actor, event)]);
    actor.send(event);
    log.push(['sent', event.type, lookAt(actor)]);
  }
  if (stops) {
    actor.stop();
    log.push(['stopped', lookAt(actor)]);
  }
  return log.slice();
}

function inspectionOf(event: InspectionEvent): readonly unknown[] {
  const id = idOf(event.actorRef);
  switch (event.type) {
    case '@xstate.actor':
      return [event.type, id];
    case '@xstate.event':
      return [event.type, id, idOf(event.sourceRef), event.event];
    case '@xstate.action':
      return [event.type, id, event.action];
    case '@xstate.microstep': {
      const taken = event._transitions.map(
        (transition) => `${transition.source.id} on ${transition.eventType}`,
      );
      return [event.type, id, event.event, taken, brief(event.snapshot)];
    }
    default:
      return [event.type, id, event.event, brief(event.snapshot)];
  }
}

function idOf(actor: InspectionEvent['actorRef'] | undefined): string | undefined {
  return (actor as AnyActorRef | undefined)?.id;
}

/** All that a machine's snapshot answers. */
function lookAt(actor: AnyActorRef): unknown {
  const snapshot: AnyMachineSnapshot = actor.getSnapshot();
  return {
    ...(brief(snapshot) as object),
    json: JSON.parse(JSON.stringify(snapshot)),
    persisted: JSON.parse(JSON.stringify(actor.getPersistedSnapshot())),
    tags: [...snapshot.tags],
    hasTag: [snapshot.hasTag('busy'), snapshot.hasTag('root')],
    matches: [snapshot.matches(snapshot.value as never), snapshot.matches('elsewhere' as never)],
    meta: snapshot.getMeta(),
    children: snapshot.children,
  };
}

function lookForward(actor: AnyActorRef, event: AnyEventObject): unknown {
  try {
    return actor.getSnapshot().can(event);
  } catch (error) {
    return messageOf(error);
  }
}

function brief(snapshot: Snapshot<unknown>): unknown {
  const { value, status, context, output, error } = snapshot as AnyMachineSnapshot;
  return { value, status, context, output, error: error === undefined ? undefined : messageOf(error) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
