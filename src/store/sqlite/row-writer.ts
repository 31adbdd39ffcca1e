import { EntryList, type EntryVisitor, type Step } from '../../model/entry-list.ts';
import type { Entry } from '../../model/journal.ts';
import { pick } from '../../model/record.ts';
import type { SettledRunStatus } from '../../model/status.ts';
import type { Append, ValueFormat } from '../store.ts';
import type { News, Row, RunEnd, RunStart } from './row.ts';
import { isJson, jsonOf } from './value-text.ts';

const endings: Readonly<Record<string, SettledRunStatus | undefined>> = {
  'run.done': 'done',
  'run.failed': 'failed',
  'run.cancelled': 'cancelled',
};

const settling: ReadonlySet<Entry['type']> = new Set([
  'task.done',
  'task.failed',
  'task.skipped',
  'task.upstream_failed',
  'task.cancelled',
]);

/** The most entries in a row. */
const maxEntries = 2_000;

/** The JSON of ids. All runs of a flow share the list of its ids. */
const quotedIds = new WeakMap<readonly string[], string[]>();

/** Makes rows of appends; one at a time. */
export class RowWriter implements EntryVisitor {
  readonly #format: ValueFormat | undefined;
  #given: Append | undefined;
  #list: EntryList | undefined;
  #ids: readonly string[] = [];
  #quoted: string[] = [];
  #seq = 0;
  #at = 0;
  #text = '';
  #settles = false;
  #start: RunStart | undefined;
  #end: RunEnd | undefined;

  constructor(format: ValueFormat | undefined) {
    this.#format = format;
  }

  /**
   * A row for an append; more for a very long one, so that no row takes long to read. Throws `StoreError` `value`, or
   * the error of the format, if a value cannot be written.
   */
  write(given: Append): { readonly rows: readonly Row[]; readonly news: News } {
    const { journal, expectedSeq, seq } = given;
    this.#given = given;
    this.#seq = expectedSeq;
    this.#settles = false;
    this.#start = this.#end = undefined;
    this.#list = journal instanceof EntryList ? journal : undefined;
    if (this.#list !== undefined) {
      this.#ids = this.#list.ids;
      this.#quoted = quotedFor(this.#ids);
    }
    const rows: Row[] = [];
    for (let from = expectedSeq; from < seq; from += maxEntries)
      rows.push(this.#row(from, Math.min(from + maxEntries, seq), given));
    this.#given = undefined;
    return { rows, news: { settles: this.#settles, start: this.#start, end: this.#end } };
  }

  #row(from: number, to: number, given: Append): Row {
    this.#text = '';
    if (this.#list !== undefined) this.#list.visit(from, to, this);
    else {
      const { entries, expectedSeq } = given;
      for (const entry of entries.slice(from - expectedSeq, to - expectedSeq)) this.entry(entry);
    }
    const text = `${this.#text}]`;
    this.#text = '';
    return { seq: to, at: this.#at, text };
  }

  step(type: Step, at: number, task: number, attempt: number, output: unknown): void {
    this.#next(at);
    const ms = at - this.#at;
    if (!isExact(this.#at, ms)) return this.#addObject((this.#list as EntryList).get(this.#seq));
    this.#quoted[task] ??= JSON.stringify(this.#ids[task]);
    this.#addStep(type, this.#quoted[task], ms, attempt, output);
  }

  entry(entry: Entry): void {
    this.#next(entry.at);
    const { type, at } = entry;
    if (type === 'run.started') this.#start = { flow: entry.flow, at };
    const ending = endings[type];
    this.#end = ending && { ending, at };
    const ms = at - this.#at;
    if ((type === 'task.ready' || type === 'task.started' || type === 'task.done') && isExact(this.#at, ms)) {
      const attempt = type === 'task.ready' ? 0 : entry.attempt;
      const output = type === 'task.done' ? entry.output : undefined;
      this.#addStep(type, JSON.stringify(entry.taskId), ms, attempt, output);
    } else this.#addObject(entry);
  }

  #next(at: number): void {
    if (this.#text === '') {
      this.#text = '[';
      this.#at = at;
    } else this.#text += ',';
    this.#seq++;
  }

  #addStep(type: Step, task: string, ms: number, attempt: number, output: unknown): void {
    this.#end = undefined;
    if (type === 'task.ready') this.#text += `["ready",${task},${ms}]`;
    else if (type === 'task.started') this.#text += `["started",${task},${ms},${attempt}]`;
    else {
      this.#settles = true;
      if (output === undefined) this.#text += `["done",${task},${ms},${attempt}]`;
      else {
        const value = this.#valueText(output);
        this.#text += isJson(value)
          ? `["done",${task},${ms},${attempt},${value}]`
          : `["done*",${task},${ms},${attempt},${JSON.stringify(value)}]`;
      }
    }
  }

  #addObject(entry: Entry): void {
    if (settling.has(entry.type)) this.#settles = true;
    const { seq, runId, input, output, reason, ...rest } = entry as Entry & Values;
    const fields = jsonOf(rest).slice(0, -1);
    const outputs = entry.type === 'run.done' ? this.#outputsOf(entry.output) : undefined;
    this.#text += fields;
    if (outputs !== undefined) this.#text += `,"outputs":${JSON.stringify(outputs)}`;
    else if (output !== undefined) this.#addValue('output', output);
    if (input !== undefined) this.#addValue('input', input);
    if (reason !== undefined) this.#addValue('reason', reason);
    this.#text += '}';
  }

  #addValue(name: string, value: unknown): void {
    const text = this.#valueText(value);
    this.#text += isJson(text) ? `,"${name}":${text}` : `,"${name}*":${JSON.stringify(text)}`;
  }

  #valueText(value: unknown): string {
    const text = this.#given?.textAt?.(this.#seq);
    if (text !== undefined) return text;
    return this.#format === undefined ? jsonOf(value) : this.#format.write(value);
  }

  /** What stands for a value that is the record of all tasks' outputs; `undefined` if it is anything else. */
  #outputsOf(value: unknown): true | string[] | undefined {
    if (this.#list === undefined || typeof value !== 'object' || value === null) return undefined;
    if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
    const record = value as Readonly<Record<string, unknown>>;
    const doneAt = this.#list.doneAt(this.#seq);
    const ids: string[] = [];
    let last = 0;
    let isInOrder = true;
    for (const [task, seq] of doneAt.entries()) {
      if (seq === 0) continue;
      const id = this.#ids[task] as string;
      const entry = this.#list.get(seq) as Entry & Values;
      if (!Object.hasOwn(record, id) || !Object.is(pick(record, id), entry.output)) return undefined;
      ids.push(id);
      isInOrder &&= seq > last;
      last = seq;
    }
    if (Object.keys(record).length !== ids.length || ids.length === 0) return undefined;
    return isInOrder ? true : ids;
  }
}

interface Values {
  readonly input?: unknown;
  readonly output?: unknown;
  readonly reason?: unknown;
}

/** Whether adding the milliseconds to the instant gives the exact sum. */
function isExact(at: number, ms: number): boolean {
  return Number.isSafeInteger(at) && Number.isSafeInteger(ms);
}

function quotedFor(ids: readonly string[]): string[] {
  let quoted = quotedIds.get(ids);
  if (quoted === undefined) {
    quoted = [];
    quotedIds.set(ids, quoted);
  }
  return quoted;
}
