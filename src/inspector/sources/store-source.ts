import type { Entry, EntryVisitor, FlowDefinition, MaybePromise, RunSummary, Store } from '../../index.ts';
import { parentIdOf, placeOf } from '../../model/child-id.ts';
import type { ChildRun, ChildRuns, CommandRequest, ListedRun, SourceInfo } from '../protocol.ts';
import { RunDigest } from './digest.ts';
import { JournalRun } from './journal-run.ts';
import { SourceListeners } from './listeners.ts';
import {
  type ListQuery,
  nothingDropped,
  type PlacedRun,
  type ShownRun,
  type Source,
  type SourceListener,
} from './source.ts';

export interface StoreSourceOptions {
  readonly id: string;
  /** For people: the file. */
  readonly name: string;
  readonly store: Store;
  /** The flow of a run: all of it, or what its journal tells. */
  flowOf(entries: readonly Entry[]): MaybePromise<FlowDefinition & { readonly isWhole: boolean }>;
  /** Carries out a command, or has its owner do so. Throws Problem. */
  command(runId: string, request: CommandRequest): MaybePromise<void>;
  /** Hears that the store could not be read. */
  failed(error: unknown): void;
}

/** How often the store is looked at while somebody watches. */
const lookMs = 500;
/** Runs of the list that are looked at for news. */
const mostLooked = 50;
/** Runs below a run that are looked at for its child runs. */
const mostBelow = 1_000;
/** Child runs of which the counts are kept, and unsettled runs of the list. */
const mostChildren = 5_000;
const mostDigests = 1_000;
/** Journals that are kept in memory besides those that are watched. */
const mostOpen = 10;

/** A journal as it was read last. */
interface OpenJournal {
  readonly id: string;
  entries: readonly Entry[];
  definition: FlowDefinition & { readonly isWhole: boolean };
  readonly digest: RunDigest;
  watchers: number;
}

/** The runs that a store keeps, without an engine or any code of theirs. Other processes may go on with them. */
export class StoreSource implements Source {
  readonly id: string;
  readonly #options: StoreSourceOptions;
  readonly #since = Date.now();
  readonly #listeners = new SourceListeners();
  /** The one used last comes last. */
  readonly #open = new Map<string, OpenJournal>();
  /** Unsettled runs of the list, as they were read last. */
  readonly #digests = new Map<string, RunDigest>();
  /** Child runs, as they were read last. */
  readonly #children = new Map<string, { readonly seq: number; readonly child: ChildRun }>();
  /** `seq` of the latest runs, as listeners were told. */
  #told = new Map<string, number>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #isLooking = false;

  constructor(options: StoreSourceOptions) {
    this.id = options.id;
    this.#options = options;
  }

  info(): SourceInfo {
    const { id, name } = this.#options;
    return {
      id,
      name,
      kind: 'store',
      state: 'here',
      since: this.#since,
      reconnects: 0,
      dropped: nothingDropped,
    };
  }

  async list({ flow, before, limit }: ListQuery): Promise<readonly PlacedRun[]> {
    const summaries = await this.#options.store.list({ flow, before, limit, newestFirst: true });
    const placed: PlacedRun[] = [];
    for (const summary of summaries) placed.push({ place: summary.order, run: await this.#listed(summary) });
    return placed;
  }

  async open(runId: string): Promise<ShownRun | undefined> {
    const journal = await this.#journalOf(runId);
    return journal && this.#shown(journal, await this.#childrenOf(runId));
  }

  listen(listener: SourceListener): () => void {
    const stop = this.#listeners.add(listener);
    this.#timer ??= setInterval(() => void this.#look(), lookMs);
    this.#timer.unref();
    return () => {
      stop();
      if (this.#listeners.size === 0) this.#stopLooking();
    };
  }

  follow(runId: string): () => void {
    const journal = this.#open.get(runId);
    if (journal === undefined) return () => {};
    journal.watchers++;
    return () => {
      journal.watchers--;
      this.#closeOldest();
    };
  }

  close(): void {
    this.#stopLooking();
  }

  #stopLooking(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #shown(journal: OpenJournal, openedChildren: ChildRuns): ShownRun {
    const { id, digest, definition } = journal;
    const readable = {
      id,
      get seq() {
        return journal.entries.length;
      },
      entries: ({
        after,
        limit = Number.POSITIVE_INFINITY,
      }: {
        readonly after: number;
        readonly limit?: number;
      }) => journal.entries.slice(after, after + limit),
      visit(
        visitor: EntryVisitor,
        { after, limit }: { readonly after: number; readonly limit: number },
      ): void {
        for (const entry of journal.entries.slice(after, after + limit)) visitor.entry(entry);
      },
    };
    return new JournalRun(readable, {
      source: this.id,
      definition,
      isWhole: definition.isWhole,
      digest,
      redact: undefined,
      recoveredAt: [],
      openedChildren,
      children: () => this.#childrenOf(id),
      logs: (after) => ({ lines: [], dropped: 0, to: after }),
      command: (request) => this.#options.command(id, request),
    });
  }

  /** Of the latest runs below a run, its own child runs: the last of each task. */
  async #childrenOf(id: string): Promise<ChildRuns> {
    const children: Record<string, ChildRun> = Object.create(null);
    const below = await this.#options.store.list({ under: id, newestFirst: true, limit: mostBelow });
    for (const summary of below) {
      const place = placeOf(summary.id);
      if (place === undefined || parentIdOf(summary.id) !== id || place.taskId in children) continue;
      children[place.taskId] = await this.#childOf(summary);
    }
    return children;
  }

  /** A child run with its counts. Its journal is read only if it has gone on since the last time. */
  async #childOf({ id, seq }: RunSummary): Promise<ChildRun> {
    const known = this.#children.get(id);
    if (known?.seq === seq) return known.child;
    const { store, flowOf } = this.#options;
    const entries = await store.read(id);
    const digest = new RunDigest();
    for (const entry of entries) digest.apply(entry);
    const { tasks } = await flowOf(entries);
    const child = { id, counts: digest.counts(tasks.length) };
    keepLatest(this.#children, id, { seq: digest.seq, child }, mostChildren);
    return child;
  }

  async #journalOf(runId: string): Promise<OpenJournal | undefined> {
    const known = this.#open.get(runId);
    const { store, flowOf } = this.#options;
    const seq = await store.lastSeq(runId);
    if (known !== undefined && known.entries.length === seq) return this.#use(known);
    const entries = seq === 0 ? [] : await store.read(runId);
    if (entries.length === 0) {
      this.#open.delete(runId);
      return undefined;
    }
    const definition = await flowOf(entries);
    if (known !== undefined && known.entries.length < entries.length) {
      const hasChanged = known.definition.hash !== definition.hash || !definition.isWhole;
      Object.assign(known, { entries, definition });
      if (hasChanged) this.#listeners.renewed(runId);
      return this.#use(known);
    }
    return this.#use({ id: runId, entries, definition, digest: new RunDigest(), watchers: 0 });
  }

  #use(journal: OpenJournal): OpenJournal {
    this.#open.delete(journal.id);
    this.#open.set(journal.id, journal);
    this.#closeOldest();
    return journal;
  }

  #closeOldest(): void {
    let closable = [...this.#open.values()].filter(({ watchers }) => watchers === 0).length;
    for (const { id, watchers } of this.#open.values()) {
      if (closable <= mostOpen) return;
      if (watchers > 0) continue;
      this.#open.delete(id);
      closable--;
    }
  }

  async #listed(summary: RunSummary): Promise<ListedRun> {
    const { id, flow, startedAt, endedAt, seq, ending, status } = summary;
    const listed = { source: this.id, id, flow, startedAt, endedAt, seq };
    if (ending !== undefined || status !== undefined)
      return { ...listed, status: ending ?? status ?? 'running' };
    const known = this.#digests.get(id);
    if (known?.seq === seq) return known.listed(this.id, id, undefined);
    const digest = new RunDigest();
    for (const entry of await this.#options.store.read(id)) digest.apply(entry);
    keepLatest(this.#digests, id, digest, mostDigests);
    return digest.listed(this.id, id, undefined);
  }

  /** Looks for runs that are new or have gone on. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const latest = await this.#options.store.list({ newestFirst: true, limit: mostLooked });
      const told = new Map(latest.map(({ id, seq }) => [id, seq]));
      for (const [id, seq] of told) if (this.#told.get(id) !== seq) this.#listeners.changed(id);
      for (const { id, watchers, entries } of [...this.#open.values()]) {
        if (watchers === 0) continue;
        const below = await this.#options.store.list({ under: id, newestFirst: true, limit: mostBelow });
        for (const { id: childId, seq } of below) {
          told.set(childId, seq);
          if (this.#told.get(childId) !== seq) this.#listeners.changed(childId);
        }
        const journal = await this.#journalOf(id);
        if (journal === undefined) this.#listeners.removed([id]);
        else if (journal.entries.length !== entries.length) this.#listeners.changed(id);
      }
      this.#told = told;
    } catch (error) {
      this.#options.failed(error);
    } finally {
      this.#isLooking = false;
    }
  }
}

/** Sets a value as the latest one, and drops the oldest where there are too many. */
function keepLatest<Value>(values: Map<string, Value>, key: string, value: Value, most: number): void {
  values.delete(key);
  values.set(key, value);
  const [oldest] = values.keys();
  if (values.size > most && oldest !== undefined) values.delete(oldest);
}
