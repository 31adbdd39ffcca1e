import type { ChildCounts, Entry } from '../model/journal.ts';
import { unpackSteps } from './packed-steps.ts';

/**
 * Consecutive entries of a run as short rows: the first has the `seq` `from`, the last `to`, and each row says how many
 * milliseconds after the one before it, the first after `at`, it was made. A text stands for several steps that need no
 * more than that: see `packed-steps.ts`.
 */
export interface EntryRows {
  readonly from: number;
  readonly at: number;
  readonly rows: readonly (EntryRow | string)[];
  readonly to: number;
}

/**
 * Place in `rowTypes`; milliseconds; the task, if it has one: its place in `Structure.tasks`, or its id if it is not
 * there. Then of `task.started` the attempt, of `task.done` the attempt, the output and the counts of its child run
 * if there are any, and an object with what else is known of that run; of any other an object with the remaining fields, if there are any.
 */
export type EntryRow = readonly [type: number, ms: number, ...rest: readonly unknown[]];

/** The types of entries by their number in rows. A new one is added at the end. */
export const rowTypes = [
  'task.ready',
  'task.started',
  'task.done',
  'task.progress',
  'task.retrying',
  'task.failed',
  'task.skipped',
  'task.upstream_failed',
  'task.cancelled',
  'task.rerun',
  'run.started',
  'run.paused',
  'run.resumed',
  'run.cancelling',
  'run.done',
  'run.failed',
  'run.cancelled',
  'run.flow_changed',
  'task.waiting',
  'task.delivered',
  'task.undone',
  'task.undo_failed',
  'run.compensating',
  'run.compensated',
] as const satisfies readonly Entry['type'][];

/** The number in rows of each type. */
export const numberOfType: ReadonlyMap<string, number> = new Map<string, number>(
  rowTypes.map((type, number) => [type, number]),
);
const READY = 0;
const STARTED = 1;
const DONE = 2;
/** Of each number, whether its entries are of a run, and so name no task. */
const areOfRun = rowTypes.map((type) => type.startsWith('run.'));

/** Reads rows back to entries, with the values as they were sent. Throws nothing on rows that `writeRows` wrote. */
export function readRows({ from, at, rows }: EntryRows, runId: string, ids: readonly string[]): Entry[] {
  const entries: Entry[] = [];
  let now = at;
  const readStep = (kind: number, ms: number, task: number): void => {
    now += ms;
    entries.push(stepEntry(kind, now, from + entries.length, runId, ids[task] as string));
  };
  for (const row of rows) {
    if (typeof row === 'string') {
      unpackSteps(row, readStep);
      continue;
    }
    now += row[1];
    entries.push(readRow(row, from + entries.length, now, runId, ids));
  }
  return entries;
}

/** Rows with each step written in full. */
export function unpackedRows(rows: EntryRows['rows']): EntryRow[] {
  const all: EntryRow[] = [];
  for (const row of rows) {
    if (typeof row !== 'string') all.push(row);
    else
      unpackSteps(row, (kind, ms, task) => all.push(kind === READY ? [kind, ms, task] : [kind, ms, task, 1]));
  }
  return all;
}

/** The number of entries. */
export function countRows(rows: EntryRows['rows']): number {
  let count = 0;
  for (const row of rows) {
    if (typeof row === 'string') unpackSteps(row, () => count++);
    else count++;
  }
  return count;
}

/** The rows of the entries above a `seq`; `undefined` if there are none. */
export function rowsAfter(all: EntryRows, seq: number): EntryRows | undefined {
  const { from, at, to } = all;
  if (from > seq) return all;
  if (to <= seq) return undefined;
  const rows = unpackedRows(all.rows);
  const count = seq - from + 1;
  const [first, ...left] = rows.slice(count) as [EntryRow, ...EntryRow[]];
  let now = at;
  for (const row of rows.slice(0, count + 1)) now += row[1];
  return { from: seq + 1, at: now, rows: [[first[0], 0, ...first.slice(2)], ...left], to };
}

function stepEntry(kind: number, at: number, seq: number, runId: string, taskId: string): Entry {
  switch (kind) {
    case READY:
      return { type: 'task.ready', at, seq, runId, taskId };
    case STARTED:
      return { type: 'task.started', at, attempt: 1, seq, runId, taskId };
    default:
      return { type: 'task.done', at, attempt: 1, output: undefined, seq, runId, taskId };
  }
}

function readRow(row: EntryRow, seq: number, at: number, runId: string, ids: readonly string[]): Entry {
  const [kind] = row as readonly [number | string, ...unknown[]];
  const type = typeof kind === 'number' ? rowTypes[kind] : kind;
  const isOfRun = typeof kind === 'number' ? areOfRun[kind] === true : String(type).startsWith('run.');
  if (isOfRun) return { type, at, seq, runId, ...(row[2] as object | undefined) } as Entry;
  const taskId = (typeof row[2] === 'number' ? ids[row[2]] : row[2]) as string;
  switch (kind) {
    case READY:
      return { type: 'task.ready', at, seq, runId, taskId };
    case STARTED:
      return { type: 'task.started', at, attempt: row[3] as number, seq, runId, taskId };
    case DONE:
      return {
        type: 'task.done',
        at,
        attempt: row[3] as number,
        output: row[4],
        ...(row[5] === undefined || row[5] === null ? {} : { child: row[5] as ChildCounts }),
        ...(row[6] as object | undefined),
        seq,
        runId,
        taskId,
      };
    default:
      return { type, at, seq, runId, taskId, ...(row[3] as object | undefined) } as Entry;
  }
}
