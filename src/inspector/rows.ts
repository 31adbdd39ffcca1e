import type { EntryVisitor, Step } from '../model/entry-list.ts';
import type { ChildCounts, Entry } from '../model/journal.ts';

/**
 * Consecutive entries of a run as short rows: the first has the `seq` `from`, and each row says how many milliseconds
 * after the one before it, the first after `at`, it was made.
 */
export interface EntryRows {
  readonly from: number;
  readonly at: number;
  readonly rows: readonly EntryRow[];
}

/**
 * Place in `rowTypes`; milliseconds; the task, if it has one: its place in `Structure.tasks`, or its id if it is not
 * there. Then of `task.started` the attempt, of `task.done` the attempt, the output and the counts of its child run
 * if there are any, of any other
 * an object with the remaining fields, if there are any.
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
] as const satisfies readonly Entry['type'][];

/** Tells in which place a task is; -1 for one that the structure lacks. */
export type PlaceOf = (taskId: string) => number;

/** Replaces the values in an entry by what may be sent of them. */
export type ShowEntry = (entry: Entry) => Readonly<Record<string, unknown>>;

/** The value `undefined`, as a stub. */
const none = '{"$value":{"kind":"undefined"}}';
const numberOf = new Map<string, number>(rowTypes.map((type, number) => [type, number]));
const READY = 0;
const STARTED = 1;
const DONE = 2;
const FIRST_OF_RUN = numberOf.get('run.started') as number;

/**
 * Writes consecutive entries as the JSON of `EntryRows`. Steps without an output, nearly all entries, are written
 * without asking `show`.
 */
export class RowWriter implements EntryVisitor {
  readonly #ids: readonly string[];
  readonly #placeOf: PlaceOf;
  readonly #show: ShowEntry;
  #from = 0;
  #firstAt = 0;
  #before = 0;
  #count = 0;
  #rows = '';

  /**
   * @param from `seq` of the first entry
   * @param ids tasks by their place
   */
  constructor(from: number, ids: readonly string[], placeOf: PlaceOf, show: ShowEntry) {
    this.#from = from;
    this.#ids = ids;
    this.#placeOf = placeOf;
    this.#show = show;
  }

  get count(): number {
    return this.#count;
  }

  step(type: Step, at: number, task: number, attempt: number, output: unknown): void {
    if (output !== undefined) {
      const stamp = { seq: this.#from + this.#count, runId: '', taskId: this.#ids[task] as string };
      return this.entry({ type: 'task.done', at, attempt, output, ...stamp });
    }
    const ms = this.#wait(at);
    const start = this.#count++ === 0 ? '[' : ',[';
    if (type === 'task.ready') this.#rows += `${start}${READY},${ms},${task}]`;
    else this.#rows += `${start}${type === 'task.started' ? STARTED : DONE},${ms},${task},${attempt}]`;
  }

  entry(entry: Entry): void {
    const row = writeRow(entry, this.#wait(entry.at), this.#placeOf, this.#show);
    this.#rows += this.#count++ === 0 ? row : `,${row}`;
  }

  /** The JSON; at least one entry must have been written. */
  toString(): string {
    return `{"from":${this.#from},"at":${this.#firstAt},"rows":[${this.#rows}]}`;
  }

  #wait(at: number): number {
    if (this.#count === 0) this.#firstAt = this.#before = at;
    const ms = at - this.#before;
    this.#before = at;
    return ms;
  }
}

/** Writes entries; at least one. */
export function writeRows(entries: readonly Entry[], placeOf: PlaceOf, show: ShowEntry): string {
  const writer = new RowWriter(entries[0]?.seq ?? 1, [], placeOf, show);
  for (const entry of entries) writer.entry(entry);
  return writer.toString();
}

/** Reads rows back to entries, with the values as they were sent. Throws nothing on rows that `writeRows` wrote. */
export function readRows({ from, at, rows }: EntryRows, runId: string, ids: readonly string[]): Entry[] {
  const entries = new Array<Entry>(rows.length);
  let now = at;
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] as EntryRow;
    now += row[1];
    entries[index] = readRow(row, from + index, now, runId, ids);
  }
  return entries;
}

function writeRow(entry: Entry, ms: number, placeOf: PlaceOf, show: ShowEntry): string {
  const number = numberOf.get(entry.type) ?? entry.type;
  const head = `[${typeof number === 'number' ? number : JSON.stringify(number)},${ms}`;
  const task = 'taskId' in entry ? `,${writeTask(entry.taskId, placeOf)}` : '';
  switch (entry.type) {
    case 'task.ready':
      return `${head}${task}]`;
    case 'task.started':
      return `${head}${task},${entry.attempt}]`;
    case 'task.done': {
      const { output, child } = entry.output === undefined && entry.child === undefined ? entry : show(entry);
      const counts = child === undefined ? '' : `,${JSON.stringify(child)}`;
      if (output === undefined && counts === '') return `${head}${task},${entry.attempt}]`;
      // Counts need an output before them: JSON has no `undefined`.
      const isCounted = output === undefined && counts !== '';
      return `${head}${task},${entry.attempt},${isCounted ? none : JSON.stringify(output)}${counts}]`;
    }
    default: {
      const { type: _type, at: _at, seq: _seq, runId: _runId, taskId: _taskId, ...rest } = show(entry);
      const fields = JSON.stringify(rest);
      return `${head}${task}${fields === '{}' ? '' : `,${fields}`}]`;
    }
  }
}

function writeTask(taskId: string, placeOf: PlaceOf): string {
  const place = placeOf(taskId);
  return place < 0 ? JSON.stringify(taskId) : String(place);
}

function readRow(row: EntryRow, seq: number, at: number, runId: string, ids: readonly string[]): Entry {
  const [kind] = row as readonly [number | string, ...unknown[]];
  const type = typeof kind === 'number' ? rowTypes[kind] : kind;
  const isOfRun = typeof kind === 'number' ? kind >= FIRST_OF_RUN : String(type).startsWith('run.');
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
        ...(row[5] === undefined ? {} : { child: row[5] as ChildCounts }),
        seq,
        runId,
        taskId,
      };
    default:
      return { type, at, seq, runId, taskId, ...(row[3] as object | undefined) } as Entry;
  }
}
