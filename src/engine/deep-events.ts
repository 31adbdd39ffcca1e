import { childIdOf, depthOf } from '../model/child-id.ts';
import { isChildBody, type TaskDefinition } from '../model/definition.ts';
import { Heap, type HeapItem } from '../model/heap.ts';
import type { Entry } from '../model/journal.ts';
import type { RunJournal } from './run-journal.ts';

/** Where the reading of a journal stands. */
class Reading implements HeapItem {
  place = -1;
  readonly journal: RunJournal;
  readonly depth: number;
  /** `seq` of the last entry read. */
  seq = 0;
  /** The last attempt of the parent's task that was read; entries of later ones come after its start. */
  attempt: number;
  next: Entry | undefined;

  constructor(journal: RunJournal, depth: number, attempt: number) {
    this.journal = journal;
    this.depth = depth;
    this.attempt = attempt;
  }

  /** Looks for the next entry. Returns whether it may be read now. */
  look(): boolean {
    this.next = this.seq < this.journal.keptSeq ? this.journal.entry(this.seq + 1) : undefined;
    const later = this.next?.type === 'task.rerun' ? (this.next.parent?.attempt ?? 0) : 0;
    return this.next !== undefined && later <= this.attempt;
  }
}

/** The earlier entry first; at one instant, that of a child before that of its parent, which waits for it. */
function comesFirst(a: Reading, b: Reading): boolean {
  const [one, other] = [a.next as Entry, b.next as Entry];
  return one.at === other.at ? a.depth > b.depth : one.at < other.at;
}

/**
 * Reads the journals of a run and of all below it as one: by their instants, a child's entries between the start and the
 * end of the attempt whose body it is. Continues with what is kept later.
 */
export class DeepReader {
  readonly #readings = new Map<string, Reading>();
  readonly #ready = new Heap<Reading>(comesFirst);
  /** Child runs whose task has started, with the attempt; they may have no journal yet. */
  readonly #started = new Map<string, number>();
  readonly #find: (runId: string) => Promise<RunJournal | undefined>;

  /** @param find the journal of a child run */
  constructor(journal: RunJournal, find: (runId: string) => Promise<RunJournal | undefined>) {
    this.#find = find;
    this.#open(journal, 0, 1);
  }

  /** Notes that a run has more entries. */
  async more(runId: string): Promise<void> {
    const reading = this.#readings.get(runId);
    if (reading !== undefined) this.#place(reading);
    else await this.#openChild(runId);
  }

  /** The next entry; `undefined` if all that is kept has been read. */
  async next(): Promise<Entry | undefined> {
    const reading = this.#ready.first;
    if (reading === undefined) return undefined;
    const entry = reading.next as Entry;
    reading.seq++;
    this.#place(reading);
    if (entry.type === 'task.started') await this.#noteStarted(reading, entry);
    return entry;
  }

  async #noteStarted({ journal }: Reading, entry: Extract<Entry, { type: 'task.started' }>): Promise<void> {
    const { definition } = journal;
    const task = definition.graph.indexOf(entry.taskId);
    if (task < 0 || !isChildBody((definition.tasks[task] as TaskDefinition).body)) return;
    const runId = childIdOf(journal.runId, entry.taskId, lifeAt(journal, entry));
    this.#started.set(runId, entry.attempt);
    const reading = this.#readings.get(runId);
    if (reading === undefined) return this.#openChild(runId);
    reading.attempt = entry.attempt;
    this.#place(reading);
  }

  async #openChild(runId: string): Promise<void> {
    const attempt = this.#started.get(runId);
    const journal = attempt === undefined ? undefined : await this.#find(runId);
    if (journal === undefined || this.#readings.has(runId)) return;
    this.#open(journal, depthOf(runId), attempt as number);
  }

  #open(journal: RunJournal, depth: number, attempt: number): void {
    const reading = new Reading(journal, depth, attempt);
    this.#readings.set(journal.runId, reading);
    this.#place(reading);
  }

  #place(reading: Reading): void {
    this.#ready.remove(reading);
    if (reading.look()) this.#ready.push(reading);
  }
}

/** The life of a task at one of its entries. */
function lifeAt(journal: RunJournal, entry: Extract<Entry, { type: 'task.started' }>): number {
  const current = journal.lifeOf(journal.definition.graph.indexOf(entry.taskId));
  if (current === 1) return 1;
  let life = 1;
  for (let seq = 1; seq < entry.seq; seq++) {
    const earlier = journal.entry(seq);
    if (earlier.type === 'task.rerun' && earlier.taskId === entry.taskId) life++;
  }
  return life;
}
