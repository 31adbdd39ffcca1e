import { Problem } from '../../http/problem.ts';
import { isChildId, parentIdOf, placeOf } from '../../model/child-id.ts';
import type { ChildRun, ChildRuns, CommandRequest, Dropped, LogLine, SourceInfo } from '../protocol.ts';
import { SourceListeners } from '../sources/listeners.ts';
import {
  type ListQuery,
  nothingDropped,
  type PlacedRun,
  type ShownRun,
  type Source,
  type SourceListener,
  type ValueQuery,
} from '../sources/source.ts';
import type { FromProgram, TasklessStructure, ToProgram } from './link-protocol.ts';
import { isLogLine, readEntryRows } from './read-link.ts';
import { type ProgramOfRun, RecordedRun } from './recorded-run.ts';
import { type TaskList, TaskLists } from './task-lists.ts';

/** What a program says of itself. */
export type ProgramHello = Extract<FromProgram, { type: 'hello' }>;

/** How messages reach a connected program. */
export type TellProgram = (message: ToProgram) => void;

/** How long a program may take to answer. */
const patienceMs = 10_000;
const mostAsked = 256;

interface Question {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** The runs of a program that connects, as far as it has sent them. They stay when it is gone. */
export class ProgramSource implements Source, ProgramOfRun {
  readonly id: string;
  readonly #name: string;
  readonly #pid: number | undefined;
  readonly #since = Date.now();
  readonly #listeners = new SourceListeners();
  /** In the order in which they came. */
  readonly #runs = new Map<string, RecordedRun>();
  readonly #places = new Map<string, number>();
  /** The ids of the child runs of each run. */
  readonly #childIds = new Map<string, Set<string>>();
  #lastPlace = 0;
  #tell: TellProgram | undefined;
  #reconnects = -1;
  #droppedThere: Dropped = nothingDropped;
  #droppedRuns = 0;
  #droppedEntries = 0;
  readonly #lists = new TaskLists();
  readonly #questions = new Map<number, Question>();
  #lastQuestion = 0;

  constructor(id: string, { name, pid }: ProgramHello) {
    this.id = id;
    this.#name = name;
    this.#pid = pid;
  }

  get source(): string {
    return this.id;
  }

  get isHere(): boolean {
    return this.#tell !== undefined;
  }

  /** Characters that it holds, about. */
  get size(): number {
    let size = 0;
    const lists = new Set<TaskList>(this.#lists.all());
    for (const run of this.#runs.values()) {
      size += run.size + 500;
      lists.add(run.list);
    }
    for (const list of lists) size += list.size;
    return size;
  }

  /** It has connected, perhaps again. */
  connect(tell: TellProgram): void {
    this.#tell = tell;
    this.#reconnects++;
    const have: Record<string, readonly [number, number]> = {};
    for (const [id, run] of this.#runs) have[id] = [run.seq, run.lastLine];
    tell({ type: 'welcome', have });
    this.#listeners.informed();
    for (const id of this.#runs.keys()) this.#listeners.renewed(id);
  }

  /** Its connection has ended. */
  disconnect(): void {
    this.#tell = undefined;
    this.#lists.clear();
    for (const n of [...this.#questions.keys()])
      this.#settle(n)?.reject(new Problem(503, 'The program has gone.'));
    this.#listeners.informed();
    for (const id of this.#runs.keys()) this.#listeners.renewed(id);
  }

  /** Takes a message. Throws where it makes no sense. */
  take(message: FromProgram): void {
    switch (message.type) {
      case 'tasks':
        return this.#lists.take(message);
      case 'run':
        return this.#takeRun(message.structure, this.#lists.get(message.list));
      case 'feed':
        return this.#takeFeed(message.id, message.feed);
      case 'dropped':
        this.#droppedThere = message.dropped;
        return this.#listeners.informed();
      case 'answer':
        return this.#settle(message.n)?.resolve(message.value);
      case 'refusal':
        return this.#settle(message.n)?.reject(new Problem(message.status, message.detail));
      case 'hello':
        throw new Error('A program says hello once');
    }
  }

  /** Drops something to save memory: a settled run, else the oldest part of the largest run. Returns whether it could. */
  shrink(): boolean {
    for (const [id, run] of this.#runs) if (run.isSettled && !isChildId(id)) return this.#drop(id);
    let largest: RecordedRun | undefined;
    for (const run of this.#runs.values())
      if (largest === undefined || run.size > largest.size) largest = run;
    if (largest === undefined) return this.#lists.clear();
    if (largest.chunkCount < 2) return this.#drop(largest.id);
    const before = largest.dropped;
    largest.dropChunk();
    this.#droppedEntries += largest.dropped - before;
    this.#listeners.informed();
    return true;
  }

  info(): SourceInfo {
    const { runs, entries, logs } = this.#droppedThere;
    return {
      id: this.id,
      name: this.#name,
      kind: 'program',
      state: this.isHere ? 'here' : 'gone',
      ...(this.#pid === undefined ? {} : { pid: this.#pid }),
      since: this.#since,
      reconnects: Math.max(0, this.#reconnects),
      dropped: { runs: runs + this.#droppedRuns, entries: entries + this.#droppedEntries, logs },
    };
  }

  list({ flow, before = Number.POSITIVE_INFINITY, limit }: ListQuery): readonly PlacedRun[] {
    const placed: PlacedRun[] = [];
    for (const [id, run] of [...this.#runs].reverse()) {
      const place = this.#places.get(id) as number;
      if (place >= before || isChildId(id)) continue;
      const listed = run.listed();
      if (flow === undefined || listed.flow === flow) placed.push({ place, run: listed });
      if (placed.length >= limit) break;
    }
    return placed;
  }

  open(runId: string): ShownRun | undefined {
    return this.#runs.get(runId);
  }

  listen(listener: SourceListener): () => void {
    return this.#listeners.add(listener);
  }

  close(): void {
    this.disconnect();
  }

  ask(type: 'page' | 'whole', id: string, query: ValueQuery): Promise<unknown> {
    return this.#question((n) => ({ type, n, id, query }));
  }

  childrenOf(id: string): ChildRuns {
    const children: Record<string, ChildRun> = Object.create(null);
    const lives = new Map<string, number>();
    for (const childId of this.#childIds.get(id) ?? []) {
      const run = this.#runs.get(childId);
      const place = placeOf(childId);
      if (run === undefined || place === undefined || place.life < (lives.get(place.taskId) ?? 0)) continue;
      lives.set(place.taskId, place.life);
      children[place.taskId] = { id: childId, counts: run.counts };
    }
    return children;
  }

  async command(id: string, request: CommandRequest): Promise<void> {
    await this.#question((n) => ({ type: 'command', n, id, request }));
  }

  #question(message: (n: number) => ToProgram): Promise<unknown> {
    if (this.#tell === undefined)
      throw new Problem(409, 'The program that has the run is gone: only what it sent is here.');
    if (this.#questions.size >= mostAsked) throw new Problem(503, 'The program has too much to answer.');
    const n = ++this.#lastQuestion;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(
      () => this.#settle(n)?.reject(new Problem(504, 'The program does not answer.')),
      patienceMs,
    );
    timer.unref();
    this.#questions.set(n, { resolve, reject, timer });
    this.#tell(message(n));
    return promise;
  }

  #settle(n: number): Question | undefined {
    const question = this.#questions.get(n);
    this.#questions.delete(n);
    clearTimeout(question?.timer);
    return question;
  }

  #takeRun(structure: TasklessStructure, list: TaskList): void {
    const { id } = structure;
    const run = this.#runs.get(id);
    if (run === undefined) {
      this.#runs.set(id, new RecordedRun(this, structure, list));
      this.#places.set(id, ++this.#lastPlace);
      if (isChildId(id)) {
        const siblings = this.#childIds.get(parentIdOf(id)) ?? new Set();
        this.#childIds.set(parentIdOf(id), siblings.add(id));
      }
    } else run.restructure(structure, list);
    this.#listeners.renewed(id);
    this.#listeners.changed(id);
  }

  #takeFeed(id: string, feed: readonly unknown[]): void {
    const run = this.#runs.get(id);
    // It was dropped to save memory, and is not begun again in its middle.
    if (run === undefined) return;
    const before = run.dropped;
    for (const line of feed) {
      const { entries, logs } = line as { readonly entries?: unknown; readonly logs?: unknown };
      const rows = entries === undefined ? undefined : readEntryRows(entries);
      if (rows !== undefined) run.take(rows);
      else if (Array.isArray(logs)) run.takeLines(logs.filter((line): line is LogLine => isLogLine(line)));
      else throw new Error('A feed has entries or logs');
    }
    if (run.dropped > before) {
      this.#droppedEntries += run.dropped - before;
      this.#listeners.informed();
    }
    this.#listeners.changed(id);
  }

  #drop(id: string): boolean {
    for (const childId of this.#childIds.get(id) ?? []) this.#drop(childId);
    this.#childIds.delete(id);
    this.#childIds.get(parentIdOf(id))?.delete(id);
    this.#runs.delete(id);
    this.#places.delete(id);
    this.#droppedRuns++;
    this.#listeners.removed([id]);
    this.#listeners.informed();
    return true;
  }
}
