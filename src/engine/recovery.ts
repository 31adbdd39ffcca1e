import { isA } from '../model/check.ts';
import { JournalCheck } from '../model/check-journal.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { EngineStoppedError, FlowError, JournalError, StoreError } from '../model/error.ts';
import type { Entry } from '../model/journal.ts';
import type { Logger } from '../model/logger.ts';
import { takesTime } from '../model/maybe-promise.ts';
import type { Store } from '../store/store.ts';
import { adopt, judgeStored } from './flow-change.ts';
import { prepare } from './prepare-run.ts';
import type { RunJournal } from './run-journal.ts';
import type { SharedRuns } from './shared-runs.ts';
import { Slices } from './slices.ts';
import { journalPlace } from './stored-runs.ts';
import type { Turn } from './turn.ts';

/** The number of runs that are read at a time. */
const MOST_READ = 8;
/** Entries are taken this many at a time before the slice may end. */
const PIECE = 128;

/** The engine that recovers runs. */
export interface Recovering<Run> {
  readonly logger: Logger;
  /** Whether it is being stopped: nothing more starts. */
  readonly isDraining: boolean;
  /** The scheduler of its own clock. */
  turnOf(clock: undefined): Turn;
  /** A run under way. */
  live(runId: string): unknown;
  /** The runs under way. */
  liveIds(): readonly string[];
  /** Opens the journal of an earlier run, which has no entries yet. */
  openJournal(definition: FlowDefinition, runId: string, entries: readonly Entry[]): RunJournal;
  /** Continues a run. Throws FlowError if a pool that its flow names is missing. */
  continueFrom(journal: RunJournal): Run;
}

/** What is recovered, and how. */
export interface RecoverySet<Run> {
  /** By name. */
  readonly flows: ReadonlyMap<string, FlowDefinition>;
  /** Only these runs, even if they were set aside; `undefined` for all. */
  readonly ids?: ReadonlySet<string> | undefined;
  /** Whether a run of another version of its flow goes on with the one given. */
  adopts(flow: string): boolean;
  /** Takes each run once it is under way. */
  recovered(run: Run, flow: string): void;
  /** Whether runs that were refused before are tried again. */
  readonly isAfresh: boolean;
}

interface Listed {
  readonly id: string;
  readonly flow: string;
  readonly losses?: number;
}

/** Recovers runs, while others start or are recovered by another call: a store may take its time. */
export class Recoveries<Run> {
  readonly #engine: Recovering<Run>;
  readonly #store: Store;
  /** Set if others share the store. */
  readonly #shared: SharedRuns | undefined;
  /** Runs that could not be recovered, and why: a watch meets them again and again. */
  readonly #refused = new Map<string, string>();
  /** For each call under way: the runs that were under way at any time since, which it leaves alone. */
  readonly #calls = new Set<Set<string>>();
  #slices: Slices | undefined;

  constructor(engine: Recovering<Run>, store: Store, shared: SharedRuns | undefined) {
    this.#engine = engine;
    this.#store = store;
    this.#shared = shared;
  }

  /** Whether runs are being recovered. */
  get isUnderWay(): boolean {
    return this.#calls.size > 0;
  }

  /** Notes a run that starts or is recovered. */
  entered(runId: string): void {
    for (const seen of this.#calls) seen.add(runId);
  }

  /** Computes what is costly of these flows. */
  async prepare(definitions: readonly FlowDefinition[]): Promise<void> {
    for (const definition of definitions) for (const _ of definition.hashing()) await this.#rest;
  }

  /** Recovers unsettled runs, in the order of the store and in slices that yield to the event loop. */
  async recover(set: RecoverySet<Run>): Promise<Run[]> {
    const seen = new Set(this.#engine.liveIds());
    this.#calls.add(seen);
    try {
      return await this.#recover(set, seen);
    } finally {
      this.#calls.delete(seen);
    }
  }

  async #recover(set: RecoverySet<Run>, seen: ReadonlySet<string>): Promise<Run[]> {
    const runs: Run[] = [];
    if (this.#shared === undefined) {
      const listing = this.#store.list({ settled: false });
      const listed = takesTime(listing) ? await listing : listing;
      const wanted = listed.filter(({ id }) => set.ids?.has(id) !== false);
      await this.#recoverAll(wanted, set, (runId) => seen.has(runId), runs);
    } else await this.#recoverClaimed(this.#shared, set, runs);
    if (this.#engine.isDraining)
      throw new EngineStoppedError('The engine was stopped: it recovers no more runs');
    return runs;
  }

  /**
   * Recovers what nobody alive owns. A claim is as of now: it matters only what is under way. What cannot be recovered
   * here is given up again, since others may have its flow.
   */
  async #recoverClaimed(shared: SharedRuns, set: RecoverySet<Run>, runs: Run[]): Promise<void> {
    const isKnown = (runId: string): boolean => this.#engine.live(runId) !== undefined;
    const { ids, isAfresh } = set;
    const claims = ids === undefined ? shared.claim([...set.flows.keys()], isAfresh) : shared.claimEach(ids);
    for await (const claimed of claims) {
      await this.#recoverAll(claimed, set, isKnown, runs);
      if (this.#engine.isDraining) break;
    }
    await shared.release([]);
  }

  /** Several runs are read at a time; they go on in order. */
  async #recoverAll(
    listed: readonly Listed[],
    set: RecoverySet<Run>,
    isKnown: (runId: string) => boolean,
    runs: Run[],
  ): Promise<void> {
    const wanted = listed.filter(({ flow }) => set.flows.has(flow));
    const reading: Promise<() => RunJournal | undefined>[] = [];
    for (let next = 0; next < wanted.length; next++) {
      while (reading.length < Math.min(next + MOST_READ, wanted.length))
        reading.push(this.#begin(wanted[reading.length] as Listed, set, isKnown));
      const take = await (reading[next] as Promise<() => RunJournal | undefined>);
      delete reading[next];
      await this.#rest;
      if (this.#engine.isDraining) return;
      this.#recoverOne(wanted[next] as Listed, take, set, isKnown, runs);
    }
  }

  #recoverOne(
    { id, flow }: Listed,
    take: () => RunJournal | undefined,
    set: RecoverySet<Run>,
    isKnown: (runId: string) => boolean,
    runs: Run[],
  ): void {
    try {
      const journal = take();
      if (journal === undefined || isKnown(id)) return;
      const run = this.#engine.continueFrom(journal);
      runs.push(run);
      set.recovered(run, flow);
    } catch (error) {
      if (isLasting(error)) this.#shared?.refuse(id);
      if (this.#isLogged(id, error)) return;
      const message = `Run ${id} of flow \`${flow}\` cannot be recovered; it stays in the store as it is`;
      this.#engine.logger.error(message, error);
    }
  }

  /** Begins to read a run. Resolves with a function that gives its journal, or throws why there is none. */
  async #begin(
    listed: Listed,
    set: RecoverySet<Run>,
    isKnown: (runId: string) => boolean,
  ): Promise<() => RunJournal | undefined> {
    try {
      const journal = isKnown(listed.id) ? undefined : await this.#open(listed, set);
      return () => journal;
    } catch (error) {
      return () => {
        throw error;
      };
    }
  }

  /** Reads, checks and folds a run's journal; `undefined` if it has none, or has settled. */
  async #open({ id, flow, losses = 0 }: Listed, set: RecoverySet<Run>): Promise<RunJournal | undefined> {
    const definition = set.flows.get(flow) as FlowDefinition;
    const journal = this.#engine.openJournal(definition, id, []);
    journal.hasLosses = losses > 0;
    const check = new JournalCheck(definition, id, journalPlace(definition, id));
    for await (const entries of this.#read(id)) {
      for (let at = 0; at < entries.length; at++) {
        const entry = entries[at];
        check.next(entry);
        journal.take(entry as Entry);
        if (at % PIECE === 0) await this.#rest;
        if (this.#engine.isDraining) return undefined;
      }
    }
    const onFlowChange = set.adopts(flow) ? 'adopt' : 'refuse';
    const judgement = await judgeStored(this.#store, check, { runId: id, definition, onFlowChange });
    // It may have been removed since it was listed, and another engine may have ended it.
    if (journal.seq === 0 || check.ending !== undefined) return undefined;
    if (judgement.verdict === 'refuse') throw judgement.error;
    journal.taken();
    await this.#rest;
    if (judgement.verdict === 'adopt') adopt(journal, this.#engine.turnOf(undefined).timers.now(), judgement);
    for (const _ of prepare(journal, this.#store.isAsync === true)) await this.#rest;
    return journal;
  }

  async *#read(runId: string): AsyncGenerator<readonly Entry[]> {
    const { readInParts } = this.#store;
    if (readInParts === undefined) yield await this.#store.read(runId);
    else yield* readInParts.call(this.#store, runId);
  }

  get #rest(): Promise<void> | undefined {
    this.#slices ??= new Slices(this.#engine.turnOf(undefined));
    return this.#slices.rest;
  }

  /** Whether it has been logged before that a run cannot be recovered because of this. */
  #isLogged(runId: string, error: unknown): boolean {
    if (this.#shared === undefined) return false;
    const why = String(error);
    if (this.#refused.get(runId) === why) return true;
    this.#refused.set(runId, why);
    return false;
  }
}

/** Whether an error comes again as long as run and flow are as they are. */
function isLasting(error: unknown): boolean {
  if (isA(error, StoreError)) return (error as StoreError).code === 'value';
  return isA(error, FlowError) || isA(error, JournalError);
}
