import type { AnyActorLogic, AnyActorRef, InspectionEvent } from 'xstate';
import {
  badOption,
  boundRule,
  checkFunction,
  checkKeys,
  checkMethods,
  checkNumber,
  isA,
  showValue,
} from '../model/check.ts';
import { checkJournal } from '../model/check-journal.ts';
import type { Clock } from '../model/clock.ts';
import { type FlowDefinition, slotRule } from '../model/definition.ts';
import {
  EngineStoppedError,
  FlowError,
  InputError,
  JournalError,
  StoreConflictError,
} from '../model/error.ts';
import type { Entry, RunSettings } from '../model/journal.ts';
import { checkRunId } from '../model/key.ts';
import { guardLogger, type Logger } from '../model/logger.ts';
import { PassingMap } from '../model/passing-map.ts';
import { tasksToRerun } from '../model/rerun.ts';
import { check } from '../model/schema.ts';
import type { RunFilter, RunSummary, Store } from '../store/store.ts';
import type { EngineCore } from './core.ts';
import { hostOf } from './host.ts';
import { LeftRuns } from './left-runs.ts';
import type { LiveRun } from './live-run.ts';
import type { OwnJournals } from './own-journals.ts';
import { Run } from './run.ts';
import { RunJournal } from './run-journal.ts';
import { createRunMachine, type LaunchOptions, launch, RunLogic } from './run-logic.ts';
import { Limit } from './slots.ts';
import { Turn } from './turn.ts';

/** The options of an engine. */
export interface EngineSettings {
  /** Keeps the journals. Without a store they live with their runs, which cannot be recovered. */
  readonly store?: Store | undefined;
  /** The maximum of concurrent attempts of all runs. Default: no limit. */
  readonly concurrency?: number | undefined;
  /** Slots of named pools, shared by all runs. Default: none. */
  readonly pools?: Readonly<Record<string, number>> | undefined;
  /** The clock of runs that the engine starts; a spawned run uses its system's. Default: the time of day. */
  readonly clock?: Clock | undefined;
  /** Receives XState's inspection events of runs that the engine starts. Its errors go to the logger. */
  readonly inspect?: ((event: InspectionEvent) => void) | undefined;
  /** Default: `console`. */
  readonly logger?: Logger | undefined;
  /** The number of settled runs kept, in the store too; the oldest go first. Default 1,000. */
  readonly keepSettled?: number | undefined;
  /** The source of jitter, from 0, below 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

export interface StartOptions extends Omit<RunSettings, 'forwardEvents'> {
  /** The run's id: new to the store, without `/`. Default: a random UUID. */
  readonly id?: string | undefined;
  /** Starts the run paused: accepted and kept, but no attempt starts before `resume`. Default false. */
  readonly paused?: boolean | undefined;
  /** Cancels the run when aborted, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface StopOptions {
  /** Milliseconds that attempts under way may continue; their output is kept. Default 0. */
  readonly graceMs?: number | undefined;
}

const engineOptions = new Set([
  'store',
  'concurrency',
  'pools',
  'clock',
  'inspect',
  'logger',
  'keepSettled',
  'random',
]);
const logicOptions = new Set(['concurrency', 'totalTimeoutMs', 'forwardEvents']);
const filterOptions = new Set(['flow', 'settled', 'newestFirst', 'before', 'limit']);
const startOptions = new Set(['id', 'paused', 'signal', 'concurrency', 'totalTimeoutMs']);

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
  readonly #journals: { readonly store?: Store | undefined; readonly own?: OwnJournals | undefined };
  /** The source of kept journals. */
  readonly #kept: Pick<Store, 'read' | 'list' | 'remove'> | undefined;
  readonly #limit: Limit;
  readonly #pools: ReadonlyMap<string, Limit>;
  readonly #clock: Clock;
  /** Options for the actors of runs that it starts. */
  readonly #launchOptions: LaunchOptions;
  readonly #keepSettled: number;
  readonly #turns = new WeakMap<object, Turn>();
  readonly #live = new PassingMap<string, LiveRun>();
  readonly #left = new LeftRuns((id) => this.#kept?.read(id) ?? []);
  /** Oldest first. */
  readonly #settled = new PassingMap<string, LiveRun>();
  #order = 0;
  #isDraining = false;

  /** @param own keeps the journals if there is no store; without either, settled runs are not kept */
  constructor(given: EngineSettings, own?: OwnJournals) {
    checkEngine(given);
    const { logger = console, inspect, concurrency = Number.POSITIVE_INFINITY, pools = {} } = given;
    this.logger = guardLogger(logger);
    this.random = given.random ?? Math.random;
    this.#journals = { store: given.store, own };
    this.#kept = given.store ?? own;
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
    if (this.#isDraining) throw new EngineStoppedError('The engine was stopped: it starts no more runs');
    const { id, signal, paused, ...settings } = given;
    if (id !== undefined && this.#isTaken(id))
      throw new StoreConflictError(id, `There is a run ${id} already`);
    const run = this.#launch(this.newJournal(definition, id), settings, checked.value);
    if (paused === true) run.command({ type: 'run.pause' });
    run.commitOrThrow();
    const handle = this.#handleOf(run);
    if (signal !== undefined) this.#cancelOn(signal, handle, run);
    return handle;
  }

  /** Makes actor logic of a flow, bound to this engine. */
  logic(definition: FlowDefinition, settings: RunSettings = {}): AnyActorLogic {
    checkSettings(definition, settings, logicOptions);
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
    for (const { id, flow } of this.#kept?.list({ settled: false }) ?? []) {
      const definition = byName.get(flow);
      if (definition === undefined || this.#live.get(id) !== undefined) continue;
      try {
        this.#checkPools(definition);
        const entries = this.#kept?.read(id) ?? [];
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
    return this.#kept?.list(filter) ?? [];
  }

  async stop({ graceMs = 0 }: StopOptions = {}): Promise<void> {
    checkNumber({ option: 'graceMs', owner: 'engine.stop' }, graceMs, boundRule);
    this.#isDraining = true;
    for (const run of this.#live.toArray()) run.drain();
    if (graceMs > 0) await this.#drained(graceMs);
    for (const run of this.#live.toArray()) run.stop();
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
    return new RunJournal(runId, definition, this.#journals, this.logger);
  }

  openJournal(definition: FlowDefinition, runId: string, entries: readonly Entry[]): RunJournal {
    checkRunId({ option: 'id', flow: definition.name }, runId);
    return new RunJournal(runId, definition, this.#journals, this.logger, entries);
  }

  enter(run: LiveRun): void {
    if (this.#live.get(run.id) !== undefined) throw underWay(run.id);
    this.#left.comeBack(run.journal);
    this.#settled.delete(run.id);
    this.#live.set(run.id, run);
    if (this.#isDraining) run.drain();
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
    const { startedAt, status } = settled.journal.view();
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

  #forget(id: string): void {
    try {
      this.#kept?.remove(id);
    } catch (error) {
      this.logger.error(`The store could not forget run ${id}`, error);
    }
  }

  #isTaken(id: string): boolean {
    const { store, own } = this.#journals;
    if (this.#live.get(id) !== undefined || own?.has(id) === true) return true;
    return store !== undefined && store.read(id).length > 0;
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

function checkEngine(given: EngineSettings): void {
  const place = (option: string) => ({ option, owner: 'createEngine' });
  checkKeys(place('options'), given, engineOptions);
  const { concurrency, pools = {}, keepSettled, inspect, random } = given;
  if (concurrency !== undefined) checkNumber(place('concurrency'), concurrency, slotRule);
  if (keepSettled !== undefined)
    checkNumber(place('keepSettled'), keepSettled, { min: 0, integer: true, infinity: true });
  for (const [name, slots] of Object.entries(pools)) checkNumber(place(`pools.${name}`), slots, slotRule);
  if (inspect !== undefined) checkFunction(place('inspect'), inspect);
  if (random !== undefined) checkFunction(place('random'), random);
  checkMethods(place('store'), given.store, ['append', 'read', 'list', 'remove']);
  checkMethods(place('clock'), given.clock, ['setTimeout', 'clearTimeout']);
  checkMethods(place('logger'), given.logger, ['error', 'warn', 'info']);
}

function checkStart(definition: FlowDefinition, given: StartOptions): void {
  checkSettings(definition, given, startOptions);
  const place = (option: string) => ({ option, flow: definition.name });
  const { id, paused, signal } = given;
  if (id !== undefined) checkRunId(place('id'), id);
  if (paused !== undefined && typeof paused !== 'boolean')
    throw badOption(place('paused'), 'true or false', paused);
  if (signal !== undefined && !isA(signal, AbortSignal))
    throw badOption(place('signal'), 'an AbortSignal', signal);
}

function checkFilter(given: RunFilter): void {
  const place = (option: string) => ({ option, owner: 'engine.runs' });
  checkKeys(place('filter'), given, filterOptions);
  const { flow, settled, newestFirst, before, limit } = given;
  if (flow !== undefined && typeof flow !== 'string')
    throw badOption(place('filter.flow'), 'the name of a flow', flow);
  for (const [option, value] of Object.entries({ settled, newestFirst }))
    if (value !== undefined && typeof value !== 'boolean')
      throw badOption(place(`filter.${option}`), 'true or false', value);
  if (before !== undefined) checkNumber(place('filter.before'), before, { min: 0, infinity: true });
  if (limit !== undefined)
    checkNumber(place('filter.limit'), limit, { min: 1, integer: true, infinity: true });
}

function checkSettings({ name }: FlowDefinition, given: RunSettings, known: ReadonlySet<string>): void {
  const place = (option: string) => ({ option, flow: name });
  checkKeys(place('options of the run'), given, known);
  const { concurrency, totalTimeoutMs, forwardEvents } = given;
  if (concurrency !== undefined) checkNumber(place('concurrency'), concurrency, slotRule);
  if (totalTimeoutMs !== undefined) checkNumber(place('totalTimeoutMs'), totalTimeoutMs, boundRule);
  if (forwardEvents !== undefined && typeof forwardEvents !== 'boolean') {
    throw badOption(place('forwardEvents'), 'true or false', forwardEvents);
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
