import { EntryList, type EntryVisitor, type Step } from '../../model/entry-list.ts';
import type { Entry } from '../../model/journal.ts';
import { endingOf } from '../../model/summary.ts';
import type { Append, ValueFormat } from '../store.ts';
import { bytesOf, JsonText } from './json-text.ts';
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

const OPEN = 0x5b;
const CLOSE = 0x5d;
const readyStart = bytesOf('["ready",');
const startedStart = bytesOf('["started",');
const doneStart = bytesOf('["done",');

/** The JSON of ids, and a comma. All runs of a flow share the list of its ids. */
const quotedIds = new WeakMap<readonly string[], Uint8Array[]>();

/** Makes rows of appends; one at a time. */
export class RowWriter implements EntryVisitor {
  readonly #format: ValueFormat;
  readonly #text = new JsonText();
  #given: Append | undefined;
  #list: EntryList | undefined;
  #ids: readonly string[] = [];
  #quoted: Uint8Array[] = [];
  #seq = 0;
  #at = 0;
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
    // A value that was refused has left a part of its row.
    this.#text.clear();
    if (this.#list !== undefined) this.#list.visit(from, to, this);
    else {
      const { entries, expectedSeq } = given;
      for (const entry of entries.slice(from - expectedSeq, to - expectedSeq)) this.entry(entry);
    }
    this.#text.char(CLOSE);
    return { seq: to, at: this.#at, text: this.#text.take() };
  }

  step(type: Step, at: number, task: number, attempt: number, output: unknown): void {
    this.#next(at);
    const ms = at - this.#at;
    if (!isExact(this.#at, ms)) return this.#addObject((this.#list as EntryList).get(this.#seq));
    this.#quoted[task] ??= quoted(this.#ids[task] as string);
    this.#addStep(type, this.#quoted[task], ms, attempt, output);
  }

  entry(entry: Entry): void {
    this.#next(entry.at);
    const { type, at } = entry;
    if (type === 'run.started') this.#start = { flow: entry.flow, at };
    const ending = endingOf(entry);
    this.#end = ending && { ending, at };
    const ms = at - this.#at;
    const isStep =
      type === 'task.ready' ||
      type === 'task.started' ||
      (type === 'task.done' && entry.child === undefined && entry.undo === undefined);
    if (!isStep || !isExact(this.#at, ms)) return this.#addObject(entry);
    const attempt = type === 'task.ready' ? 0 : entry.attempt;
    const output = type === 'task.done' ? entry.output : undefined;
    this.#addStep(type, quoted(entry.taskId), ms, attempt, output);
  }

  #next(at: number): void {
    if (this.#text.isEmpty) {
      this.#text.char(OPEN);
      this.#at = at;
    } else this.#text.comma();
    this.#seq++;
  }

  #addStep(type: Step, task: Uint8Array, ms: number, attempt: number, output: unknown): void {
    this.#end = undefined;
    const text = this.#text;
    text.bytes(type === 'task.done' ? doneStart : type === 'task.started' ? startedStart : readyStart);
    text.bytes(task);
    text.number(ms);
    if (type !== 'task.ready') {
      text.comma();
      text.number(attempt);
    }
    if (type === 'task.done') {
      this.#settles = true;
      if (output !== undefined) {
        text.comma();
        text.text(this.#valueText(output));
      }
    }
    text.char(CLOSE);
  }

  #addObject(entry: Entry): void {
    if (settling.has(entry.type)) this.#settles = true;
    const { type, at, seq, runId, input, output, reason, ...rest } = entry as Entry & Values;
    const text = this.#text;
    text.text(`{"type":"${type}","at":`);
    text.number(at);
    const more = JSON.stringify(rest);
    if (more !== '{}') {
      text.comma();
      text.text(more.slice(1, -1));
    }
    this.#addValue('output', output);
    this.#addValue('input', input);
    this.#addValue('reason', reason);
    text.text('}');
  }

  #addValue(name: string, value: unknown): void {
    if (value === undefined) return;
    this.#text.text(`,"${name}":`);
    this.#text.text(this.#valueText(value));
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

function quoted(id: string): Uint8Array {
  return bytesOf(`${JSON.stringify(id)},`);
}

function quotedFor(ids: readonly string[]): Uint8Array[] {
  let all = quotedIds.get(ids);
  if (all === undefined) {
    all = [];
    quotedIds.set(ids, all);
  }
  return all;
}
