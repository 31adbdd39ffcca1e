import { Problem } from '../../http/problem.ts';
import type { MaybePromise } from '../../index.ts';
import type { ChildCounts } from '../../model/journal.ts';
import type {
  ChildRuns,
  CommandRequest,
  GridCell,
  ListedRun,
  LogLine,
  Structure,
  ValuePage,
} from '../protocol.ts';
import { type EntryRow, type EntryRows, readRows, rowsAfter, unpackedRows } from '../rows.ts';
import { RunDigest } from '../sources/digest.ts';
import { commandsFor } from '../sources/journal-run.ts';
import { Outcomes } from '../sources/outcome.ts';
import type { Batch, LogBatch, ShownRun, ValueQuery } from '../sources/source.ts';
import type { TasklessStructure } from './link-protocol.ts';
import type { TaskList } from './task-lists.ts';

/** Rows of consecutive entries, as JSON in UTF-8. */
interface Chunk {
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** How a run reaches the program that it is of. */
export interface ProgramOfRun {
  readonly source: string;
  readonly isHere: boolean;
  childrenOf(id: string): ChildRuns;
  ask(type: 'page' | 'whole', id: string, query: ValueQuery): Promise<unknown>;
  command(id: string, request: CommandRequest): Promise<void>;
}

/** Lines of log that are kept of a run. */
const mostLines = 1_000;

/** A run of another process, as far as that has sent it. */
export class RecordedRun implements ShownRun {
  readonly id: string;
  readonly digest = new RunDigest();
  readonly #program: ProgramOfRun;
  #structure: TasklessStructure;
  #list: TaskList;
  readonly #chunks: Chunk[] = [];
  readonly #lines: LogLine[] = [];
  #lastLine = 0;
  /** Characters that it holds, about. */
  size = 0;
  /** `seq` of the last entry received. */
  seq = 0;
  /** Entries that never came, or are gone. */
  dropped = 0;

  constructor(program: ProgramOfRun, structure: TasklessStructure, list: TaskList) {
    this.id = structure.id;
    this.#program = program;
    this.#structure = { ...structure, source: program.source };
    this.#list = list;
  }

  /** Its tasks, which other runs may share: `size` is without them. */
  get list(): TaskList {
    return this.#list;
  }

  get isSettled(): boolean {
    return this.digest.isSettled;
  }

  get lastLine(): number {
    return this.#lastLine;
  }

  /** Number of chunks that could be dropped. */
  get chunkCount(): number {
    return this.#chunks.length;
  }

  /** Takes another structure of the run. */
  restructure(structure: TasklessStructure, list: TaskList): void {
    // Rows name tasks by their place: those that were written for other places are written anew.
    if (this.#chunks.length > 0 && !areSame(list.ids, this.#list.ids)) this.#rewrite(list.ids);
    this.#structure = { ...structure, source: this.#program.source };
    this.#list = list;
  }

  /** Takes rows; those that are there already are left out, and those that are missing before them stay so. */
  take(rows: EntryRows): void {
    const fresh = rowsAfter(rows, this.seq);
    if (fresh === undefined) return;
    const entries = readRows(fresh, this.id, this.#list.ids);
    for (const entry of entries) this.digest.apply(entry);
    this.dropped += fresh.from - this.seq - 1;
    this.seq = fresh.to;
    const chunk = { from: fresh.from, to: this.seq, bytes: bytesOf(fresh) };
    this.#chunks.push(chunk);
    this.size += chunk.bytes.length;
  }

  takeLines(lines: readonly LogLine[]): void {
    for (const line of lines) {
      if (line.n <= this.#lastLine) continue;
      this.#lastLine = line.n;
      this.#lines.push(line);
      this.size += JSON.stringify(line).length;
    }
    while (this.#lines.length > mostLines) this.size -= JSON.stringify(this.#lines.shift()).length;
  }

  /** Drops the oldest entries that it holds. */
  dropChunk(): void {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return;
    this.size -= chunk.bytes.length;
    this.dropped += chunk.to - chunk.from + 1;
  }

  listed(): ListedRun {
    const listed = this.digest.listed(this.#program.source, this.id, this.#list.ids.length);
    return listed.flow === '' ? { ...listed, flow: this.#structure.run.flow } : listed;
  }

  structure(): Structure {
    const run = this.listed();
    const commands = this.#program.isHere ? commandsFor(run, this.#list.tasks) : [];
    const children = this.children();
    const known = Object.keys(children).length === 0 ? {} : { children };
    const { tasks } = this.#list;
    return { ...this.#structure, tasks, run, now: Date.now(), commands, ...known };
  }

  children(): ChildRuns {
    return this.#program.childrenOf(this.id);
  }

  /** Its tasks by how they ended. */
  get counts(): ChildCounts {
    return this.digest.counts(this.#list.ids.length);
  }

  cells(): ReadonlyMap<string, GridCell> {
    const outcomes = new Outcomes();
    for (const chunk of this.#chunks)
      for (const entry of readRows(rowsIn(chunk), this.id, this.#list.ids)) outcomes.apply(entry);
    return outcomes.cells();
  }

  read(after: number): Batch {
    const chunk = this.#chunks[this.#placeOf(after)];
    if (chunk === undefined) return { ...missing(after, this.seq), to: Math.max(after, this.seq) };
    const { from, to, bytes } = chunk;
    if (from > after) return { ...missing(after, from - 1), entries: [bytes], to };
    const rest = rowsAfter(rowsIn(chunk), after);
    return { entries: rest && [bytesOf(rest)], to };
  }

  logs(after: number): LogBatch {
    const lines = this.#lines.filter(({ n }) => n > after);
    const to = Math.max(after, this.#lastLine);
    return { lines, dropped: Math.max(0, to - after - lines.length), to };
  }

  page(query: ValueQuery): MaybePromise<ValuePage> {
    return this.#program.ask('page', this.id, query) as Promise<ValuePage>;
  }

  async whole(query: ValueQuery): Promise<string> {
    const text = await this.#program.ask('whole', this.id, query);
    if (typeof text === 'string') return text;
    throw new Problem(502, 'The program has sent something else than the value.');
  }

  command(request: CommandRequest): Promise<void> {
    return this.#program.command(this.id, request);
  }

  /** The place of the first chunk with entries above `after`. */
  #placeOf(after: number): number {
    let [low, high] = [0, this.#chunks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#chunks[middle] as Chunk).to > after) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #rewrite(ids: readonly string[]): void {
    const places = new Map(ids.map((id, place) => [id, place]));
    for (const [index, chunk] of this.#chunks.entries()) {
      const { rows, ...stamp } = rowsIn(chunk);
      const moved = unpackedRows(rows).map((row) => movedRow(row, this.#list.ids, places));
      const bytes = bytesOf({ ...stamp, rows: moved });
      this.size += bytes.length - chunk.bytes.length;
      this.#chunks[index] = { ...chunk, bytes };
    }
  }
}

function bytesOf(rows: EntryRows): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(rows));
}

function rowsIn({ bytes }: Chunk): EntryRows {
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** The gap above an entry up to another, if there is one. */
function missing(after: number, to: number): Pick<Batch, 'gap'> {
  return to <= after ? {} : { gap: { from: after + 1, to } };
}

/** A row for a structure in which its task has another place, or none. */
function movedRow(row: EntryRow, ids: readonly string[], places: ReadonlyMap<string, number>): EntryRow {
  const id = typeof row[2] === 'number' ? ids[row[2]] : row[2];
  if (typeof id !== 'string') return row;
  return [row[0], row[1], places.get(id) ?? id, ...row.slice(3)];
}

function areSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, place) => id === b[place]);
}
