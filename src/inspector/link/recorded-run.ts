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
import { type EntryRow, type EntryRows, readRows } from '../rows.ts';
import { RunDigest } from '../sources/digest.ts';
import { commandsFor } from '../sources/journal-run.ts';
import { Outcomes } from '../sources/outcome.ts';
import type { Batch, LogBatch, ShownRun, ValueQuery } from '../sources/source.ts';

/** Rows of consecutive entries, as JSON. */
interface Chunk {
  readonly from: number;
  readonly to: number;
  readonly text: string;
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
  #structure: Structure;
  #ids: readonly string[];
  readonly #chunks: Chunk[] = [];
  readonly #lines: LogLine[] = [];
  #lastLine = 0;
  /** Characters that it holds, about. */
  size = 0;
  #structureSize = 0;
  /** `seq` of the last entry received. */
  seq = 0;
  /** Entries that never came, or are gone. */
  dropped = 0;

  constructor(program: ProgramOfRun, structure: Structure) {
    this.id = structure.id;
    this.#program = program;
    this.#structure = structure;
    this.#ids = [];
    this.restructure(structure);
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
  restructure(structure: Structure): void {
    const ids = structure.tasks.map(({ id }) => id);
    // Rows name tasks by their place: those that were written for other places are written anew.
    if (this.#chunks.length > 0 && !areSame(ids, this.#ids)) this.#rewrite(ids);
    this.#structure = { ...structure, source: this.#program.source };
    this.#ids = ids;
    this.size -= this.#structureSize;
    this.#structureSize = JSON.stringify(structure).length;
    this.size += this.#structureSize;
  }

  /** Takes rows; those that are there already are left out, and those that are missing before them stay so. */
  take(rows: EntryRows): void {
    const fresh = dropRows(rows, this.seq - rows.from + 1);
    if (fresh.rows.length === 0) return;
    const entries = readRows(fresh, this.id, this.#ids);
    for (const entry of entries) this.digest.apply(entry);
    this.dropped += fresh.from - this.seq - 1;
    this.seq = fresh.from + fresh.rows.length - 1;
    const chunk = { from: fresh.from, to: this.seq, text: JSON.stringify(fresh) };
    this.#chunks.push(chunk);
    this.size += chunk.text.length;
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
    this.size -= chunk.text.length;
    this.dropped += chunk.to - chunk.from + 1;
  }

  listed(): ListedRun {
    const listed = this.digest.listed(this.#program.source, this.id, this.#structure.tasks.length);
    return listed.flow === '' ? { ...listed, flow: this.#structure.run.flow } : listed;
  }

  structure(): Structure {
    const run = this.listed();
    const commands = this.#program.isHere ? commandsFor(run) : [];
    const children = this.children();
    const known = Object.keys(children).length === 0 ? {} : { children };
    return { ...this.#structure, run, now: Date.now(), commands, ...known };
  }

  children(): ChildRuns {
    return this.#program.childrenOf(this.id);
  }

  /** Its tasks by how they ended. */
  get counts(): ChildCounts {
    return this.digest.counts(this.#structure.tasks.length);
  }

  cells(): ReadonlyMap<string, GridCell> {
    const outcomes = new Outcomes();
    for (const { text } of this.#chunks)
      for (const entry of readRows(JSON.parse(text), this.id, this.#ids)) outcomes.apply(entry);
    return outcomes.cells();
  }

  read(after: number): Batch {
    const chunk = this.#chunks[this.#placeOf(after)];
    if (chunk === undefined) return this.#missing(after, this.seq);
    if (chunk.from > after + 1) {
      const gap = this.#missing(after, chunk.from - 1);
      return { feed: [...gap.feed, `{"entries":${chunk.text}}`], to: chunk.to };
    }
    const text =
      chunk.from === after + 1
        ? chunk.text
        : JSON.stringify(dropRows(JSON.parse(chunk.text), after - chunk.from + 1));
    return { feed: [`{"entries":${text}}`], to: chunk.to };
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

  #missing(after: number, to: number): Batch {
    return to <= after
      ? { feed: [], to: after }
      : { feed: [JSON.stringify({ gap: { from: after + 1, to } })], to };
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
      const { from, at, rows } = JSON.parse(chunk.text) as EntryRows;
      const moved = rows.map((row) => movedRow(row, this.#ids, places));
      const text = JSON.stringify({ from, at, rows: moved });
      this.size += text.length - chunk.text.length;
      this.#chunks[index] = { ...chunk, text };
    }
  }
}

/** A row for a structure in which its task has another place, or none. */
function movedRow(row: EntryRow, ids: readonly string[], places: ReadonlyMap<string, number>): EntryRow {
  const id = typeof row[2] === 'number' ? ids[row[2]] : row[2];
  if (typeof id !== 'string') return row;
  return [row[0], row[1], places.get(id) ?? id, ...row.slice(3)];
}

/** Rows without the first ones. */
function dropRows({ from, at, rows }: EntryRows, count: number): EntryRows {
  if (count <= 0) return { from, at, rows };
  const left = rows.slice(count);
  const first = left[0];
  if (first === undefined) return { from: from + rows.length, at, rows: [] };
  let now = at;
  for (const row of rows.slice(0, count + 1)) now += row[1];
  return { from: from + count, at: now, rows: [[first[0], 0, ...first.slice(2)], ...left.slice(1)] };
}

function areSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, place) => id === b[place]);
}
