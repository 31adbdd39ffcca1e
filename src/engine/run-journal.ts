import { isChildId } from '../model/child-id.ts';
import { childJournalVersion, type FlowDefinition } from '../model/definition.ts';
import { EntryList, type EntryVisitor, type Fact, type Step } from '../model/entry-list.ts';
import { RunFold, tasksBegunAnew } from '../model/fold.ts';
import type { Entry, JournalVersion, RunFact, RunSettings, TaskDelivered } from '../model/journal.ts';
import { Ledger, type LedgerOpening } from '../model/ledger.ts';
import { Lives } from '../model/lives.ts';
import type { Logger } from '../model/logger.ts';
import type { Outcome } from '../model/perform.ts';
import { createUpstreamRecord, put } from '../model/record.ts';
import type { RunStatus } from '../model/status.ts';
import { endingOf } from '../model/summary.ts';
import type { RunView } from '../model/view.ts';
import type { Append, Store } from '../store/store.ts';
import { Emitter } from './emitter.ts';
import type { Results } from './results.ts';
import { RunTree } from './run-tree.ts';
import { ValueTexts } from './value-texts.ts';

type RunStarted = Extract<RunFact, { type: 'run.started' }>;

/** What a run is recovered from. */
export interface Prepared {
  readonly ledger: LedgerOpening;
  readonly results: Results;
}

/** Run states that are no step towards the end, and are entered once at a time. */
const stateAfter: Readonly<Record<string, RunStatus | undefined>> = {
  'run.paused': 'paused',
  'run.cancelling': 'cancelling',
};

const isStep: Readonly<Partial<Record<Entry['type'], true>>> = {
  'task.ready': true,
  'task.started': true,
  'task.done': true,
};

/**
 * The facts of a run across all its actors, from the first start through every rerun. Users see those that are kept.
 */
export class RunJournal {
  readonly runId: string;
  /** That of a map's items is made anew for each attempt: the bodies are its own. */
  definition: FlowDefinition;
  /** The user's handle of the run, once there is one. A rerun has the same. */
  handle: object | undefined;
  /** The input that snapshots carry: as the actor was given it, or as accepted where the engine checked it first. */
  given: unknown;
  /** Whether it has snapshots: it was made from one, or one was taken. */
  isShared = false;
  /** Emits each entry once it has been kept. */
  readonly emitter: Emitter<Entry>;
  readonly #logger: Logger;
  readonly #entries: EntryList;
  /** The number of entries made before this engine recovered the run. */
  #left = 0;
  /** `seq` of the last entry kept. */
  keptSeq = 0;
  /** Whether entries are kept later than they are recorded: until then nobody is shown them. */
  isLate = false;
  /** Whether its process was lost while bodies may have been under way: starts are kept before bodies are called. */
  hasLosses = false;
  /** What the run is recovered from, if it was made in advance. */
  prepared: Prepared | undefined;
  /** Of a child run, and of a run with children: the tree to which it belongs. */
  tree: RunTree<RunJournal> | undefined;
  /** The texts of values to keep, for a store that writes them. */
  texts: ValueTexts | undefined;
  #lastAt = Number.NEGATIVE_INFINITY;
  /** Notifications queued while listeners are being notified. */
  #toTell: (() => void)[] | undefined;
  #settings: RunSettings = {};
  #version: JournalVersion | undefined;
  #continues: string | undefined;
  /** The values that have come for tasks that wait, each with its key. */
  #deliveries: Map<number, TaskDelivered> | undefined;
  /** Kept up to date where a task's body is a run. */
  readonly lives = new Lives();
  #rerunAt: number | undefined;
  /** `seq` of the last entry that has a task run again; 0 if none. */
  #rerunSeq = 0;
  #fold: RunFold | undefined;
  /** The fold of what is kept, where that is behind. */
  #keptFold: RunFold | undefined;
  /** The fold of the last moment shown, which may be far behind. */
  #shown: RunFold | undefined;
  #moment: { readonly seq: number; readonly view: RunView } | undefined;
  /** The fold of the last earlier moment that was asked for. */
  #past: RunFold | undefined;
  #view: { readonly seq: number; readonly view: RunView } | undefined;

  constructor(runId: string, definition: FlowDefinition, logger: Logger, kept: readonly Entry[] = []) {
    this.runId = runId;
    this.definition = definition;
    this.#logger = logger;
    this.emitter = new Emitter(logger);
    const { graph } = definition;
    this.#entries = new EntryList(runId, graph.ids);
    if (kept.length === 0) return;
    for (const entry of kept) this.take(entry);
    this.taken();
  }

  /** Takes the next entry of the run's earlier life, which has been kept. `taken` follows after the last. */
  take(entry: Entry): void {
    // A step becomes no object here.
    const fact = entry.type in isStep && !('child' in entry) ? entry : { ...entry };
    this.#add(fact, this.#placeOf(entry));
    this.#fold ??= this.#newFold();
    this.#fold.apply(entry);
    this.keptSeq = this.#left = this.seq;
  }

  /** Ends the run's earlier life. */
  taken(): void {
    this.#fold?.recover();
  }

  /** `seq` of the last entry made before this engine recovered the run; 0 if it did not. */
  get recoveredSeq(): number {
    return this.#left;
  }

  /** `seq` of the last entry. */
  get seq(): number {
    return this.#entries.length;
  }

  /** `seq` of the last entry that may be shown. */
  get shownSeq(): number {
    return this.isLate ? this.keptSeq : this.seq;
  }

  /** `seq` of the last entry to recover from. A rerun belongs to its actor from the start, kept or not. */
  get recoverySeq(): number {
    return Math.max(this.shownSeq, this.#rerunSeq);
  }

  /** Whether the run's end is recorded and not kept: nothing changes it any more. */
  get isEndUnderWay(): boolean {
    return this.keptSeq < this.seq && endingOf(this.entry(this.seq).type) !== undefined;
  }

  /** The latest instant of an entry; `-Infinity` before the first one. */
  get lastAt(): number {
    return this.#lastAt;
  }

  /** The entry with this `seq`. */
  entry(seq: number): Entry {
    return this.#entries.get(seq);
  }

  /** The entries up to a `seq`, above another; by default all, including those not yet kept. */
  toEntries(seq = this.seq, after = 0): Entry[] {
    return this.#entries.slice(Math.min(after, seq), seq);
  }

  /** Shows a visitor the entries above a `seq`, up to another. */
  visit(after: number, seq: number, visitor: EntryVisitor): void {
    this.#entries.visit(after, seq, visitor);
  }

  /**
   * Adds a fact, an object made for this call, of a task or, with -1, of the run. A late fact with an earlier instant
   * than the last entry gets that entry's instant.
   */
  record(fact: Fact, task = -1): void {
    this.texts?.note(this.seq + 1, fact);
    this.#add(fact.at < this.#lastAt ? { ...fact, at: this.#lastAt } : fact, task);
  }

  /** Adds an entry from elsewhere as if it were recorded here. */
  repeat(entry: Entry): void {
    this.record({ ...entry }, this.#placeOf(entry));
  }

  /** Adds a step of a task without an object for it. */
  recordStep(type: Step, at: number, task: number, attempt?: number, output?: unknown): void {
    if (at > this.#lastAt) this.#lastAt = at;
    if (type === 'task.done') this.texts?.noteValue(this.seq + 1, output);
    this.#entries.pushStep(type, at < this.#lastAt ? this.#lastAt : at, task, attempt, output);
  }

  /** Takes the store that keeps it. */
  keptBy(store: Store | undefined): void {
    this.isLate = store?.isAsync === true;
    this.texts = store?.values && new ValueTexts(store.values, this.keptSeq);
  }

  /** The entries with a `seq` above `from`, up to `to`, for a store. */
  fresh(from: number, to: number): Append {
    return new Fresh(this.runId, this.#entries, from, to, this.texts);
  }

  /** Notes that entries are kept, up to a `seq`. */
  keptTo(seq: number): void {
    this.texts?.forget(seq);
    this.keptSeq = seq;
  }

  /**
   * Notifies listeners of entries that were kept, those above `from`, up to `to`. One may stop the run, which keeps
   * more: those entries follow after the current ones.
   *
   * @param tell omitted if nobody listens to the run's actor
   */
  tell(from: number, to: number, tell: ((entry: Entry) => void) | undefined): void {
    const deep = this.tree?.emitter.isHeard === true ? this.tree.emitter : undefined;
    if (tell === undefined && deep === undefined && !this.emitter.isHeard) return;
    const entries = this.#entries.slice(from, to);
    const tellAll = (): void => {
      for (const entry of entries) {
        this.emitter.emit(entry);
        deep?.emit(entry);
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

  /** The tree to which it belongs, made if there is none yet. */
  get wholeTree(): RunTree<RunJournal> {
    this.tree ??= new RunTree(this.#logger);
    return this.tree;
  }

  /** The version of its entries: that of its flow, until it has started. */
  get version(): JournalVersion {
    return (
      this.#version ??
      (isChildId(this.runId) ? childJournalVersion(this.definition) : this.definition.journalVersion)
    );
  }

  /** The run from which a child run has what was done already. */
  get continues(): string | undefined {
    return this.#continues;
  }

  /** Whether all that a task depends on, directly or not, is done or skipped. */
  isUpstreamDone(task: number): boolean {
    const { graph } = this.definition;
    const { statuses } = this.foldTo();
    const isDone = (id: string): boolean =>
      ['done', 'skipped'].includes(statuses[graph.indexOf(id)] as string);
    return graph.upstream(graph.ids[task] as string).every(isDone);
  }

  /** The settings given at the run's start. */
  get settings(): RunSettings {
    return this.#settings;
  }

  /** The value that has come for a task since it began, perhaps anew; `undefined` if none has. */
  deliveryFor(task: number): TaskDelivered | undefined {
    return this.#deliveries?.get(task);
  }

  /** The instant of the last rerun; `undefined` if none. */
  get rerunAt(): number | undefined {
    return this.#rerunAt;
  }

  /** The view as of the last entry that may be shown, or of an earlier one. */
  view(seq = this.shownSeq): RunView {
    if (this.#view?.seq !== seq) this.#view = { seq, view: this.foldTo(seq).view() };
    return this.#view.view;
  }

  /**
   * The view as it was after an earlier entry, 0 for none. Later entries, and a recovery that came after it, do not show
   * in it.
   */
  pastView(seq: number): RunView {
    return this.pastFold(seq).view();
  }

  /** The fold up to an earlier entry, as `pastView` shows it. */
  pastFold(seq: number): RunFold {
    if (this.#past === undefined || this.#past.seq > seq) this.#past = this.#newFold();
    for (let next = this.#past.seq + 1; next <= seq; next++) {
      if (next === this.#left + 1) this.#past.recover();
      this.#past.apply(this.#entries.get(next));
    }
    return this.#past;
  }

  /** `seq` of the last entry that may be shown and is not later than an instant; 0 if there is none. */
  seqAt(at: number): number {
    let [low, high] = [0, this.shownSeq];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.entry(middle).at <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Opens the ledger to recover from; only the newest may be read. */
  openLedger(): Ledger {
    if (this.prepared !== undefined) return Ledger.openedInPlace(this.prepared.ledger);
    return Ledger.openInPlace(this.definition.plan, this.seq === 0 ? undefined : this.foldTo().statuses);
  }

  /** The immutable view as of an entry. Consecutive moments share whatever does not change. */
  moment(seq: number): RunView {
    if (this.#moment?.seq !== seq) {
      this.#shown = this.#advance(this.#shown, seq);
      this.#moment = { seq, view: this.#shown.moment() };
    }
    return this.#moment.view;
  }

  /** The fold up to an entry, continued from the last call. */
  foldTo(seq = this.seq): RunFold {
    if (seq < this.seq && this.isLate) {
      this.#keptFold = this.#advance(this.#keptFold, seq);
      return this.#keptFold;
    }
    this.#fold = this.#advance(this.#fold, seq);
    return this.#fold;
  }

  /** Whether a fact is new: a run recovered as paused or cancelling is told so again. */
  isNews({ type }: Fact): boolean {
    const state = stateAfter[type];
    return state === undefined || this.foldTo().status !== state;
  }

  /** The outcomes of a task's dependencies, by id, as far as they may be shown. */
  outcomesOf(task: number): Record<string, Outcome> {
    const fold = this.foldTo(this.shownSeq);
    const { ids, upstreamStart, upstreamList } = this.definition.graph;
    const outcomes = createUpstreamRecord<Outcome>(this.definition.graph, task);
    for (let at = upstreamStart[task] as number; at < (upstreamStart[task + 1] as number); at++) {
      const upstream = upstreamList[at] as number;
      const { status, error } = fold.task(upstream);
      put(outcomes, ids[upstream] as string, error === undefined ? { status } : { status, error });
    }
    return outcomes;
  }

  /** The place of an entry's task; -1 for an entry of the run, or of a task that the flow no longer has. */
  #placeOf(entry: Entry): number {
    return 'taskId' in entry ? this.definition.graph.indexOf(entry.taskId) : -1;
  }

  #add(fact: Fact, task: number): void {
    this.#entries.push(fact, task);
    if (fact.at > this.#lastAt) this.#lastAt = fact.at;
    if (fact.type === 'run.started') this.#begin(fact);
    if (fact.type === 'task.delivered') this.#noteDelivery(task, fact);
    const { hasChildren, graph } = this.definition;
    if (fact.type === 'run.flow_changed' && (hasChildren || this.#deliveries !== undefined))
      for (const anew of tasksBegunAnew(graph, fact)) {
        this.#deliveries?.delete(anew);
        if (hasChildren) this.lives.begin(anew);
      }
    if (fact.type === 'task.rerun') {
      this.#deliveries?.delete(task);
      if (hasChildren) this.lives.rerun(task, fact);
      this.#rerunAt = fact.at;
      this.#rerunSeq = this.seq;
    }
  }

  #begin({ settings = {}, version, continues }: RunStarted): void {
    this.#settings = settings;
    this.#version = version as JournalVersion;
    this.#continues = continues;
  }

  #noteDelivery(task: number, { type, at, value, key }: TaskDelivered): void {
    this.#deliveries ??= new Map();
    this.#deliveries.set(task, { type, at, value, ...(key !== undefined && { key }) });
  }

  #advance(from: RunFold | undefined, seq: number): RunFold {
    const fold = from === undefined || from.seq > seq ? this.#newFold() : from;
    for (let next = fold.seq + 1; next <= seq; next++) {
      fold.apply(this.#entries.get(next));
      if (next === this.#left) fold.recover();
    }
    return fold;
  }

  #newFold(): RunFold {
    return new RunFold(this.runId, this.definition);
  }
}

/** Entries to keep; they become objects only if somebody reads them. */
class Fresh implements Append {
  readonly runId: string;
  readonly journal: EntryList;
  readonly expectedSeq: number;
  readonly seq: number;
  readonly #texts: ValueTexts | undefined;
  #entries: readonly Entry[] | undefined;

  constructor(
    runId: string,
    journal: EntryList,
    expectedSeq: number,
    seq: number,
    texts: ValueTexts | undefined,
  ) {
    this.runId = runId;
    this.journal = journal;
    this.expectedSeq = expectedSeq;
    this.seq = seq;
    this.#texts = texts;
  }

  textAt(seq: number): string | undefined {
    return this.#texts?.at(seq);
  }

  get entries(): readonly Entry[] {
    this.#entries ??= this.journal.slice(this.expectedSeq, this.seq);
    return this.#entries;
  }
}
