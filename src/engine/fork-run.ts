import { isA } from '../model/check.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { StoreConflictError } from '../model/error.ts';
import type { RunSettings } from '../model/journal.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import { idTaken } from '../model/summary.ts';
import type { Store } from '../store/store.ts';
import type { EngineCore } from './core.ts';
import type { ForkOptions } from './engine-options.ts';
import { checkFork, recordFork } from './fork.ts';
import { forkChildren } from './fork-children.ts';
import type { LiveRun } from './live-run.ts';
import { type HeldRun, quiet, type Run } from './run.ts';
import type { RunJournal } from './run-journal.ts';

/** The engine on which a fork starts. */
export interface ForkHost extends EngineCore<LiveRun> {
  /** Finds a run that is under way, kept here, or in the store. */
  held(id: string, owner: string): Promise<HeldRun | undefined>;
  checkPools(definition: FlowDefinition): void;
  /** Checks an input: the value that the schema returns, and the store can write. */
  accept(definition: FlowDefinition, input: unknown): MaybePromise<{ readonly input: unknown }>;
  /** Throws if the engine starts no more runs, or has another one of this id under way. */
  checkNew(id: string | undefined): void;
  /** Loads the code of child runs. */
  loadChildRuns(): Promise<unknown>;
  /** Starts a run, and gives it once the store has it. */
  begin(journal: RunJournal, settings: RunSettings, input: unknown): MaybePromise<Run>;
  /** Starts a run that the store has. */
  beginKept(journal: RunJournal): Run;
}

/**
 * Starts a run that begins with what had settled in another one by then. The store gets its tree at once, before
 * anything in it goes on.
 *
 * @throws FlowError `unknown_run` or `bad_option`; InputError; StoreConflictError if the id is taken
 */
export async function forkRun(host: ForkHost, runId: string, given: ForkOptions): Promise<Run> {
  const found = await host.held(runId, 'engine.fork');
  const { source, seq, until, input: earlier } = checkFork(runId, found, given);
  const { definition, settings } = source;
  host.checkPools(definition);
  const { input } = given.input === undefined ? earlier : await host.accept(definition, given.input);
  host.checkNew(given.id);
  const journal = host.newJournal(definition, given.id);
  const turn = host.turnOf(undefined);
  const at = turn.timers.now();
  recordFork(journal, source, seq, input, at);
  if (!definition.hasChildren) return host.begin(journal, settings, input);
  await host.loadChildRuns();
  const find = async (id: string): Promise<RunJournal | undefined> =>
    source.tree?.journals.get(id) ?? found?.childJournal(id);
  const children = await forkChildren({ source, seq, fork: journal }, until, at, host.logger, find);
  if (children.length === 0) return host.begin(journal, settings, input);
  const keeping = keepTree(host, [journal, ...children]);
  turn.holdTime(quiet(keeping));
  await keeping;
  return host.beginKept(journal);
}

/** Keeps a fork with the runs below it. If the engine has been stopped meanwhile, there is no fork. */
async function keepTree(host: ForkHost, tree: readonly [RunJournal, ...RunJournal[]]): Promise<void> {
  const [{ runId }] = tree;
  host.checkNew(runId);
  try {
    if (host.store !== undefined) await appendTree(host.store, tree);
  } catch (error) {
    throw isA(error, StoreConflictError) ? idTaken(runId) : error;
  }
  for (const journal of tree) journal.keptSeq = journal.seq;
  try {
    host.checkNew(runId);
  } catch (error) {
    await host.store?.remove(runId);
    throw error;
  }
}

/** A store that cannot keep a tree at once gets each run behind its parent. */
async function appendTree(store: Store, tree: readonly RunJournal[]): Promise<void> {
  const appends = tree.map((journal) => journal.fresh(0, journal.seq));
  if (store.appendTree !== undefined) return store.appendTree(appends);
  for (const [index, append] of appends.entries()) {
    try {
      await store.append(append);
    } catch (error) {
      if (index > 0) await store.remove((tree[0] as RunJournal).runId);
      throw error;
    }
  }
}
