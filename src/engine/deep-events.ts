import { childIdOf, depthOf } from '../model/child-id.ts';
import { isChildBody, type TaskDefinition } from '../model/definition.ts';
import { tasksBegunAnew } from '../model/fold.ts';
import { Heap, type HeapItem } from '../model/heap.ts';
import type { Entry, ParentTask } from '../model/journal.ts';
import { Lives } from '../model/lives.ts';
import type { RunJournal } from './run-journal.ts';

/** Where the reading of a journal stands. */
class Reading implements HeapItem {
  place = -1;
  journal: RunJournal;
  readonly depth: number;
  /** `seq` of the last entry read. */
  seq = 0;
  /** The last attempt of the parent's task that was read; entries of later ones come after its start. */
  for: Attempt;
  /** The lives of its tasks by the entries read. */
  readonly lives = new Lives();
  next: Entry | undefined;

  constructor(journal: RunJournal, depth: number, attempt: Attempt) {
    this.journal = journal;
    this.depth = depth;
    this.for = attempt;
  }

  /** Looks for the next entry. Returns whether it may be read now. */
  look(): boolean {
    this.next = this.seq < this.journal.keptSeq ? this.journal.entry(this.seq + 1) : undefined;
    const { next } = this;
    if (next === undefined) return false;
    const parent = next.type === 'task.rerun' || next.type === 'run.started' ? next.parent : undefined;
    return parent === undefined || !isAfter(parent, this.for);
  }

  /** Takes the next entry. */
  take(): Entry {
    const entry = this.next as Entry;
    const { graph } = this.journal.definition;
    this.seq++;
    if (entry.type === 'task.rerun') this.lives.rerun(graph.indexOf(entry.taskId), entry);
    if (entry.type === 'run.flow_changed')
      for (const task of tasksBegunAnew(graph, entry)) this.lives.begin(task);
    return entry;
  }
}

/** An attempt of a task in one of its lives. */
type Attempt = Pick<ParentTask, 'round' | 'attempt'>;

function isAfter({ round = 0, attempt }: Attempt, other: Attempt): boolean {
  const before = other.round ?? 0;
  return round > before || (round === before && attempt > other.attempt);
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
  readonly #started = new Map<string, Attempt>();
  readonly #find: (runId: string) => Promise<RunJournal | undefined>;

  /** @param find the journal of a child run */
  constructor(journal: RunJournal, find: (runId: string) => Promise<RunJournal | undefined>) {
    this.#find = find;
    this.#open(journal, 0, { attempt: 1 });
  }

  /** Notes that entries of a run are kept, up to a `seq`. */
  async more(runId: string, seq: number): Promise<void> {
    const reading = this.#readings.get(runId);
    if (reading === undefined) return this.#openChild(runId);
    // The run went on meanwhile, with a journal that continues the one that was found.
    if (reading.journal.keptSeq < seq) reading.journal = (await this.#find(runId)) ?? reading.journal;
    this.#place(reading);
  }

  /** The next entry; `undefined` if all that is kept has been read. */
  async next(): Promise<Entry | undefined> {
    const reading = this.#ready.first;
    if (reading === undefined) return undefined;
    const entry = reading.take();
    this.#place(reading);
    if (entry.type === 'task.started') await this.#noteStarted(reading, entry);
    return entry;
  }

  async #noteStarted(above: Reading, entry: Extract<Entry, { type: 'task.started' }>): Promise<void> {
    const { definition, runId: aboveId } = above.journal;
    const task = definition.graph.indexOf(entry.taskId);
    if (task < 0 || !isChildBody((definition.tasks[task] as TaskDefinition).body)) return;
    const { life, round } = above.lives.of(task);
    const runId = childIdOf(aboveId, entry.taskId, life);
    const attempt = { round, attempt: entry.attempt };
    this.#started.set(runId, attempt);
    const reading = this.#readings.get(runId);
    if (reading === undefined) return this.#openChild(runId);
    reading.for = attempt;
    this.#place(reading);
  }

  async #openChild(runId: string): Promise<void> {
    const attempt = this.#started.get(runId);
    const journal = attempt === undefined ? undefined : await this.#find(runId);
    if (journal === undefined || this.#readings.has(runId)) return;
    this.#open(journal, depthOf(runId), attempt as Attempt);
  }

  #open(journal: RunJournal, depth: number, attempt: Attempt): void {
    const reading = new Reading(journal, depth, attempt);
    this.#readings.set(journal.runId, reading);
    this.#place(reading);
  }

  #place(reading: Reading): void {
    this.#ready.remove(reading);
    if (reading.look()) this.#ready.push(reading);
  }
}
