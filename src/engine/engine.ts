import type { AnyActorLogic, InspectionEvent } from 'xstate';
import { badOption, boundRule, checkKeys, checkNumber, isA, showValue } from '../model/check.ts';
import { definitionAt } from '../model/child-definition.ts';
import { isChildId, pathOf, placeOf, rootIdOf } from '../model/child-id.ts';
import type { Clock } from '../model/clock.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { type Delivered, type DeliverOptions, type Delivery, readDelivery } from '../model/delivery.ts';
import {
  EngineStoppedError,
  FlowError,
  InputError,
  issuesOf,
  JournalError,
  StoreConflictError,
  StoreError,
} from '../model/error.ts';
import type { Entry, RunSettings } from '../model/journal.ts';
import { checkRunId } from '../model/key.ts';
import { guardLogger, type Logger } from '../model/logger.ts';
import { type MaybePromise, takesTime } from '../model/maybe-promise.ts';
import { newRunId } from '../model/new-run-id.ts';
import { OrderedMap } from '../model/ordered-map.ts';
import { type Checked, check } from '../model/schema.ts';
import { idTaken } from '../model/summary.ts';
import { isShared } from '../store/shared.ts';
import type { RunFilter, RunSummary, Store } from '../store/store.ts';
import type { ChildAttempt } from './child-attempt.ts';
import type { ChildRuns } from './child-runs.ts';
import type { EngineCore } from './core.ts';
import type { Durability } from './durability.ts';
import type { Subscription } from './emitter.ts';
import {
  checkEngine,
  checkFilter,
  checkLogic,
  checkRecover,
  checkStart,
  type EngineSettings,
  type ForkOptions,
  type RecoverOptions,
  type StartOptions,
  type StopOptions,
} from './engine-options.ts';
import { flowsByName, KnownFlows } from './known-flows.ts';
import type { LiveRun, ParentLink } from './live-run.ts';
import type { Waits } from './pending.ts';
import { Pools } from './pools.ts';
import { RecoveryGuard } from './recovery-guard.ts';
import { checkRerun, recordRerun } from './rerun.ts';
import { type HeldRun, quiet, Run } from './run.ts';
import type { RunCommand } from './run-command.ts';
import type { End } from './run-end.ts';
import { RunJournal } from './run-journal.ts';
import { createRunMachine, type LaunchOptions, launch, launchChild, RunLogic } from './run-logic.ts';
import { Limit } from './slots.ts';
import type { StoredJournal } from './stored-run.ts';
import { Turn } from './turn.ts';
import type { UndoRuns } from './undo-runs.ts';
import { type EngineWatcher, Watchers } from './watchers.ts';

const nothing: StartOptions = {};

const watcherKeys = new Set(['kept', 'continued', 'logged']);

/** The longest wait of Node and browser timers. */
const LONGEST_MS = 2 ** 31 - 1;

const timeOfDay: Clock = {
  // Node truncates fractions: an early timer would be set again. A difference of instants may be slightly too long.
  setTimeout: (callback, timeoutMs) => setTimeout(callback, Math.ceil(timeoutMs - 0.001)),
  clearTimeout: (id) => clearTimeout(id as ReturnType<typeof setTimeout>),
};

/** Gives runs time, slots and a store; knows flows only as definitions. */
export class EngineRuns implements EngineCore<LiveRun> {
  readonly logger: Logger;
  readonly random: () => number;
  readonly noLimit = new Limit(Number.POSITIVE_INFINITY);
  readonly store: Store | undefined;
  readonly #limit: Limit;
  readonly #pools: Pools;
  readonly #clock: Clock;
  /** Options for the actors of runs that it starts. */
  readonly #launchOptions: LaunchOptions;
  readonly #keepSettled: number;
  /** Whether settled runs beyond that leave the store too: a store that engines share has its own rule. */
  readonly #removesSettled: boolean;
  readonly #turns = new WeakMap<object, Turn>();
  readonly #live = new OrderedMap<string, LiveRun>();
  readonly #left = new RecoveryGuard((id) => this.store?.read(id) ?? []);
  /** Oldest first. */
  readonly #settled = new OrderedMap<string, LiveRun>();
  readonly #flows: KnownFlows;
  watchers: Watchers<LiveRun> | undefined;
  /** Loaded for a store that others share at once, else when it is first needed. */
  #durability: Promise<Durability> | undefined;
  /** Set once it is loaded. */
  #durable: Durability | undefined;
  /** Loaded for the first run with child runs. */
  #loadingChildRuns: Promise<ChildRuns> | undefined;
  /** Set once they are loaded. */
  #childRuns: ChildRuns | undefined;
  #undoRuns: Promise<UndoRuns> | undefined;
  /** Loaded for the first run with tasks that wait or have conditions. */
  #loadingWaits: Promise<Waits> | undefined;
  /** Set once they are loaded. */
  #waits: Waits | undefined;
  /** Removals that a store has not answered. */
  readonly #removals = new Set<Promise<unknown>>();
  #order = 0;
  #isDraining = false;

  /**
   * @param store keeps the journals; without one, no run outlives its handle
   * @param flows flows of stored runs, known before any run of them starts
   */
  constructor(given: EngineSettings, store?: Store, flows: readonly FlowDefinition[] = []) {
    checkEngine(given);
    const { logger = console, inspect, concurrency = Number.POSITIVE_INFINITY, pools = {} } = given;
    this.logger = guardLogger(logger);
    this.random = given.random ?? Math.random;
    this.store = store;
    this.#limit = new Limit(concurrency);
    this.#pools = new Pools(pools);
    this.#clock = given.clock ?? timeOfDay;
    this.#keepSettled = given.keepSettled ?? 1_000;
    this.#removesSettled = given.keepSettled !== undefined || !isShared(store);
    this.#launchOptions = { clock: this.#clock, inspect: inspect && this.#guard(inspect) };
    this.#flows = new KnownFlows(flows);
    if (isShared(store)) void quiet(this.#loadDurability(store));
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  async start(definition: FlowDefinition, input: unknown, given: StartOptions = nothing): Promise<Run> {
    if (given !== nothing) checkStart(definition, given);
    this.#pools.check(definition);
    if (definition.hasChildren && this.#childRuns === undefined) await this.loadChildRuns();
    if (definition.waits && this.#waits === undefined) await this.#loadWaits();
    const checking = this.accept(definition, input);
    const accepted = checking instanceof Promise ? await checking : checking;
    const { onExisting, id } = given;
    if (onExisting !== 'join') return this.#start(definition, accepted.input, given);
    const { joinOrStart } = await import('./join.ts');
    this.#meet(definition);
    const wanted = { definition, id: id as string, input: accepted.input };
    return joinOrStart(this, wanted, () => this.#start(definition, accepted.input, given));
  }

  /** Starts a run that begins with what had settled in another one by then. */
  async fork(runId: string, given: ForkOptions = {}): Promise<Run> {
    const { forkRun } = await import('./fork-run.ts');
    return forkRun(this, runId, given);
  }

  /** Makes actor logic of a flow, bound to this engine. */
  logic(definition: FlowDefinition, settings: RunSettings = {}): AnyActorLogic {
    checkLogic(definition, settings);
    this.#pools.check(definition);
    this.#meet(definition);
    return new RunLogic(this, definition, settings) as unknown as AnyActorLogic;
  }

  machine(definition: FlowDefinition): ReturnType<typeof createRunMachine> {
    this.#pools.check(definition);
    this.#meet(definition);
    return createRunMachine(this, definition, {});
  }

  /** Recovers the store's unsettled runs of these flows; attempts that were under way run again. */
  async recover(definitions: readonly FlowDefinition[], given: RecoverOptions = {}): Promise<Run[]> {
    checkRecover(given, isShared(this.store));
    const flows = flowsByName(definitions);
    this.#checkStarting();
    if (this.store === undefined) return [];
    const durable = await this.#loadDurability(this.store);
    await durable.recoveries.prepare(definitions);
    this.#checkStarting();
    for (const definition of definitions) this.#meet(definition);
    return durable.recover(flows, given);
  }

  /** Finds a run: under way, settled and kept in memory, or in the store. */
  async run(id: string): Promise<Run | undefined> {
    const found = await this.held(id, 'engine.run');
    return found && this.#handleOf(found);
  }

  async runs(filter: RunFilter = {}): Promise<readonly RunSummary[]> {
    checkFilter(filter);
    return (await this.store?.list(filter)) ?? [];
  }

  async deliver(
    runId: string,
    task: string | readonly string[],
    value: unknown,
    options: DeliverOptions = {},
  ): Promise<Delivered> {
    const delivery = readDelivery('engine.deliver', task, value, options);
    const found = await this.held(runId, 'engine.deliver');
    if (found === undefined)
      throw new FlowError('unknown_run', `There is no run ${showValue(runId)}`, { value: runId });
    return found.deliver(delivery);
  }

  async stop({ graceMs = 0, storeTimeoutMs = 10_000 }: StopOptions = {}): Promise<void> {
    checkNumber({ option: 'graceMs', owner: 'engine.stop' }, graceMs, boundRule);
    checkNumber({ option: 'storeTimeoutMs', owner: 'engine.stop' }, storeTimeoutMs, boundRule);
    this.#isDraining = true;
    for (const run of this.#live.toArray()) run.drain();
    if (graceMs > 0) await this.#drained(graceMs);
    const live = this.#live.toArray();
    for (const run of live) run.stop();
    // In real time, also where the clock is virtual.
    const { promise: isLate, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.min(storeTimeoutMs, LONGEST_MS));
    const waiting = live.filter((run) => !run.hasEnded);
    await Promise.race([isLate, this.#kept(waiting)]);
    for (const run of waiting) run.abandon(storeTooLate(run.id, storeTimeoutMs));
    await Promise.race([isLate, this.#stopSharing()]);
    clearTimeout(timer);
  }

  watch(watcher: EngineWatcher): Subscription {
    checkKeys({ option: 'watcher', owner: 'engine.watch' }, watcher, watcherKeys);
    this.watchers ??= new Watchers((run) => this.#handleOf(run), this.logger);
    const remove = this.watchers.add(watcher);
    for (const run of this.#live.toArray())
      if (run.journal.keptSeq > 0) watcher.continued?.(this.#handleOf(run));
    const unsubscribe = (): void => {
      if (remove()) this.watchers = undefined;
    };
    return { unsubscribe };
  }

  // Services for runs.

  turnOf(given: unknown): Turn {
    const clock = (given as Clock | undefined) ?? this.#clock;
    let turn = this.#turns.get(clock);
    if (turn === undefined) {
      turn = new Turn(clock, this.#limit);
      this.#turns.set(clock, turn);
    }
    return turn;
  }

  nextOrder(): number {
    return this.#order++;
  }

  sharedPool(name: string): Limit {
    return this.#pools.get(name) ?? this.noLimit;
  }

  newJournal(definition: FlowDefinition, runId: string = newRunId()): RunJournal {
    return new RunJournal(runId, definition, this.logger);
  }

  openJournal(definition: FlowDefinition, runId: string, entries: readonly Entry[]): RunJournal {
    if (placeOf(runId) === undefined) checkRunId({ option: 'id', flow: definition.name }, runId);
    return new RunJournal(runId, definition, this.logger, entries);
  }

  /** Begins the run that is the body of an attempt. The code for that is loaded with the first. */
  beginChild(parent: LiveRun, attempt: ChildAttempt): void {
    if (this.#childRuns !== undefined) return this.#childRuns.begin(parent, attempt);
    this.#withChildRuns(parent, attempt, (childRuns) => childRuns.begin(parent, attempt));
  }

  undoChild(parent: LiveRun, attempt: ChildAttempt, done: () => void): void {
    this.#withChildRuns(parent, attempt, (childRuns) => childRuns.undo(parent, attempt, done));
  }

  #withChildRuns(parent: LiveRun, attempt: ChildAttempt, use: (childRuns: ChildRuns) => void): void {
    const loading = this.loadChildRuns().then(
      (childRuns) => {
        if (!attempt.isClosed) use(childRuns);
      },
      (error: unknown) => parent.fault(error),
    );
    parent.holdTime(loading);
  }

  beginUndo(run: LiveRun): void {
    const loading = this.undoRuns().then(
      (undoRuns) => {
        if (!run.isOver) undoRuns.begin(run);
      },
      (error: unknown) => run.fault(error),
    );
    run.holdTime(loading);
  }

  withWaits(run: LiveRun, callback: (waits: Waits) => void): void {
    if (this.#waits !== undefined) return callback(this.#waits);
    const loading = this.#loadWaits().then(
      (waits) => {
        if (!run.isOver) callback(waits);
      },
      (error: unknown) => run.fault(error),
    );
    run.holdTime(loading);
  }

  /** The runs that undo. The code for them is loaded with the first. */
  undoRuns(): Promise<UndoRuns> {
    this.#undoRuns ??= import('./undo-runs.ts').then(({ UndoRuns }) => new UndoRuns(this));
    return this.#undoRuns;
  }

  async readChild(above: FlowDefinition, aboveId: string, runId: string): Promise<RunJournal | undefined> {
    const entries = (await this.store?.read(runId)) ?? [];
    const started = entries.find(({ type }) => type === 'run.started') as
      | { readonly input?: unknown }
      | undefined;
    const path = pathOf(runId).slice(pathOf(aboveId).length);
    const definition = started && definitionAt(above, path, started.input);
    if (definition === undefined) return undefined;
    const journal = new RunJournal(runId, definition, this.logger);
    for (const entry of entries) journal.repeat(entry);
    journal.keptSeq = journal.seq;
    return journal;
  }

  launchChild(journal: RunJournal, input: unknown, parent: ParentLink): LiveRun {
    const run = launchChild(this, journal, input, parent);
    (journal.handle as Run | undefined)?.follow(run);
    return run;
  }

  enter(run: LiveRun): MaybePromise<void> {
    if (this.#live.get(run.id) !== undefined) throw underWay(run.id);
    if (run.parent !== undefined) {
      this.#live.set(run.id, run);
      if (this.#isDraining) run.drain();
      return;
    }
    // A new run may be refused yet, by a store that has another of its id.
    const isNew = run.journal.keptSeq === 0 && !run.journal.isShared;
    const checked = isNew ? undefined : this.#left.check(run.journal);
    this.#live.set(run.id, run);
    this.#durable?.stored.forget(run.id);
    this.#durable?.recoveries.entered(run.id);
    if (this.#isDraining) run.drain();
    if (run.journal.keptSeq > 0) this.watchers?.continued(run);
    if (takesTime(checked)) return checked.then(() => void this.#settled.delete(run.id));
    if (!isNew) this.#settled.delete(run.id);
  }

  leave(run: LiveRun, { error }: End): void {
    if (this.#live.get(run.id) !== run) return;
    this.#live.delete(run.id);
    if (run.parent !== undefined) return;
    this.#left.leave(run.journal);
    // A run in conflict is another's.
    if (!run.hasSettled && !isA(error, StoreConflictError)) void this.#release(run.id);
    // A child run that was taken over for a command goes with its root.
    if (run.result === undefined || isChildId(run.id)) return;
    if (this.#keepSettled === 0) return this.#forget(run.id);
    this.#settled.set(run.id, run);
    if (this.#settled.size <= this.#keepSettled) return;
    this.#forget(this.#settled.shift() as string);
  }

  // Services for runs in a store that others share.

  live(runId: string): LiveRun | undefined {
    return this.#live.get(runId);
  }

  takeOver({ definition, runId, entries }: StoredJournal): LiveRun {
    const journal = this.openJournal(definition, runId, entries);
    const run = this.#launch(journal, journal.settings, undefined);
    run.drain();
    return run;
  }

  /** Has a command carried out for a run that is not under way here; `undefined` if nobody else could. */
  commandElsewhere(runId: string, command: RunCommand): Promise<void> | undefined {
    const shared = this.#durable?.shared;
    return shared && quiet(shared.command(runId, command));
  }

  deliverElsewhere(runId: string, flow: string, delivery: Delivery): Promise<Delivered> | undefined {
    const shared = this.#durable?.shared;
    return shared && quiet(shared.deliver(runId, flow, delivery));
  }

  // Services for those that join a run.

  here(id: string): LiveRun | undefined {
    return this.#live.get(id) ?? this.#settled.get(id);
  }

  async handleFor(id: string, entries: readonly Entry[]): Promise<Run | undefined> {
    const found = await this.#heldOf(id, entries);
    return found && this.#handleOf(found);
  }

  // Services for recoveries.

  liveIds(): readonly string[] {
    return this.#live.toArray().map(({ id }) => id);
  }

  continueFrom(journal: RunJournal): Run {
    this.#pools.check(journal.definition);
    return this.#handleOf(this.#launch(journal, journal.settings, undefined));
  }

  #launch(journal: RunJournal, settings: RunSettings, input: unknown): LiveRun {
    return launch(this, journal, settings, input, this.#launchOptions);
  }

  #start(
    definition: FlowDefinition,
    input: unknown,
    { id, signal, paused, onExisting: _, ...settings }: StartOptions,
  ): MaybePromise<Run> {
    const all = paused === 'until_recovered' ? { ...settings, resumesWhenRecovered: true } : settings;
    const begin = (): MaybePromise<Run> => {
      this.checkNew(id);
      return this.begin(this.newJournal(definition, id), all, input, { signal, paused });
    };
    return isShared(this.store) ? this.#loadDurability(this.store).then(begin) : begin();
  }

  /** Starts a run, and gives it once the store has it. */
  begin(
    journal: RunJournal,
    settings: RunSettings,
    input: unknown,
    { signal, paused }: Pick<StartOptions, 'signal' | 'paused'> = nothing,
  ): MaybePromise<Run> {
    this.#meet(journal.definition);
    this.#durable?.shared?.attach();
    const run = this.#launch(journal, settings, input);
    if (paused) run.command({ type: 'run.pause' });
    const kept = startedBy(run);
    const handle = this.#handleOf(run);
    if (signal !== undefined) this.#cancelOn(signal, handle, run);
    const begun = (): Run => {
      // The id is its own now. If it has settled by now, it has the place already.
      if (this.#live.get(run.id) === run) this.#settled.delete(run.id);
      return handle;
    };
    return takesTime(kept) ? kept.then(begun, (error: unknown) => refuse(run, error)) : begun();
  }

  // Services for forks.

  beginKept(journal: RunJournal): Run {
    this.#meet(journal.definition);
    this.#durable?.shared?.attach();
    return this.continueFrom(journal);
  }

  checkPools(definition: FlowDefinition): void {
    this.#pools.check(definition);
  }

  /** Checks an input: the value that the schema returns, and the store can write. */
  accept(definition: FlowDefinition, input: unknown): MaybePromise<{ readonly input: unknown }> {
    const checking = check(definition.settings.input, input);
    const accept = (checked: Checked): { readonly input: unknown } => {
      if (!checked.ok) throw new InputError(definition.name, checked.issues);
      this.checkWritable(definition, checked.value);
      return { input: checked.value };
    };
    return checking instanceof Promise ? checking.then(accept) : accept(checking);
  }

  checkNew(id: string | undefined): void {
    this.#checkStarting();
    if (id !== undefined && this.#live.get(id) !== undefined) throw idTaken(id);
  }

  async held(id: string, owner: string): Promise<HeldRun | undefined> {
    if (typeof id !== 'string')
      throw badOption({ option: 'id', owner }, 'the id of a run, as `run.id` has it', id);
    const here = this.here(id);
    if (here !== undefined && !(await this.#hasGoneOn(here))) return here;
    const journal = this.here(rootIdOf(id))?.journal.tree?.journals.get(id);
    if (journal !== undefined) return (await this.loadChildRuns()).held(journal, this.#clock);
    return this.#heldOf(id, (await this.store?.read(id)) ?? []);
  }

  /** The run of which the store has these entries. It may have started or been recovered while they were read. */
  async #heldOf(id: string, entries: readonly Entry[]): Promise<HeldRun | undefined> {
    const here = (): LiveRun | undefined => {
      const found = this.here(id);
      const isBehind = found !== this.#live.get(id) && entries.length > (found?.journal.seq ?? 0);
      return isBehind ? undefined : found;
    };
    if (here() !== undefined || entries.length === 0 || this.store === undefined) return here();
    const { stored } = await this.#loadDurability(this.store);
    return here() ?? (await stored.of(id, entries));
  }

  /** Whether a run that has settled here ran again elsewhere. */
  async #hasGoneOn({ id, journal, hasSettled }: LiveRun): Promise<boolean> {
    if (!hasSettled || !isShared(this.store) || this.#live.get(id) !== undefined) return false;
    try {
      return (await this.store.lastSeq(id)) > journal.seq;
    } catch (error) {
      return isA(error, StoreConflictError);
    }
  }

  #handleOf(run: HeldRun): Run {
    run.journal.handle ??= new Run(run, this.#again);
    return run.journal.handle as Run;
  }

  readonly #again = (settled: HeldRun, taskIds: readonly string[] | undefined): LiveRun => {
    checkRerun(settled);
    this.#checkStarting();
    const { id, journal, settings, input } = settled;
    this.#pools.check(journal.definition);
    const live = this.#live.get(id);
    if (live !== undefined && live !== settled) throw underWay(id);
    recordRerun(settled, taskIds);
    // Its last step may not be over.
    this.#live.delete(id);
    return this.#launch(journal, settings, input);
  };

  loadChildRuns(): Promise<ChildRuns> {
    this.#loadingChildRuns ??= import('./child-runs.ts').then(({ ChildRuns }) => {
      this.#childRuns = new ChildRuns(this);
      return this.#childRuns;
    });
    return this.#loadingChildRuns;
  }

  #loadWaits(): Promise<Waits> {
    this.#loadingWaits ??= import('./waits.ts').then(({ EngineWaits }) => {
      this.#waits = new EngineWaits();
      return this.#waits;
    });
    return this.#loadingWaits;
  }

  #loadDurability(store: Store): Promise<Durability> {
    this.#durability ??= import('./durability.ts').then(({ Durability }) => {
      this.#durable = new Durability(this, store, this.#clock, this.#flows);
      return this.#durable;
    });
    return this.#durability;
  }

  async #release(runId: string): Promise<void> {
    const durable = await this.#durability;
    await durable?.shared?.release([runId]);
  }

  async #stopSharing(): Promise<void> {
    const shared = (await this.#durability)?.shared;
    shared?.close();
    await shared?.release([]);
  }

  checkWritable(definition: FlowDefinition, input: unknown): void {
    try {
      if (input !== undefined) this.store?.values?.write(input);
    } catch (error) {
      throw new InputError(definition.name, issuesOf(error));
    }
  }

  #checkStarting(): void {
    if (this.#isDraining) throw new EngineStoppedError('The engine was stopped: it starts no more runs');
  }

  /** Notes a flow for runs that only the store has. */
  #meet(definition: FlowDefinition): void {
    if (this.store !== undefined && this.#flows.meet(definition)) this.#keepFlow(this.store, definition);
  }

  /** Has a flow kept, for a later version to tell how it differs. What hinders the store will hinder its runs too. */
  #keepFlow(store: Store, definition: FlowDefinition): void {
    try {
      const keeping = store.keepFlow?.(definition);
      if (takesTime(keeping)) quiet(keeping);
    } catch {}
  }

  #forget(id: string): void {
    if (!this.#removesSettled) return;
    const failed = (error: unknown): void => this.logger.error(`The store could not forget run ${id}`, error);
    try {
      const removing = this.store?.remove(id);
      if (!takesTime(removing)) return;
      const removal = removing.then(undefined, failed).finally(() => this.#removals.delete(removal));
      this.#removals.add(removal);
    } catch (error) {
      failed(error);
    }
  }

  #cancelOn(signal: AbortSignal, handle: Run, run: LiveRun): void {
    const cancel = (): void => void handle.cancel(signal.reason);
    if (signal.aborted) return cancel();
    signal.addEventListener('abort', cancel, { once: true });
    run.whenEnded(() => signal.removeEventListener('abort', cancel));
  }

  #guard(inspect: (event: InspectionEvent) => void): (event: InspectionEvent) => void {
    return (event) => {
      try {
        inspect(event);
      } catch (error) {
        this.logger.error("The engine's `inspect` threw", error);
      }
    };
  }

  /** Waits for the store to keep what stopped runs recorded. */
  async #kept(runs: readonly LiveRun[]): Promise<void> {
    await Promise.all(runs.map((run) => new Promise<unknown>((end) => run.whenEnded(end))));
    // A run that settles may be one too many to keep.
    await Promise.all(this.#removals);
  }

  #drained(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const { timers } = this.turnOf(this.#clock);
      const done = (): void => {
        timers.cancel(limit);
        resolve();
      };
      const limit = timers.after(graceMs, done);
      const watch = (): void => {
        if (this.#live.toArray().every((run) => run.running.length === 0)) done();
      };
      for (const run of this.#live.toArray()) run.onIdle(watch);
      watch();
    });
  }
}

/** Keeps the start of a run. Throws, or rejects, if its id is taken. */
function startedBy(run: LiveRun): MaybePromise<void> {
  try {
    return run.keepStart();
  } catch (error) {
    return refuse(run, error);
  }
}

function refuse(run: LiveRun, error: unknown): never {
  throw isA(error, StoreConflictError) ? idTaken(run.id) : error;
}

function underWay(runId: string): JournalError {
  const message =
    `Run ${showValue(runId)} is under way, so no other actor can go on with it. ` +
    'Use the one that it has, or stop that first';
  return new JournalError('under_way', message, { runId });
}

function storeTooLate(runId: string, waitedMs: number): StoreError {
  const message =
    `The engine was stopped, and the store has not kept the last entries of run ${showValue(runId)} within ${waitedMs} ms: ` +
    'the run continues from what it has kept';
  return new StoreError('failed', message);
}
