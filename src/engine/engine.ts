import type { AnyActorLogic, AnyActorRef, InspectionEvent } from 'xstate';
import { badOption, boundRule, checkNumber, showValue } from '../model/check.ts';
import { checkJournal } from '../model/check-journal.ts';
import type { Clock } from '../model/clock.ts';
import type { FlowDefinition } from '../model/definition.ts';
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
import type { MaybePromise } from '../model/maybe-promise.ts';
import { atOnce } from '../model/maybe-promise.ts';
import { OrderedMap } from '../model/ordered-map.ts';
import { tasksToRerun } from '../model/rerun.ts';
import { check } from '../model/schema.ts';
import type { RunFilter, RunSummary, Store } from '../store/store.ts';
import type { EngineCore } from './core.ts';
import {
  checkEngine,
  checkFilter,
  checkLogic,
  checkStart,
  type EngineSettings,
  type StartOptions,
  type StopOptions,
} from './engine-options.ts';
import { hostOf } from './host.ts';
import { LeftRuns } from './left-runs.ts';
import type { LiveRun } from './live-run.ts';
import { Run } from './run.ts';
import { RunJournal } from './run-journal.ts';
import { createRunMachine, type LaunchOptions, launch, RunLogic } from './run-logic.ts';
import { Limit } from './slots.ts';
import { Turn } from './turn.ts';

const nothing: StartOptions = {};

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
  readonly #pools: ReadonlyMap<string, Limit>;
  readonly #clock: Clock;
  /** Options for the actors of runs that it starts. */
  readonly #launchOptions: LaunchOptions;
  readonly #keepSettled: number;
  readonly #turns = new WeakMap<object, Turn>();
  readonly #live = new OrderedMap<string, LiveRun>();
  readonly #left = new LeftRuns((id) => this.store?.read(id) ?? []);
  /** Oldest first. */
  readonly #settled = new OrderedMap<string, LiveRun>();
  #order = 0;
  #isDraining = false;

  /** @param store keeps the journals; without one, no run outlives its handle */
  constructor(given: EngineSettings, store?: Store) {
    checkEngine(given);
    const { logger = console, inspect, concurrency = Number.POSITIVE_INFINITY, pools = {} } = given;
    this.logger = guardLogger(logger);
    this.random = given.random ?? Math.random;
    this.store = store;
    this.#limit = new Limit(concurrency);
    this.#pools = new Map(Object.entries(pools).map(([name, slots]) => [name, new Limit(slots)]));
    this.#clock = given.clock ?? timeOfDay;
    this.#keepSettled = given.keepSettled ?? 1_000;
    this.#launchOptions = { clock: this.#clock, inspect: inspect && this.#guard(inspect) };
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  async start(definition: FlowDefinition, input: unknown, given: StartOptions = nothing): Promise<Run> {
    if (given !== nothing) checkStart(definition, given);
    this.#checkPools(definition);
    const checking = check(definition.settings.input, input);
    const checked = checking instanceof Promise ? await checking : checking;
    if (!checked.ok) throw new InputError(definition.name, checked.issues);
    this.#checkWritable(definition, checked.value);
    if (this.#isDraining) throw new EngineStoppedError('The engine was stopped: it starts no more runs');
    const { id, signal, paused, ...settings } = given;
    if (id !== undefined && this.#isTaken(id))
      throw new StoreConflictError(id, `There is a run ${id} already`);
    const run = this.#launch(this.newJournal(definition, id), settings, checked.value);
    if (paused === true) run.command({ type: 'run.pause' });
    const kept = run.keepStart();
    if (kept !== undefined) await kept;
    const handle = this.#handleOf(run);
    if (signal !== undefined) this.#cancelOn(signal, handle, run);
    return handle;
  }

  /** Makes actor logic of a flow, bound to this engine. */
  logic(definition: FlowDefinition, settings: RunSettings = {}): AnyActorLogic {
    checkLogic(definition, settings);
    this.#checkPools(definition);
    return new RunLogic(this, definition, settings) as unknown as AnyActorLogic;
  }

  machine(definition: FlowDefinition): ReturnType<typeof createRunMachine> {
    this.#checkPools(definition);
    return createRunMachine(this, definition, {});
  }

  /** Recovers the store's unsettled runs of these flows; attempts that were under way run again. */
  recover(definitions: readonly FlowDefinition[]): Run[] {
    const byName = new Map<string, FlowDefinition>();
    for (const definition of definitions) {
      if (byName.has(definition.name)) throw duplicateFlow(definition.name);
      byName.set(definition.name, definition);
    }
    const runs: Run[] = [];
    for (const { id, flow } of atOnce(this.store?.list({ settled: false }) ?? [])) {
      const definition = byName.get(flow);
      if (definition === undefined || this.#live.get(id) !== undefined) continue;
      try {
        this.#checkPools(definition);
        const entries = atOnce(this.store?.read(id) ?? []);
        checkJournal(definition, id, entries, {
          owner: `Journal of run ${showValue(id)} of flow \`${flow}\``,
          runId: id,
          path: 'entries',
        });
        const journal = this.openJournal(definition, id, entries);
        runs.push(this.#handleOf(this.#launch(journal, journal.settings, undefined)));
      } catch (error) {
        this.logger.error(
          `Run ${id} of flow \`${flow}\` cannot be recovered; it stays in the store as it is`,
          error,
        );
      }
    }
    return runs;
  }

  run(id: string): Run | undefined {
    if (typeof id !== 'string')
      throw badOption({ option: 'id', owner: 'engine.run' }, 'the id of a run, as `run.id` has it', id);
    const live = this.#live.get(id) ?? this.#settled.get(id);
    return live === undefined ? undefined : this.#handleOf(live);
  }

  runs(filter: RunFilter = {}): readonly RunSummary[] {
    checkFilter(filter);
    return atOnce(this.store?.list(filter) ?? []);
  }

  async stop({ graceMs = 0, storeTimeoutMs = 10_000 }: StopOptions = {}): Promise<void> {
    checkNumber({ option: 'graceMs', owner: 'engine.stop' }, graceMs, boundRule);
    checkNumber({ option: 'storeTimeoutMs', owner: 'engine.stop' }, storeTimeoutMs, boundRule);
    this.#isDraining = true;
    for (const run of this.#live.toArray()) run.drain();
    if (graceMs > 0) await this.#drained(graceMs);
    const live = this.#live.toArray();
    for (const run of live) run.stop();
    await this.#keptOrAbandoned(
      live.filter((run) => !run.hasEnded),
      storeTimeoutMs,
    );
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

  newJournal(definition: FlowDefinition, runId: string = crypto.randomUUID()): RunJournal {
    return new RunJournal(runId, definition, this.logger);
  }

  openJournal(definition: FlowDefinition, runId: string, entries: readonly Entry[]): RunJournal {
    checkRunId({ option: 'id', flow: definition.name }, runId);
    return new RunJournal(runId, definition, this.logger, entries);
  }

  enter(run: LiveRun): MaybePromise<void> {
    if (this.#live.get(run.id) !== undefined) throw underWay(run.id);
    const returned = this.#left.comeBack(run.journal);
    this.#settled.delete(run.id);
    this.#live.set(run.id, run);
    if (this.#isDraining) run.drain();
    return returned;
  }

  leave(run: LiveRun): void {
    if (this.#live.get(run.id) !== run) return;
    this.#live.delete(run.id);
    this.#left.leave(run.journal);
    if (run.result === undefined) return;
    if (this.#keepSettled === 0) return this.#forget(run.id);
    this.#settled.set(run.id, run);
    if (this.#settled.size <= this.#keepSettled) return;
    this.#forget(this.#settled.shift() as string);
  }

  handleOf(actor: AnyActorRef): Run | undefined {
    const live = hostOf<LiveRun | (undefined & object)>(actor);
    return live === undefined ? undefined : this.#handleOf(live);
  }

  #launch(journal: RunJournal, settings: RunSettings, input: unknown): LiveRun {
    return launch(this, journal, settings, input, this.#launchOptions);
  }

  #handleOf(live: LiveRun): Run {
    live.handle ??= new Run(live, this.#again);
    return live.handle as Run;
  }

  readonly #again = (settled: LiveRun, taskIds: readonly string[] | undefined): LiveRun => {
    const { startedAt, status } = settled.journal.foldTo();
    // More entries in the journal mean that it runs again already.
    if (!settled.hasSettled || settled.journal.seq > settled.endSeq) {
      throw new Error(
        `Run ${settled.id} has not settled, it is \`${status}\`: it can run again once it is \`done\`, \`failed\` or \`cancelled\``,
      );
    }
    if (startedAt === null) {
      throw new Error(`Run ${settled.id} never started, since its input was refused: start another`);
    }
    if (this.#isDraining) throw new EngineStoppedError('The engine was stopped: it starts no more runs');
    const { journal, settings } = settled;
    if (taskIds !== undefined && !Array.isArray(taskIds))
      throw badOption({ option: 'taskIds', owner: 'run.rerun' }, 'a list of ids of tasks', taskIds);
    const at = settled.now();
    const { statuses } = journal.foldTo();
    for (const task of tasksToRerun(journal.definition.graph, statuses, taskIds))
      journal.record({ type: 'task.rerun', at }, task);
    // Its last step may not be over.
    this.#live.delete(settled.id);
    const again = this.#launch(journal, settings, settled.input);
    again.handle = settled.handle;
    return again;
  };

  #checkWritable(definition: FlowDefinition, input: unknown): void {
    try {
      if (input !== undefined) this.store?.values?.write(input);
    } catch (error) {
      throw new InputError(definition.name, issuesOf(error));
    }
  }

  #forget(id: string): void {
    try {
      this.store?.remove(id);
    } catch (error) {
      this.logger.error(`The store could not forget run ${id}`, error);
    }
  }

  #isTaken(id: string): boolean {
    if (this.store?.isAsync === true) return this.#live.get(id) !== undefined;
    return this.#live.get(id) !== undefined || atOnce(this.store?.lastSeq(id) ?? 0) > 0;
  }

  /** Checks pools when a run starts: a flow does not know its engine before. */
  #checkPools(definition: FlowDefinition): void {
    const own = definition.settings.pools ?? {};
    for (const name of definition.poolNames) {
      if (Object.hasOwn(own, name) || this.#pools.has(name)) continue;
      const taskId = definition.tasks.find((task) => task.pool === name)?.id;
      const known =
        [...Object.keys(own), ...this.#pools.keys()].map((pool) => `\`${pool}\``).join(', ') || 'none';
      throw badOption(
        { option: 'pool', taskId, flow: definition.name },
        `a pool that the flow or the engine names (${known})`,
        name,
      );
    }
  }

  #cancelOn(signal: AbortSignal, handle: Run, run: LiveRun): void {
    const cancel = (): void => handle.cancel(signal.reason);
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

  /** Waits for the store to keep what stopped runs recorded: real time, also where the clock is virtual. */
  async #keptOrAbandoned(runs: readonly LiveRun[], storeTimeoutMs: number): Promise<void> {
    if (runs.length === 0) return;
    const { promise: isLate, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, storeTimeoutMs);
    await Promise.race([
      isLate,
      Promise.all(runs.map((run) => new Promise<unknown>((end) => run.whenEnded(end)))),
    ]);
    clearTimeout(timer);
    for (const run of runs) run.abandon(storeTooLate(run.id, storeTimeoutMs));
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

function duplicateFlow(name: string): FlowError {
  const message = `Two flows are named \`${name}\`, so it is not clear which one its runs belong to. Pass one of them.`;
  return new FlowError('bad_option', message, { flow: name });
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
