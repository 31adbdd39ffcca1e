import type { BodyLine, Entry, ErrorView } from '../../index.ts';
import { inlineValueBytes, type LogLine } from '../protocol.ts';
import type { Redact } from './redact.ts';
import { sentValue } from './sent-value.ts';
import type { FoundValue } from './value-page.ts';

/** Fields of entries that topple itself fills. In any other, known or not, there may be what users wrote or returned. */
const ownFields: ReadonlySet<string> = new Set([
  'type',
  'at',
  'seq',
  'runId',
  'taskId',
  'attempt',
  'version',
  'flow',
  'flowHash',
  'settings',
  'fraction',
  'retryAt',
  'cause',
  'because',
  'changes',
  'dropped',
  'waiting',
  'parent',
  'child',
  'childRunId',
  'keepsDone',
  'keepsLife',
  'continues',
  'until',
  'timeoutAt',
  'ending',
  'tasks',
  'undo',
  'undone',
]);
/** Limit for a line of log, and for each text of an error. The rest of an error's text is fetched like a value. */
const maxText = 4_096;

/** What may be sent of an entry: its values redacted, and stubs for the large ones. */
export function sentEntry(
  entry: Entry,
  redact: Redact | undefined,
  maxBytes = inlineValueBytes,
): Readonly<Record<string, unknown>> {
  const sent: Record<string, unknown> = { ...entry };
  for (const field of Object.keys(entry)) {
    const found = valueIn(entry, field);
    if (found === undefined) continue;
    const { value, path } = found;
    if (value === undefined) delete sent[field];
    else if (field === 'error') sent.error = sentError(value as ErrorView, path, redact, maxBytes);
    else sent[field] = sentValue(value, path, { redact, maxBytes });
  }
  return sent;
}

/** A value of an entry by the name of its field; `undefined` if it has no such value. */
export function valueIn(entry: Entry, field: string): FoundValue | undefined {
  if (ownFields.has(field) || !Object.hasOwn(entry, field)) return undefined;
  // What is delivered to a task becomes its output, so whoever hides that hides this too.
  const name = entry.type === 'task.delivered' && field === 'value' ? 'output' : field;
  const path = 'taskId' in entry ? ['tasks', entry.taskId, name] : [field];
  return { value: (entry as unknown as Readonly<Record<string, unknown>>)[field], path };
}

/** What may be sent of a line that a body logged. */
export function sentLine(
  { taskId, attempt, at, message, data }: BodyLine,
  n: number,
  redact: Redact | undefined,
): LogLine {
  const path = ['tasks', taskId, 'log'];
  const shown = sentText(message, [...path, 'message'], redact, maxText);
  if (data === undefined) return { n, at, taskId, attempt, message: shown };
  const rules = { redact, maxBytes: inlineValueBytes };
  return { n, at, taskId, attempt, message: shown, data: sentValue(data, [...path, 'data'], rules) };
}

/** An error stays one, whatever is redacted or cut of it: views expect its fields to be texts. */
function sentError(
  { name, message, stack }: ErrorView,
  path: readonly string[],
  redact: Redact | undefined,
  maxBytes: number,
): ErrorView {
  const most = Math.max(maxBytes / 2, maxText);
  const text = (field: string, value: string): string => sentText(value, [...path, field], redact, most);
  const sent = { name: text('name', name), message: text('message', message) };
  return stack === undefined ? sent : { ...sent, stack: text('stack', stack) };
}

function sentText(text: unknown, path: readonly string[], redact: Redact | undefined, most: number): string {
  const value = sentValue(typeof text === 'string' ? text : String(text), path, {
    redact,
    maxBytes: 2 ** 20,
  });
  const whole = typeof value === 'string' ? value : JSON.stringify(value);
  return whole.length <= most ? whole : `${whole.slice(0, most)}… ${whole.length - most} more characters`;
}
