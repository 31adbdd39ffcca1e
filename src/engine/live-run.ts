import type { AnyActorRef } from 'xstate';
import type { OrchestratorEffects, OrchestratorEvent, RunResult } from '../../machines/orchestrator.ts';
import type { Ending } from '../../machines/task.ts';
import type { CompiledSnapshot } from '../logic/snapshot.ts';
import { isA } from '../model/check.ts';
import type { FlowDefinition } from '../model/definition.ts';
import type { Step } from '../model/entry-list.ts';
import { EngineStoppedError, InputError, TimeoutError } from '../model/error.ts';
import { journalVersion, type RunFact, type RunSettings, type TaskFact } from '../model/journal.ts';
import { keyPrefixOf } from '../model/key.ts';
import type { Verdict } from '../model/ledger.ts';
import type { Logger } from '../model/logger.ts';
import type { Outcome } from '../model/perform.ts';
import { type Checked, check } from '../model/schema.ts';
import type { SettledRunStatus, SettledStatus } from '../model/status.ts';
import type { EngineCore } from './core.ts';
import { type Host, host, setHost } from './host.ts';
import type { LiveTask, TaskRun } from './live-task.ts';
import { LiveTasks } from './live-tasks.ts';
import { LocalAttempt } from './local-attempt.ts';
import { childThatEnded, Refusals } from './refusals.ts';
import { Results } from './results.ts';
import { commandOf, type RunCommand } from './run-command.ts';
import type { RunJournal } from './run-journal.ts';
import { RunLanes } from './run-lanes.ts';
import type { RunMachines } from './run-machines.ts';
import { RunSteps, type StepsOwner } from './run-steps.ts';
import type { Lane } from './slots.ts';
import type { Timer, Timers } from './timers.ts';
import type { Committer, Turn } from './turn.ts';

const endings: ReadonlySet<string> = new Set(['run.done', 'run.failed', 'run.cancelled']);
/** Other facts that change the `value` of its actor's snapshot. */
const changes: ReadonlySet<string> = new Set(['run.paused', 'run.resumed', 'run.cancelling']);

/** The end of a run: it settled, or it was stopped or failed before, with an error. */
export interface End {
  readonly hasSettled: boolean;
  readonly error?: unknown;
}

/** The start of a run. */
export interface RunStart {
  readonly settings: RunSettings;
  readonly input: unknown;
  /** Whether the input has been checked already. */
  readonly isChecked: boolean;
  /** Makes the actor of a run that has none, and has the run adopt it. */
  readonly makeActor?: ((run: LiveRun) => void) | undefined;
}

/** A run until it settles or is stopped: carries out the effects of the orchestrator and its tasks. */
export class LiveRun implements Committer, Host, StepsOwner, TaskRun {
  readonly journal: RunJournal;
  readonly definition: FlowDefinition;
  readonly machines: RunMachines;
  readonly carrier = LocalAttempt;
  readonly settings: RunSettings;
  /** Place in start order. */
  readonly order: number;
  input: unknown;
  /** The user's handle, once there is one. */
  handle: object | undefined;
  readonly steps: RunSteps;
  /** The prefix of its tasks' keys. */
  readonly keyPrefix: string;
  readonly #core: EngineCore<LiveRun>;
  readonly #turn: Turn;
  readonly #isResumed: boolean;
  /** Whether the input has been checked already. */
  readonly #isChecked: boolean;
  readonly #tasks: LiveTasks;
  readonly #results: Results;
  readonly #lanes: RunLanes;
  #commitIsDue = false;
  #limit: Timer | undefined;
  #end: End | undefined;
  #result: RunResult | undefined;
  /** `seq` of its last entry, once it is recorded. */
  #endSeq: number | undefined;
  #refusals: Refusals | undefined;
  #onIdle: (() => void) | undefined;
  #whenEnded: readonly ((end: End) => void)[] = [];

  constructor(
    core: EngineCore<LiveRun>,
    journal: RunJournal,
    turn: Turn,
    machines: RunMachines,
    { settings, input, isChecked, makeActor }: RunStart,
  ) {
    this.#core = core;
    this.journal = journal;
    this.definition = journal.definition;
    this.machines = machines;
    this.settings = settings;
    this.input = input;
    this.order = core.nextOrder();
    this.keyPrefix = keyPrefixOf(journal.runId);
    this.#turn = turn;
    this.steps = new RunSteps(this, makeActor && (() => makeActor(this)));
    this.#isResumed = journal.seq > 0;
    this.#isChecked = isChecked;
    this.#results = new Results(this.definition);
    const slots = settings.concurrency ?? this.definition.settings.concurrency;
    this.#lanes = new RunLanes(this.#turn.slots, core, this.definition.settings.pools, slots);
    const left = this.#isResumed ? (task: number) => journal.foldTo().task(task) : undefined;
    this.#tasks = new LiveTasks(this, this.#lanes, left);
  }

  get id(): string {
    return this.journal.runId;
  }

  get timers(): Timers {
    return this.#turn.timers;
  }

  get logger(): Logger {
    return this.#core.logger;
  }

  get random(): () => number {
    return this.#core.random;
  }

  get graceMs(): number {
    return this.definition.settings.graceMs ?? 5_000;
  }

  get [host](): this {
    return this;
  }

  /** Its actor, created on first read. */
  get actor(): AnyActorRef {
    return this.steps.actor;
  }

  get isInspected(): boolean {
    return this.steps.isInspected;
  }

  get forwardsEvents(): boolean {
    return this.settings.forwardEvents ?? this.definition.settings.forwardEvents ?? false;
  }

  /** Whether it is being cancelled, or is out of time. */
  get isEnding(): boolean {
    return this.#tasks.isEnding;
  }

  /** Whether it has settled, or was stopped before. */
  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** `seq` of its last entry; infinite until that is recorded. Later entries belong to a rerun. */
  get endSeq(): number {
    return this.#endSeq ?? Number.POSITIVE_INFINITY;
  }

  /** Whether its end has been kept: listeners may be notified before the last step is over. */
  get hasSettled(): boolean {
    return this.endSeq <= this.journal.keptSeq;
  }

  /** Its result; `undefined` until it has settled and its last step is over. */
  get result(): RunResult | undefined {
    return this.#result;
  }

  /** The first failure that counts, as thrown. Known once the run has settled. */
  get firstFailure(): unknown {
    return this.#results.firstFailure;
  }

  /** Ids of tasks with an attempt under way. */
  get running(): readonly string[] {
    return this.#tasks
      .toArray()
      .filter((task) => task.isRunning)
      .map((task) => task.definition.id);
  }

  /** The current stamp: the time of day, but never before the last entry. */
  now(): number {
    const now = this.#turn.timers.now();
    const { lastAt } = this.journal;
    return now > lastAt ? now : lastAt;
  }

  /** Calls back as the next turn begins. */
  next(callback: () => void): void {
    this.#turn.next(callback);
  }

  /** Calls back once the event loop has had its turn. */
  afterEventLoop(callback: () => void): void {
    this.#turn.afterEventLoop(callback);
  }

  /** Takes a command and adds its instant. */
  command(command: RunCommand): void {
    if (!this.isOver) this.steps.send({ ...command, at: this.now() }, 'user');
  }

  /** Takes events sent to its actor from outside the engine: only commands. */
  receive(event: unknown): void {
    const command = commandOf(event);
    if (command !== undefined) return this.steps.admit({ ...command, at: this.now() });
    const child = childThatEnded(event);
    // A task's machine has reported its end in full before XState does.
    if (child === undefined || this.definition.graph.indexOf(child) < 0) this.refuse(event);
  }

  /** Logs an event that changes nothing. */
  refuse(event: unknown, taskId?: string): void {
    this.#refusals ??= new Refusals(this.logger, this.id);
    this.#refusals.tell(event, taskId);
  }

  /** The first snapshot of an actor made at this point. */
  snapshot(): CompiledSnapshot {
    return this.steps.snapshot(this.#end?.hasSettled === false ? this.#end : undefined);
  }

  /** Makes this the run's actor. */
  adopt(actor: AnyActorRef): void {
    this.steps.adopt(actor);
    setHost(actor, this);
  }

  send(event: OrchestratorEvent): void {
    this.steps.send(event);
  }

  /** Calls back once it has settled, was stopped or failed; at once if it has. Returns a function that cancels this. */
  whenEnded(callback: (end: End) => void): () => void {
    if (this.#end !== undefined) callback(this.#end);
    else this.#whenEnded = [...this.#whenEnded, callback];
    return () => {
      this.#whenEnded = this.#whenEnded.filter((other) => other !== callback);
    };
  }

  // Its tasks' actors, by name.

  find(systemId: string): AnyActorRef | undefined {
    return this.#tasks.get(this.definition.graph.indexOf(systemId.slice(this.keyPrefix.length)))?.actor;
  }

  findAll(): readonly AnyActorRef[] {
    return this.#tasks.toArray().map((task) => task.actor);
  }

  // The orchestrator's effects.

  /** Starts the run: checks the input, or resumes from the journal. */
  open(): void {
    try {
      this.#core.enter(this);
    } catch (error) {
      return this.steps.refuse(error, this.logger);
    }
    this.steps.open();
    try {
      this.journal.adopt();
    } catch (error) {
      return this.fault(error);
    }
    if (this.#isResumed) return this.#resume();
    if (this.#isChecked) return this.#begin(this.input);
    this.#check();
  }

  deliverVerdicts(verdicts: readonly Verdict[], at: number): void {
    for (const verdict of verdicts) this.#tasks.deliver(verdict, at);
  }

  cancelTasks({ cause = 'cancelled', reason, verdicts }: OrchestratorEffects['cancelTasks']): void {
    this.timers.cancel(this.#limit);
    // Some tasks may be notified after the event loop has had its turn: until then they have their claims.
    this.#lanes.hold(true);
    this.#tasks.cancel({ cause, reason }, verdicts);
  }

  /** Holds or releases the start of attempts. */
  holdSlots(isHeld: boolean): void {
    this.#lanes.hold(isHeld || this.#core.isDraining);
  }

  /** Makes the run's result once all tasks have settled. */
  conclude(ending: SettledRunStatus): void {
    this.timers.cancel(this.#limit);
    const made = this.#results.make(this.input, ending === 'done');
    this.send({ type: 'run.conclude', at: this.now(), ...made });
  }

  /**
   * Records a fact that a machine announced. Keeps a run's end at once, since its actor may be done with the next step,
   * and so any change that its actor's next snapshot shows.
   */
  record(fact: RunFact | TaskFact, task = -1): void {
    if (task < 0 && this.#isResumed && !this.journal.isNews(fact)) return;
    this.journal.record(fact, task);
    if (task < 0 && endings.has(fact.type)) this.#endSeq = this.journal.seq;
    if (task < 0 && this.#isKeptAtOnce(fact.type)) this.journal.commit(this.steps.tell);
    else this.#commitLater();
  }

  recordStep(type: Step, at: number, task: number, attempt?: number, output?: unknown): void {
    this.journal.recordStep(type, at, task, attempt, output);
    this.#commitLater();
  }

  // Calls from tasks.

  taskSettled(task: LiveTask, status: SettledStatus, { at, output, error, cause }: Ending): void {
    this.#tasks.remove(task.index);
    if (status === 'done') this.#results.addOutput(task.index, output);
    else this.#results.addEnding(task.index, status, error, cause);
    this.steps.taskSettled(at, task.index, status, task.knownActor);
  }

  /** Stores the error as thrown, for `outputs()`. */
  noteFailure(error: unknown, index: number): void {
    this.#results.noteFailure(error, index);
  }

  fault(error: unknown): void {
    this.steps.fault(error);
  }

  leaveSlot(lane: Lane): void {
    this.#turn.slots.free(lane);
    this.#onIdle?.();
  }

  depsOf(index: number): Record<string, unknown> {
    return this.#results.depsOf(index);
  }

  outcomesOf(index: number): Record<string, Outcome> {
    return this.journal.outcomesOf(index);
  }

  keyOf(taskId: string): string {
    return this.keyPrefix + taskId;
  }

  timeoutError(): TimeoutError {
    return new TimeoutError(
      `Run ${this.id} of flow \`${this.definition.name}\``,
      'totalTimeoutMs',
      this.#totalTimeoutMs ?? 0,
    );
  }

  commit(): void {
    this.#commitIsDue = false;
    try {
      if (this.journal.commit(this.steps.tell)) this.steps.kept();
    } catch (error) {
      this.fault(error);
    }
  }

  /** Keeps all recorded entries. Throws the store's error, which also ends the run. */
  commitOrThrow(): void {
    try {
      if (this.journal.commit(this.steps.tell)) this.steps.kept();
    } catch (error) {
      this.stop(error);
      throw error;
    }
  }

  /** Starts nothing more; attempts under way continue. */
  drain(): void {
    this.#lanes.hold(true);
  }

  /** Calls back whenever an attempt has ended. */
  onIdle(callback: () => void): void {
    this.#onIdle = callback;
  }

  /** Stops the run, which stays unsettled in the store. A no-op if it has settled. */
  stop(error: unknown = new EngineStoppedError()): void {
    if (this.#end !== undefined || this.hasSettled) return;
    this.stopped(error);
    this.steps.stop();
  }

  // The orchestrator's end.

  settle(result: RunResult | undefined): void {
    this.#result = result;
    this.#finish({ hasSettled: true });
  }

  /** Ends the run before it has settled, with everything under way. Entries recorded in this turn are kept. */
  stopped(error: unknown): void {
    if (this.isOver) return;
    if (isA(error, EngineStoppedError)) {
      // A stop of its actor within its last step is too late.
      if (this.hasSettled) return;
      this.commit();
    }
    // The store may have failed, or a listener may have stopped the run.
    if (this.isOver) return;
    this.timers.cancel(this.#limit);
    this.#tasks.stop();
    // The process may end before the clock's next turn.
    this.timers.adjust();
    this.#finish({ hasSettled: false, error });
  }

  get #totalTimeoutMs(): number | undefined {
    return this.settings.totalTimeoutMs ?? this.definition.settings.totalTimeoutMs;
  }

  #isKeptAtOnce(type: string): boolean {
    return endings.has(type) || (changes.has(type) && this.steps.isShown);
  }

  #commitLater(): void {
    if (this.#commitIsDue) return;
    this.#commitIsDue = true;
    this.#turn.commitLater(this);
  }

  #check(): void {
    const checked = check(this.definition.settings.input, this.input);
    if (checked instanceof Promise) checked.then((late) => this.#accept(late));
    else this.#accept(checked);
  }

  #accept(checked: Checked): void {
    if (this.isOver || this.isEnding) return;
    if (checked.ok) return this.#begin(checked.value);
    const error = new InputError(this.definition.name, checked.issues);
    this.#results.noteRefusal(error);
    this.send({ type: 'run.cancel', at: this.now(), cause: 'input', reason: error.message });
  }

  #begin(input: unknown): void {
    this.input = input;
    const at = this.now();
    this.#startLimit(this.#totalTimeoutMs);
    const { name, hash } = this.definition;
    const settings = Object.keys(this.settings).length > 0 ? { settings: this.settings } : {};
    this.send({
      type: 'run.start',
      at,
      version: journalVersion,
      flow: name,
      flowHash: hash,
      input,
      ...settings,
    });
  }

  #resume(): void {
    const fold = this.journal.foldTo();
    const { status, startedAt, cause, reason } = fold.view();
    const at = this.now();
    if (startedAt !== null) this.input = fold.input;
    this.#results.takeUp(fold);
    if (status === 'cancelling')
      return this.send({ type: 'run.cancel', at, cause: cause ?? 'cancelled', reason });
    // Stopped before its input was accepted.
    if (startedAt === null) {
      if (status === 'paused') this.send({ type: 'run.pause', at });
      return this.#check();
    }
    const from = this.journal.rerunAt ?? startedAt;
    const leftMs = from + (this.#totalTimeoutMs ?? Number.POSITIVE_INFINITY) - at;
    // Not by a timer: before it fires, slots could be given out and bodies called.
    if (leftMs <= 0) return this.#expire();
    this.#startLimit(leftMs);
    this.send({ type: 'run.recover', at });
    if (status === 'paused') this.send({ type: 'run.pause', at });
  }

  #startLimit(leftMs: number | undefined): void {
    if (leftMs !== undefined) this.#limit = this.timers.after(leftMs, () => this.#expire());
  }

  #expire(): void {
    const { message } = this.timeoutError();
    this.send({ type: 'run.cancel', at: this.now(), cause: 'timeout', reason: message });
  }

  #finish(end: End): void {
    this.#end = end;
    this.steps.close();
    this.#core.leave(this);
    for (const callback of this.#whenEnded) callback(end);
    this.#whenEnded = [];
  }
}
