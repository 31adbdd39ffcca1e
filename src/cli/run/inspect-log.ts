import { closeSync, writeSync } from 'node:fs';
import type { AnyEventObject, InspectionEvent } from 'xstate';
import { plain } from '../../inspector/plain.ts';
import type { Io } from '../io.ts';
import { claimOutput, type OutputRules, openOutput } from '../output-file.ts';

/** Characters that are written at once. */
const maxHeld = 64 * 1_024;

const format = { option: '--inspect-log', mark: '{"type":"topple.inspect-log","version":1}\n' };

/** A file of XState's inspection events. */
export interface InspectLog {
  readonly inspect: (event: InspectionEvent) => void;
  /** Writes what is left. Nothing is logged after it. */
  close(): void;
}

/**
 * Opens a file for XState's inspection events, a line of JSON each after one that says what it is. Actors are named by session and system id, what
 * has no word in JSON is shown as far as it can be, and of a run's own snapshots only where the machine is: its whole
 * view in each of them would make the file grow with the square of the tasks.
 *
 * @throws UsageError where the file may not or cannot be written
 */
export function openInspectLog(file: string, rules: OutputRules, io: Io): InspectLog {
  const descriptor = openOutput(claimOutput(file, format, rules, io));
  let held = format.mark;
  let isOpen = true;
  const stopListening = io.onExit(close);
  return { inspect, close };

  function inspect(event: InspectionEvent): void {
    if (!isOpen) return;
    held += `${JSON.stringify(plain(lineOf(event)))}\n`;
    if (held.length > maxHeld) flush();
  }

  function flush(): void {
    writeSync(descriptor, held);
    held = '';
  }

  function close(): undefined {
    if (!isOpen) return;
    isOpen = false;
    stopListening();
    flush();
    closeSync(descriptor);
  }
}

function lineOf(event: InspectionEvent): object {
  const { type, rootId, actorRef } = event;
  const line = { type, at: Date.now(), rootId, actor: nameOf(actorRef) };
  switch (event.type) {
    case '@xstate.event':
      return { ...line, source: event.sourceRef && nameOf(event.sourceRef), event: eventOf(event.event) };
    case '@xstate.snapshot':
      return { ...line, event: eventOf(event.event), snapshot: snapshotOf(event.snapshot) };
    case '@xstate.microstep': {
      const transitions = event._transitions.map(({ source, eventType, target }) => ({
        from: source.key,
        event: eventType,
        to: target?.map(({ key }) => key) ?? [],
      }));
      return { ...line, event: eventOf(event.event), snapshot: snapshotOf(event.snapshot), transitions };
    }
    case '@xstate.action':
      return { ...line, action: { type: event.action.type, params: event.action.params } };
    default:
      return line;
  }
}

function nameOf(actor: InspectionEvent['actorRef']): object {
  const { sessionId, id, systemId } = actor as typeof actor & { id?: string; systemId?: string };
  return { sessionId, id, systemId };
}

/** What an event carries may hold actors, or a run's snapshot. */
function eventOf(event: AnyEventObject): object {
  return 'snapshot' in event ? { ...event, snapshot: snapshotOf(event.snapshot) } : event;
}

/** Only a run's context is not a field: it is a view of all tasks, made each time that it is read. */
function snapshotOf(snapshot: unknown): unknown {
  if (typeof snapshot !== 'object' || snapshot === null) return snapshot;
  const { status, value, output, error } = snapshot as Readonly<Record<string, unknown>>;
  const context = Object.hasOwn(snapshot, 'context') ? (snapshot as { context: unknown }).context : undefined;
  return { status, value, context, output, error };
}
