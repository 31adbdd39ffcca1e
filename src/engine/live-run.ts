import type { AnyActorRef } from 'xstate';
import type { OrchestratorEffects, OrchestratorEvent, RunResult } from '../../machines/orchestrator.ts';
import type { Ending } from '../../machines/task.ts';
import type { CompiledSnapshot } from '../logic/snapshot.ts';
import { isA, isThenable } from '../model/check.ts';
import type { FlowDefinition } from '../model/definition.ts';
import type { Step } from '../model/entry-list.ts';
import { EngineStoppedError, InputError, type Issue, issuesOf, TimeoutError } from '../model/error.ts';
import { journalVersion, type RunFact, type RunSettings, type TaskFact } from '../model/journal.ts';
import { keyPrefixOf } from '../model/key.ts';
import type { Verdict } from '../model/ledger.ts';
import type { Logger } from '../model/logger.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import type { Outcome } from '../model/perform.ts';
import { type Checked, check } from '../model/schema.ts';
import type { SettledRunStatus, SettledStatus } from '../model/status.ts';
import type { Append } from '../store/store.ts';
import type { EngineCore } from './core.ts';
import { Gate } from './gate.ts';
import { type Host, host, setHost } from './host.ts';
import { Keeping, type KeptRun } from './keeping.ts';
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
import type { ValueTexts } from './value-texts.ts';

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
export class LiveRun implements Committer, Host, KeptRun, StepsOwner, TaskRun {
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
  readonly #keeping: Keeping;
  readonly gate: Gate | undefined;
  #commitIsDue = false;
  /** Whether a commit is due that may wait until the event loop has had its turn. */
  #lateCommitIsDue = false;
  /** `seq` of the last entry whose commit must not wait, where others may. */
  #urgentSeq = 0;
  /** Commands that came before it could resume; `undefined` once it has, or if it is new. */
  #early: RunCommand[] | undefined;
  #limit: Timer | undefined;
  #end: End | undefined;
  /** The end of a run that was stopped and has entries left to keep. */
  #lastEnd: End | undefined;
  #result: RunResult | undefined;
  /** `seq` of its last entry, once it is recorded. */
  #endSeq: number | undefined;
  #refusals: Refusals | undefined;
  #onIdle: (() => void) | undefined;
  #whenEnded: readonly ((end: End) => void)[] = [];
  #whenKept: PromiseWithResolvers<void> | undefined;
  /** `seq` of the entry that it waits for. */
  #awaitedSeq = 0;
  #isDrained = false;

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
    if (this.#isResumed) this.#early = [];
    this.#isChecked = isChecked;
    journal.keptBy(core.store);
    const { isLate } = journal;
    this.#keeping = new Keeping(journal, core.store, this);
    this.gate = isLate ? new Gate(journal) : undefined;
    this.#results = new Results(this.definition, isLate);
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

  get texts(): ValueTexts | undefined {
    return this.journal.texts;
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

  /** Whether it takes no more steps: it has settled, or was stopped before. */
  get isOver(): boolean {
    return this.#end !== undefined || this.#lastEnd !== undefined;
  }

  /** Whether it is over, and all that it recorded is kept. */
  get hasEnded(): boolean {
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

  /** Takes a command and adds its instant. Throws `ValueError` for a reason that the store cannot write. */
  command(command: RunCommand): void {
    this.#checkReason(command);
    if (this.#mayTake(command)) this.steps.send({ ...command, at: this.now() }, 'user');
  }

  /** Takes events sent to its actor from outside the engine: only commands. */
  receive(event: unknown): void {
    const command = commandOf(event);
    if (command !== undefined) return this.#admit(command);
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
    const end = this.#end ?? this.#lastEnd;
    return this.steps.snapshot(end?.hasSettled === false ? end : undefined);
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
    let entered: MaybePromise<void>;
    try {
      entered = this.#core.enter(this);
    } catch (error) {
      return this.steps.refuse(error, this.logger);
    }
    this.steps.open();
    if (!isThenable(entered)) return this.#adopt();
    this.holdTime(entered);
    entered.then(
      () => this.#adopt(),
      (error) => this.steps.refuse(error, this.logger),
    );
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
    this.#lanes.hold(isHeld || this.#isDrained);
  }

  /** Makes the run's result once all tasks have settled. */
  conclude(ending: SettledRunStatus): void {
    this.timers.cancel(this.#limit);
    const made = this.#results.make(this.input, ending === 'done', this.journal.texts);
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
    if (task >= 0 || !this.#isKeptAtOnce(fact.type)) return this.#commitLater(fact.type);
    this.#urgentSeq = this.journal.seq;
    this.#keeping.commit();
  }

  recordStep(type: Step, at: number, task: number, attempt?: number, output?: unknown): void {
    this.journal.recordStep(type, at, task, attempt, output);
    this.#commitLater(type);
  }

  // Calls from tasks.

  taskSettled(task: LiveTask, status: SettledStatus, { at, output, error, cause }: Ending): void {
    this.#tasks.remove(task.index);
    if (status === 'done') this.#results.addOutput(task.index, output, this.journal.seq);
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
    return this.#results.depsOf(index, this.journal.shownSeq);
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
    this.#commitIsDue = this.#lateCommitIsDue = false;
    try {
      this.#keeping.commit();
    } catch (error) {
      this.fault(error);
    }
  }

  /** Keeps what a new run has recorded. Throws, or rejects with, the store's error, which also ends the run. */
  keepStart(): MaybePromise<void> {
    try {
      this.#keeping.commit();
    } catch (error) {
      this.stop(error);
      throw error;
    }
    if (this.#end?.hasSettled === false) throw this.#end.error;
    return this.#keeping.isUnderWay ? this.whenKept() : undefined;
  }

  /** Resolves once everything recorded so far is kept. Rejects with the store's error. */
  whenKept(): Promise<void> {
    if (!this.#keeping.isBehind) return Promise.resolve();
    this.#awaitedSeq = this.journal.seq;
    this.#whenKept ??= Promise.withResolvers();
    return this.#whenKept.promise;
  }

  // Calls from the keeping of its journal.

  landed(kept: Append): void {
    if (!this.journal.isLate) {
      this.journal.tell(kept, this.steps.tell);
      this.steps.kept();
      if (this.#whenKept !== undefined) this.#resolveKept();
      return;
    }
    if (kept.seq >= this.#awaitedSeq) this.#resolveKept();
    try {
      const tell = (): void => this.journal.tell(kept, this.steps.tell);
      // A rerun may begin within this: what is recorded from then on is no longer kept by this run.
      if (this.hasSettled) return this.steps.conclude(tell);
      tell();
      this.steps.kept();
      this.gate?.open();
      if (this.#lastEnd !== undefined) this.#finishStopped(this.#lastEnd);
      else if (this.#keeping.isBehind)
        this.#commitLater(this.#urgentSeq > kept.seq ? undefined : 'task.started');
    } catch (error) {
      this.fault(error);
    }
  }

  adopted(): void {
    if (this.#lastEnd !== undefined) return this.#finishStopped(this.#lastEnd);
    if (this.#keeping.isBehind) this.#commitLater(undefined);
    this.#proceed();
  }

  keepingFailed(error: unknown): void {
    this.#whenKept?.reject(error);
    this.#whenKept = undefined;
    if (this.#lastEnd !== undefined) this.#finish({ hasSettled: false, error });
    else this.fault(error);
  }

  doubt(isInDoubt: boolean): void {
    this.#lanes.doubt(isInDoubt);
  }

  holdTime(until: Promise<unknown>): void {
    this.#turn.holdTime(until);
  }

  /** Starts nothing more; attempts under way continue. */
  drain(): void {
    this.#isDrained = true;
    this.#lanes.hold(true);
  }

  /** Calls back whenever an attempt has ended. */
  onIdle(callback: () => void): void {
    this.#onIdle = callback;
  }

  /** Stops the run, which stays unsettled in the store. A no-op if it has settled. */
  stop(error: unknown = new EngineStoppedError()): void {
    if (this.#end !== undefined || this.hasSettled || this.#isSealed) return;
    this.stopped(error);
    this.steps.stop();
  }

  /** Ends a run at once that waits for the store: what is under way may land, which nobody is told. */
  abandon(error: unknown): void {
    if (this.#end !== undefined) return;
    this.#keeping.close();
    this.keepingFailed(error);
    this.steps.stop();
  }

  // The orchestrator's end.

  settle(result: RunResult | undefined): void {
    this.#result = result;
    this.#finish({ hasSettled: true });
  }

  /**
   * Ends the run before it has settled, with everything under way. Entries recorded in this turn are kept; if the store
   * takes its time, it ends once they are.
   */
  stopped(error: unknown): void {
    if (this.isOver) return;
    const isStop = isA(error, EngineStoppedError);
    // A stop of its actor within its last step is too late.
    if (isStop && this.hasSettled) return;
    if (isStop || this.journal.isLate) this.commit();
    // The store may have failed, or a listener may have stopped the run.
    if (this.isOver) return;
    this.timers.cancel(this.#limit);
    this.#tasks.stop();
    // The process may end before the clock's next turn.
    this.timers.adjust();
    const end = { hasSettled: false, error };
    if (!this.#keeping.isUnderWay) return this.#finish(end);
    this.#lastEnd = end;
    this.steps.close();
  }

  get #totalTimeoutMs(): number | undefined {
    return this.settings.totalTimeoutMs ?? this.definition.settings.totalTimeoutMs;
  }

  #isKeptAtOnce(type: string): boolean {
    return endings.has(type) || (changes.has(type) && this.steps.isShown);
  }

  /** Whether its end is on its way to the store: its fate is sealed. */
  get #isSealed(): boolean {
    return this.#endSeq !== undefined && this.#keeping.isUnderWay;
  }

  /** Whether a command may change anything now; one that comes too early is taken later. */
  #mayTake(command: RunCommand): boolean {
    if (this.isOver || this.#endSeq !== undefined) return false;
    this.#early?.push(command);
    return this.#early === undefined;
  }

  /**
   * A start alone may be kept a turn later, where the store takes its time and nobody watches: most bodies of a chain
   * return within it, and then one append has both.
   */
  #commitLater(type: string | undefined): void {
    if (this.journal.isLate) {
      if (type === 'task.started' && !this.#isWatched) return this.#commitLast();
      this.#urgentSeq = this.journal.seq;
    }
    if (this.#commitIsDue) return;
    this.#commitIsDue = true;
    this.#turn.commitLater(this);
  }

  #resolveKept(): void {
    this.#whenKept?.resolve();
    this.#whenKept = undefined;
  }

  #commitLast(): void {
    if (this.#commitIsDue || this.#lateCommitIsDue) return;
    this.#lateCommitIsDue = true;
    this.#turn.afterEventLoop(() => {
      if (this.#lateCommitIsDue) this.commit();
    });
  }

  get #isWatched(): boolean {
    return this.journal.emitter.isHeard || this.steps.isWatched;
  }

  /** Keeps the rest of a stopped run; then it ends. */
  #finishStopped(end: End): void {
    this.#keeping.commit();
    if (!this.#keeping.isUnderWay) this.#finish(end);
  }

  /** Appends what the store lacks of a run that comes from elsewhere, and starts it. */
  #adopt(): void {
    if (this.isOver) return;
    let isAdopted: boolean;
    try {
      // A run that was read from the store is there.
      isAdopted = this.journal.isShared || this.#keeping.isBehind ? this.#keeping.adopt() : true;
    } catch (error) {
      return this.fault(error);
    }
    if (isAdopted) this.#proceed();
  }

  #proceed(): void {
    if (this.#early !== undefined) return this.#resumeWith(this.#early);
    if (this.#isChecked) return this.#begin(this.input);
    this.#check();
  }

  /** Resumes, and then takes the commands that have come meanwhile. */
  #resumeWith(early: readonly RunCommand[]): void {
    this.#early = undefined;
    this.#resume();
    for (const command of early) this.command(command);
  }

  #check(): void {
    const checked = check(this.definition.settings.input, this.input);
    if (checked instanceof Promise) checked.then((late) => this.#accept(late));
    else this.#accept(checked);
  }

  #admit(command: RunCommand): void {
    try {
      this.#checkReason(command);
    } catch (error) {
      return this.logger.warn(`A command for run ${this.id} changes nothing`, error);
    }
    if (this.#mayTake(command)) this.steps.admit({ ...command, at: this.now() });
  }

  #checkReason(command: RunCommand): void {
    if ('reason' in command) this.journal.texts?.check(command.reason);
  }

  #accept(checked: Checked): void {
    if (this.isOver || this.isEnding) return;
    const issues = checked.ok ? this.#unwritable(checked.value) : checked.issues;
    if (checked.ok && issues === undefined) return this.#begin(checked.value);
    const error = new InputError(this.definition.name, issues ?? []);
    this.#results.noteRefusal(error);
    this.send({ type: 'run.cancel', at: this.now(), cause: 'input', reason: error.message });
  }

  /** What keeps the store from writing an input; `undefined` if nothing does. */
  #unwritable(input: unknown): readonly Issue[] | undefined {
    try {
      this.journal.texts?.check(input);
      return undefined;
    } catch (error) {
      return issuesOf(error);
    }
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
    const { status, startedAt, cause, reason } = fold.run;
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
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#keeping.close();
    this.steps.close();
    this.#core.leave(this);
    for (const callback of this.#whenEnded) callback(end);
    this.#whenEnded = [];
  }
}
