import type { EntryVisitor, Step } from '../../model/entry-list.ts';
import type { Entry } from '../../model/journal.ts';
import { packLimit } from '../packed-steps.ts';
import { numberOfType } from '../rows.ts';
import { RowBytes } from './row-bytes.ts';

/** Tells in which place a task is; -1 for one that the structure lacks. */
export type PlaceOf = (taskId: string) => number;

/** Replaces the values in an entry by what may be sent of them. */
export type ShowEntry = (entry: Entry) => Readonly<Record<string, unknown>>;

/** The value `undefined`, as a stub. */
const none = '{"$value":{"kind":"undefined"}}';
const kindOf: { readonly [Type in Step]: number } = {
  'task.ready': numberOfType.get('task.ready') as number,
  'task.started': numberOfType.get('task.started') as number,
  'task.done': numberOfType.get('task.done') as number,
};

/**
 * Writes consecutive entries as the JSON of `EntryRows`. Steps without an output, nearly all entries, are written
 * without asking `show`.
 */
export class RowWriter implements EntryVisitor {
  readonly #from: number;
  readonly #ids: readonly string[];
  readonly #placeOf: PlaceOf;
  readonly #show: ShowEntry;
  readonly #rows = new RowBytes();
  #firstAt = 0;
  #before = 0;
  #count = 0;

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

  /** Bytes written. */
  get size(): number {
    return this.#rows.written.length;
  }

  step(type: Step, at: number, task: number, attempt: number, output: unknown): void {
    if (output === undefined && this.#pack(type, at, task, attempt)) return;
    const stamp = { seq: this.#from + this.#count, runId: '', taskId: this.#ids[task] as string };
    const tried = type === 'task.ready' ? {} : { attempt };
    this.#write({ type, at, ...tried, ...(type === 'task.done' ? { output } : {}), ...stamp } as Entry);
  }

  entry(entry: Entry): void {
    const { type, at } = entry;
    const isPlain =
      type === 'task.ready' ||
      type === 'task.started' ||
      (type === 'task.done' && entry.output === undefined && !tellsOfChild(entry));
    const attempt = isPlain && type !== 'task.ready' ? entry.attempt : 0;
    if (!isPlain || !this.#pack(type, at, this.#placeOf(entry.taskId), attempt)) this.#write(entry);
  }

  /** Writes a step without an output, if it can be packed. Returns whether it could. */
  #pack(type: Step, at: number, task: number, attempt: number): boolean {
    const ms = at - this.#before;
    const fits = task >= 0 && task < packLimit && ms >= 0 && ms < packLimit && Number.isInteger(ms);
    if (!fits || this.#count === 0 || attempt !== (type === 'task.ready' ? 0 : 1)) return false;
    this.#before = at;
    this.#count++;
    this.#rows.pack(kindOf[type], ms, task);
    return true;
  }

  #write(entry: Entry): void {
    if (this.#count++ === 0) this.#firstAt = this.#before = entry.at;
    const ms = entry.at - this.#before;
    this.#before = entry.at;
    this.#rows.row(rowOf(entry, ms, this.#placeOf, this.#show));
  }

  /** The JSON, as pieces of UTF-8; at least one entry must have been written, and none is written after it. */
  finish(): Uint8Array<ArrayBuffer>[] {
    this.#rows.endPack();
    const head = encoder.encode(`{"from":${this.#from},"at":${this.#firstAt},"rows":[`);
    const tail = encoder.encode(`],"to":${this.#from + this.#count - 1}}`);
    return [head, this.#rows.written, tail];
  }
}

const encoder = new TextEncoder();

/** Writes entries as the JSON of `EntryRows`; at least one. */
export function writeRows(entries: readonly Entry[], placeOf: PlaceOf, show: ShowEntry): string {
  const writer = new RowWriter(entries[0]?.seq ?? 1, [], placeOf, show);
  for (const entry of entries) writer.entry(entry);
  const decoder = new TextDecoder();
  return writer
    .finish()
    .map((piece) => decoder.decode(piece))
    .join('');
}

function rowOf(entry: Entry, ms: number, placeOf: PlaceOf, show: ShowEntry): string {
  const number = numberOfType.get(entry.type) ?? entry.type;
  const head = `[${typeof number === 'number' ? number : JSON.stringify(number)},${ms}`;
  const task = 'taskId' in entry ? `,${taskText(entry.taskId, placeOf)}` : '';
  switch (entry.type) {
    case 'task.ready':
      return `${head}${task}]`;
    case 'task.started':
      return `${head}${task},${entry.attempt}]`;
    case 'task.done': {
      const isPlain = entry.output === undefined && !tellsOfChild(entry);
      const { output, child, undo, childRunId } = isPlain ? entry : show(entry);
      const others =
        undo === undefined && childRunId === undefined ? '' : `,${JSON.stringify({ undo, childRunId })}`;
      const counts = child === undefined && others === '' ? '' : `,${JSON.stringify(child ?? null)}${others}`;
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

/** Whether the end of a task says something of its child run. */
function tellsOfChild({ child, undo, childRunId }: Extract<Entry, { type: 'task.done' }>): boolean {
  return child !== undefined || undo !== undefined || childRunId !== undefined;
}

function taskText(taskId: string, placeOf: PlaceOf): string {
  const place = placeOf(taskId);
  return place < 0 ? JSON.stringify(taskId) : String(place);
}
