import { EntryList, type EntryVisitor, type Step } from '../../model/entry-list.ts';
import type { Entry } from '../../model/journal.ts';
import { endingOf } from '../../model/summary.ts';
import type { Append, ValueFormat } from '../store.ts';
import type { News, Row, RunEnd, RunStart } from './row.ts';

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
  readonly #format: ValueFormat;
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

  constructor(format: ValueFormat) {
    this.#format = format;
  }

  /**
   * A row for an append; more for a very long one, so that no row takes long to read. Throws the error
   * of the format if a value cannot be written.
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
    const ending = endingOf(type);
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
      const value = output === undefined ? '' : `,${this.#valueText(output)}`;
      this.#text += `["done",${task},${ms},${attempt}${value}]`;
    }
  }

  #addObject(entry: Entry): void {
    if (settling.has(entry.type)) this.#settles = true;
    const { seq, runId, input, output, reason, ...rest } = entry as Entry & Values;
    const fields = JSON.stringify(rest).slice(0, -1);
    this.#text += fields;
    if (output !== undefined) this.#addValue('output', output);
    if (input !== undefined) this.#addValue('input', input);
    if (reason !== undefined) this.#addValue('reason', reason);
    this.#text += '}';
  }

  #addValue(name: string, value: unknown): void {
    this.#text += `,"${name}":${this.#valueText(value)}`;
  }

  #valueText(value: unknown): string {
    return this.#given?.textAt?.(this.#seq) ?? this.#format.write(value);
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
