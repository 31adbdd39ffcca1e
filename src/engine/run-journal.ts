import type { FlowDefinition } from '../model/definition.ts';
import { RunFold } from '../model/fold.ts';
import type { Entry, RunFact, RunSettings, TaskFact, TaskRerun } from '../model/journal.ts';
import { Ledger } from '../model/ledger.ts';
import type { RunView } from '../model/view.ts';
import type { Store } from '../store/store.ts';
import { Emitter } from './emitter.ts';
import type { Logger } from './logger.ts';

type Fact = RunFact | TaskFact | TaskRerun;

/** What turns a fact into an entry. */
interface Stamp {
  seq?: number;
  runId?: string;
  taskId?: string;
}

/** The facts of a run as the engine holds them: over all its actors, from the first start through every rerun. */
export class RunJournal {
  readonly runId: string;
  readonly definition: FlowDefinition;
  /** The input as it was given, before any schema. */
  given: unknown;
  /** Hears each entry once it has been kept. */
  readonly emitter: Emitter<Entry>;
  readonly #store: Store | undefined;
  readonly #entries: Entry[];
  /** How many of the entries have been kept. */
  #kept: number;
  #fold: RunFold | undefined;
  #view: { readonly seq: number; readonly view: RunView } | undefined;

  constructor(
    runId: string,
    definition: FlowDefinition,
    store: Store | undefined,
    logger: Logger,
    kept: readonly Entry[] = [],
  ) {
    this.runId = runId;
    this.definition = definition;
    this.emitter = new Emitter(logger);
    this.#store = store;
    this.#entries = [...kept];
    this.#kept = kept.length;
  }

  /** All entries, those not yet kept included. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** `seq` of the last entry. */
  get seq(): number {
    return this.#entries.length;
  }

  /** `seq` of the last entry that the store has. */
  get keptSeq(): number {
    return this.#kept;
  }

  get isKept(): boolean {
    return this.#kept === this.#entries.length;
  }

  /** Stamps a fact, which must have been made for this call: it becomes the entry. */
  record(fact: Fact, taskId?: string): void {
    const entry = fact as Fact & Stamp;
    entry.seq = this.#entries.length + 1;
    entry.runId = this.runId;
    if (taskId !== undefined) entry.taskId = taskId;
    this.#entries.push(entry as Entry);
  }

  /** Keeps what was recorded since the last commit, and only then tells of it. Throws what the store throws. */
  commit(tell: (entry: Entry) => void): void {
    if (this.isKept) return;
    const fresh = this.#entries.slice(this.#kept);
    this.#keep(fresh, this.#kept);
    this.#kept = this.#entries.length;
    for (const entry of fresh) tell(entry);
  }

  /** Writes what has been kept, here or elsewhere, to a store that does not have it. Throws what the store throws. */
  adopt(): void {
    if (this.#kept === 0 || this.#store === undefined || this.#store.read(this.runId).length > 0) return;
    this.#keep(this.#entries.slice(0, this.#kept), 0);
  }

  /** What was said of the run when it was started. */
  get settings(): RunSettings {
    return this.#entries.find((entry) => entry.type === 'run.started')?.settings ?? {};
  }

  /** When it was last asked to run again; `undefined` when never. */
  rerunAt(): number | undefined {
    return this.#entries.findLast((entry) => entry.type === 'task.rerun')?.at;
  }

  /** The run as of the last entry, or of an earlier one. */
  view(seq = this.seq): RunView {
    if (this.#view?.seq !== seq) this.#view = { seq, view: this.foldTo(seq).view() };
    return this.#view.view;
  }

  /** The books to go on from; only the newest may be read. */
  openLedger(): Ledger {
    return Ledger.openInPlace(this.definition.plan, this.seq === 0 ? undefined : this.foldTo().statuses);
  }

  /** The fold up to an entry. It goes on from where it was last asked for. */
  foldTo(seq = this.seq): RunFold {
    if (this.#fold === undefined || this.#fold.seq > seq) {
      const { name, graph, tasks } = this.definition;
      this.#fold = new RunFold(this.runId, name, graph, (task) => tasks[task]?.dependsOn ?? []);
    }
    for (let at = this.#fold.seq; at < seq; at++) this.#fold.apply(this.#entries[at] as Entry);
    return this.#fold;
  }

  #keep(entries: readonly Entry[], expectedSeq: number): void {
    const result: unknown = this.#store?.append(this.runId, entries, expectedSeq);
    if (result === undefined) return;
    throw new Error('`append` of a store must have kept the entries when it returns, and return nothing');
  }
}
