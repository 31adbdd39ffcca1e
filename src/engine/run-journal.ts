import type { FlowDefinition } from '../model/definition.ts';
import { EntryList, type Fact, type Step } from '../model/entry-list.ts';
import { RunFold } from '../model/fold.ts';
import type { Entry, RunSettings } from '../model/journal.ts';
import { Ledger } from '../model/ledger.ts';
import type { Logger } from '../model/logger.ts';
import type { Outcome } from '../model/perform.ts';
import { createUpstreamRecord, put } from '../model/record.ts';
import type { RunStatus } from '../model/status.ts';
import type { RunView } from '../model/view.ts';
import type { Store } from '../store/store.ts';
import { Emitter } from './emitter.ts';
import type { OwnJournals } from './own-journals.ts';

/** States of a run that are no step towards its end, and each entered once at a time. */
const stateAfter: Readonly<Record<string, RunStatus | undefined>> = {
  'run.paused': 'paused',
  'run.cancelling': 'cancelling',
};

/** The facts of a run as the engine holds them: over all its actors, from the first start through every rerun. */
export class RunJournal {
  readonly runId: string;
  readonly definition: FlowDefinition;
  /** The input as it was given, before any schema. */
  given: unknown;
  /** Whether there are snapshots of it: it was made of one, or one was taken. */
  isShared = false;
  /** Hears each entry once it has been kept. */
  readonly emitter: Emitter<Entry>;
  readonly #store: Store | undefined;
  /** Of an engine without a store that keeps its runs. */
  readonly #own: OwnJournals | undefined;
  readonly #entries: EntryList;
  /** How many of the entries are of the time before this engine took the run up. */
  readonly #left: number;
  /** How many of the entries have been kept. */
  #kept: number;
  #lastAt = Number.NEGATIVE_INFINITY;
  /** While listeners are told of entries: what they are to be told of after that. */
  #toTell: (() => void)[] | undefined;
  #settings: RunSettings = {};
  #rerunAt: number | undefined;
  #fold: RunFold | undefined;
  /** Follows what is shown of the run, which may be far behind. */
  #shown: RunFold | undefined;
  #moment: { readonly seq: number; readonly view: RunView } | undefined;
  #view: { readonly seq: number; readonly view: RunView } | undefined;

  constructor(
    runId: string,
    definition: FlowDefinition,
    { store, own }: { readonly store?: Store | undefined; readonly own?: OwnJournals | undefined },
    logger: Logger,
    kept: readonly Entry[] = [],
  ) {
    this.runId = runId;
    this.definition = definition;
    this.emitter = new Emitter(logger);
    this.#store = store;
    this.#own = own;
    const { graph } = definition;
    this.#entries = new EntryList(runId, graph.ids);
    for (const entry of kept) this.#add({ ...entry }, 'taskId' in entry ? graph.indexOf(entry.taskId) : -1);
    this.#kept = this.#left = kept.length;
  }

  /** `seq` of the last entry. */
  get seq(): number {
    return this.#entries.length;
  }

  /** `seq` of the last entry that the store has. */
  get keptSeq(): number {
    return this.#kept;
  }

  /** The latest instant of an entry; `-Infinity` before the first one. */
  get lastAt(): number {
    return this.#lastAt;
  }

  /** The entry with this `seq`. */
  entry(seq: number): Entry {
    return this.#entries.get(seq);
  }

  /** The entries up to one; all of them are those not yet kept, too. */
  toEntries(seq = this.seq): Entry[] {
    return this.#entries.slice(0, seq);
  }

  /**
   * Adds a fact, which must have been made for this call, of a task or, with -1, of the run. One that bears an earlier
   * instant than the last entry, since it was on its way meanwhile, gets that one's.
   */
  record(fact: Fact, task = -1): void {
    this.#add(fact.at < this.#lastAt ? { ...fact, at: this.#lastAt } : fact, task);
  }

  /** Adds a step of a task without an object for it. */
  recordStep(type: Step, at: number, task: number, attempt?: number, output?: unknown): void {
    if (at > this.#lastAt) this.#lastAt = at;
    this.#entries.pushStep(type, at < this.#lastAt ? this.#lastAt : at, task, attempt, output);
  }

  /**
   * Keeps what was recorded since the last commit, and only then tells of it. Returns whether there was anything.
   * Throws what the store throws.
   *
   * @param tell left out where nobody listens
   */
  commit(tell: ((entry: Entry) => void) | undefined): boolean {
    const from = this.#kept;
    const to = this.seq;
    if (from === to) return false;
    this.#own?.keep(this);
    if (this.#store === undefined && tell === undefined && !this.emitter.isHeard) {
      this.#kept = to;
      return true;
    }
    const fresh = this.#entries.slice(from, to);
    this.#keep(fresh, from);
    this.#kept = to;
    this.#tell(fresh, tell);
    return true;
  }

  /** Writes what has been kept elsewhere to a store that does not have it, or not all. Throws what the store throws. */
  adopt(): void {
    if (this.#kept === 0) return;
    this.#own?.adopt(this);
    if (this.#store === undefined) return;
    const { length } = this.#store.read(this.runId);
    if (length < this.#kept) this.#keep(this.#entries.slice(length, this.#kept), length);
  }

  /** What was said of the run when it was started. */
  get settings(): RunSettings {
    return this.#settings;
  }

  /** When it was last asked to run again; `undefined` when never. */
  get rerunAt(): number | undefined {
    return this.#rerunAt;
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

  /** The run as of an entry, for good: what does not change from one moment to the next is the same in both. */
  moment(seq: number): RunView {
    if (this.#moment?.seq !== seq) {
      this.#shown = this.#advance(this.#shown, seq);
      this.#moment = { seq, view: this.#shown.moment() };
    }
    return this.#moment.view;
  }

  /** The fold up to an entry. It goes on from where it was last asked for. */
  foldTo(seq = this.seq): RunFold {
    this.#fold = this.#advance(this.#fold, seq);
    return this.#fold;
  }

  /** Whether it is news: to a run that is taken up paused, or being cancelled, the same is said again. */
  isNews({ type }: Fact): boolean {
    const state = stateAfter[type];
    return state === undefined || this.foldTo().status !== state;
  }

  /** How a task's dependencies stand, by id. */
  outcomesOf(task: number): Record<string, Outcome> {
    const fold = this.foldTo();
    const { ids, upstreamStart, upstreamList } = this.definition.graph;
    const outcomes = createUpstreamRecord<Outcome>(this.definition.graph, task);
    for (let at = upstreamStart[task] as number; at < (upstreamStart[task + 1] as number); at++) {
      const upstream = upstreamList[at] as number;
      const { status, error } = fold.task(upstream);
      put(outcomes, ids[upstream] as string, error === undefined ? { status } : { status, error });
    }
    return outcomes;
  }

  #add(fact: Fact, task: number): void {
    this.#entries.push(fact, task);
    if (fact.at > this.#lastAt) this.#lastAt = fact.at;
    if (fact.type === 'run.started') this.#settings = fact.settings ?? {};
    if (fact.type === 'task.rerun') this.#rerunAt = fact.at;
  }

  /** A listener may stop the run, which keeps more: all hear of that after what they are being told of. */
  #tell(entries: readonly Entry[], tell: ((entry: Entry) => void) | undefined): void {
    const tellAll = (): void => {
      for (const entry of entries) {
        this.emitter.emit(entry);
        tell?.(entry);
      }
    };
    if (this.#toTell !== undefined) return void this.#toTell.push(tellAll);
    this.#toTell = [];
    try {
      tellAll();
      for (const next of this.#toTell) next();
    } finally {
      this.#toTell = undefined;
    }
  }

  #advance(from: RunFold | undefined, seq: number): RunFold {
    const fold = from === undefined || from.seq > seq ? this.#newFold() : from;
    for (let next = fold.seq + 1; next <= seq; next++) {
      fold.apply(this.#entries.get(next));
      if (next === this.#left) fold.takeUp();
    }
    return fold;
  }

  #newFold(): RunFold {
    const { name, graph, tasks } = this.definition;
    return new RunFold(this.runId, name, graph, (task) => tasks[task]?.dependsOn ?? []);
  }

  #keep(entries: readonly Entry[], expectedSeq: number): void {
    const result: unknown = this.#store?.append(this.runId, entries, expectedSeq);
    if (result === undefined) return;
    throw new Error('`append` of a store must have kept the entries when it returns, and return nothing');
  }
}
