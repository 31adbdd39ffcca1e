import { closeSync, writeSync } from 'node:fs';
import type { AnyEventObject, InspectionEvent } from 'xstate';
import { plain } from '../../inspector/plain.ts';
import type { Io } from '../io.ts';
import { claimOutput, type OutputRules, openOutput } from '../output-file.ts';

/** Maximum number of characters held back before a write. */
const maxHeld = 64 * 1_024;

const format = { option: '--inspect-log', mark: '{"type":"topple.inspect-log","version":1}\n' };

/** A file of XState's inspection events. */
export interface InspectLog {
  readonly inspect: (event: InspectionEvent) => void;
  /** Writes the rest. Nothing is logged after it. */
  close(): void;
}

/**
 * Opens a file for XState's inspection events: a line that tells what the file is, then a line of JSON for each event.
 * Actors are named by session and system id. Values without JSON are shown as far as possible. Snapshots of a run show
 * only the machine's state: with the whole view in each, the file would grow with the square of the tasks.
 *
 * @throws UsageError if the file cannot be written or must not be
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

/** Events may carry actors, or a run's snapshot. */
function eventOf(event: AnyEventObject): object {
  return 'snapshot' in event ? { ...event, snapshot: snapshotOf(event.snapshot) } : event;
}

/** Only a run has a context that is not a field: a view of all tasks, made on each read. */
function snapshotOf(snapshot: unknown): unknown {
  if (typeof snapshot !== 'object' || snapshot === null) return snapshot;
  const { status, value, output, error } = snapshot as Readonly<Record<string, unknown>>;
  const context = Object.hasOwn(snapshot, 'context') ? (snapshot as { context: unknown }).context : undefined;
  return { status, value, context, output, error };
}
