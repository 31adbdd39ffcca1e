import type { AnyActorRef } from 'xstate';
import type { OrchestratorEffects, OrchestratorEvent, RunResult } from '../../machines/orchestrator.ts';
import type { Ending } from '../../machines/task.ts';
import type { CompiledSnapshot } from '../logic/snapshot.ts';
import { isA, isThenable } from '../model/check.ts';
import { childIdOf } from '../model/child-id.ts';
import { type FlowDefinition, isChildBody } from '../model/definition.ts';
import type { Delivered, Delivery } from '../model/delivery.ts';
import type { Fact, Step } from '../model/entry-list.ts';
import { EngineStoppedError } from '../model/error.ts';
import type { ChildUndo, ParentTask, RunSettings } from '../model/journal.ts';
import type { Verdict } from '../model/ledger.ts';
import type { Logger } from '../model/logger.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import type { Outcome } from '../model/perform.ts';
import type { SettledRunStatus, SettledStatus } from '../model/status.ts';
import { endingOf } from '../model/summary.ts';
import { tasksToUndo } from '../model/to-undo.ts';
import type { UndoInput } from '../model/undo-flow.ts';
import type { ChildView } from '../model/view.ts';
import { type Owner, owner, setOwner } from './actor-owner.ts';
import type { ChildAttempt } from './child-attempt.ts';
import type { EngineCore } from './core.ts';
import { Gate } from './gate.ts';
import type { LiveTask, TaskRun } from './live-task.ts';
import { LiveTasks } from './live-tasks.ts';
import { LocalAttempt } from './local-attempt.ts';
import type { Waits } from './pending.ts';
import { childThatEnded, Refusals } from './refusals.ts';
import { type Made, Results } from './results.ts';
import { commandOf, type RunCommand } from './run-command.ts';
import { type CommittedRun, RunCommits } from './run-commits.ts';
import { RunConfig } from './run-config.ts';
import { type End, RunEnd } from './run-end.ts';
import type { RunJournal } from './run-journal.ts';
import { RunLanes } from './run-lanes.ts';
import type { RunMachines } from './run-machines.ts';
import { type OpeningRun, RunOpening } from './run-opening.ts';
import { RunSteps, type StepsOwner } from './run-steps.ts';
import type { RunTree, Tally } from './run-tree.ts';
import type { Lane } from './slots.ts';
import type { Timers } from './timers.ts';
import type { Turn } from './turn.ts';
import type { ValueTexts } from './value-texts.ts';
import type { BodyLine } from './watchers.ts';

/** Other facts that change the `value` of its actor's snapshot. */
const changes: ReadonlySet<string> = new Set(['run.paused', 'run.resumed', 'run.cancelling']);

/** The start of a run. */
export interface RunStart {
  readonly settings: RunSettings;
  readonly input: unknown;
  /** Whether the input has been checked already. */
  readonly isChecked: boolean;
  /** Makes the actor of a run that has none, and binds it to the run. */
  readonly makeActor?: ((run: LiveRun) => void) | undefined;
  /** Of a child run. */
  readonly parent?: ParentLink | undefined;
}

/** What a child run has from the run above it. */
export interface ParentLink {
  readonly run: LiveRun;
  /** The task whose body it is, in the life and the attempt for which it runs; none of a run that undoes that above. */
  readonly task?: ParentTask | undefined;
  /** Whether it undoes what the run above did. */
  readonly isUndo?: boolean | undefined;
  /** Why it is undone, where its own end does not say so. */
  readonly undoneFor?: UndoInput | undefined;
  /** How often tasks in it were undone in earlier lives, by their keys below its own. */
  readonly undone?: Readonly<Record<string, number>> | undefined;
  /** The key of the task. */
  readonly key: string;
  readonly priority: number;
  /** The actor of the task. */
  readonly actor: AnyActorRef;
}

const nothing: readonly string[] = [];

/** The id of the actor of a run that undoes another, whose actor is its parent. */
export const undoActor = '#undo';

/** The facts of a task that say how the tasks of its child run are. */
const saysOfChild: ReadonlySet<string> = new Set([
  'task.retrying',
  'task.done',
  'task.failed',
  'task.cancelled',
]);

/** A run until it settles or is stopped: carries out the effects of the orchestrator and its tasks. */
export class LiveRun implements CommittedRun, Owner, OpeningRun, StepsOwner, TaskRun {
  readonly journal: RunJournal;
  readonly definition: FlowDefinition;
  readonly machines: RunMachines;
  readonly carrier = LocalAttempt;
  readonly config: RunConfig;
  /** Place in start order. */
  readonly order: number;
  readonly priority: number;
  /** Of a child run. */
  readonly parent: ParentLink | undefined;
  input: unknown;
  readonly steps: RunSteps;
  readonly gate: Gate | undefined;
  readonly #core: EngineCore<LiveRun>;
  readonly #turn: Turn;
  readonly #opening: RunOpening;
  readonly #end = new RunEnd();
  readonly #tasks: LiveTasks;
  readonly #results: Results;
  readonly #lanes: RunLanes;
  readonly #commits: RunCommits;
  /** Of a child run. */
  readonly #tally: Tally | undefined;
  /** The run that undoes what this one did, while it is under way. */
  undoing: LiveRun | undefined;
  /** What it ends with, once what it did has been undone. */
  #made: Made | undefined;
  #refusals: Refusals | undefined;
  #onIdle: (() => void) | undefined;
  #isDrained = false;
  /** `seq` of the entry that must be kept before slots are released, infinite until it is recorded. */
  #resumption: number | undefined;
  /** `seq` of the first entry of a task that settled here. */
  #firstSettledSeq = Number.POSITIVE_INFINITY;

  constructor(
    core: EngineCore<LiveRun>,
    journal: RunJournal,
    turn: Turn,
    machines: RunMachines,
    { settings, input, isChecked, makeActor, parent }: RunStart,
  ) {
    this.#core = core;
    this.journal = journal;
    this.definition = journal.definition;
    this.machines = machines;
    this.config = new RunConfig(journal.runId, this.definition, settings, journal.version, parent?.key);
    this.parent = parent;
    this.priority = parent?.priority ?? 0;
    this.input = input;
    this.order = core.nextOrder();
    this.#turn = turn;
    this.steps = new RunSteps(this, makeActor && (() => makeActor(this)));
    journal.keptBy(core.store);
    this.#commits = new RunCommits(journal, core.store, turn, this);
    this.gate = journal.isLate ? new Gate(journal) : undefined;
    this.#results = journal.prepared?.results ?? new Results(this.definition, journal.isLate);
    this.#opening = new RunOpening(this, this.#results, isChecked);
    this.#lanes = new RunLanes(
      turn.slots,
      core,
      this.definition.settings.pools,
      this.config.concurrency,
      parent?.run.lanes,
      parent?.isUndo,
    );
    this.#tally = parent && journal.tree?.tallyOf(journal);
    const before = this.#opening.isRecovery ? (task: number) => journal.foldTo().task(task) : undefined;
    this.#tasks = new LiveTasks(this, this.#lanes, before);
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

  get settings(): RunSettings {
    return this.config.settings;
  }

  get [owner](): this {
    return this;
  }

  /** Its actor, created on first read. */
  get actor(): AnyActorRef {
    return this.steps.actor;
  }

  get isInspected(): boolean {
    return this.steps.isInspected;
  }

  /** Whether it is being cancelled, or is out of time. */
  get isEnding(): boolean {
    return this.#tasks.isEnding;
  }

  /** Whether it takes no more steps: it has settled, or was stopped before. */
  get isOver(): boolean {
    return this.#end.isOver;
  }

  /** Whether it is over, and all that it recorded is kept. */
  get hasEnded(): boolean {
    return this.#end.hasEnded;
  }

  /** `seq` of its last entry; infinite until that is recorded. Later entries belong to a rerun. */
  get endSeq(): number {
    return this.#end.seq;
  }

  /** Whether its end has been kept: listeners may be notified before the last step is over. */
  get hasSettled(): boolean {
    return this.endSeq <= this.journal.keptSeq;
  }

  /** Its result; `undefined` until it has settled and its last step is over. */
  get result(): RunResult | undefined {
    return this.#end.result;
  }

  /** The first failure that counts, as thrown. Known once the run has settled. */
  get firstFailure(): unknown {
    return this.#results.firstFailure;
  }

  /** Whether the start of an attempt must be kept before its body is called. */
  get keepsStarts(): boolean {
    return this.journal.hasLosses && this.journal.keptSeq < this.#firstSettledSeq;
  }

  /** Ids of tasks with a body under way; those of child runs are theirs. */
  get running(): readonly string[] {
    return this.#tasks
      .toArray()
      .filter((task) => task.isPerforming)
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

  /** Delivers a value to a task of it, or of a run below. */
  async deliver(delivery: Delivery): Promise<Delivered> {
    const { deliverTo } = await import('./deliveries.ts');
    return deliverTo(this, delivery);
  }

  /** Takes events sent to its actor from outside the engine: only commands. */
  receive(event: unknown): void {
    const command = commandOf(event);
    if (command !== undefined) return this.#deliver(command);
    const child = childThatEnded(event);
    if (child === undoActor) return;
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
    return this.steps.snapshot(this.#end.cut);
  }

  /** Makes this the run's actor. */
  bindActor(actor: AnyActorRef): void {
    this.steps.bindActor(actor);
    setOwner(actor, this);
  }

  send(event: OrchestratorEvent): void {
    this.steps.send(event);
  }

  /** Calls back once it has settled, was stopped or failed; at once if it has. Returns a function that cancels this. */
  whenEnded(callback: (end: End) => void): () => void {
    return this.#end.whenEnded(callback);
  }

  // Its tasks' actors, by name.

  find(systemId: string): AnyActorRef | undefined {
    const { namePrefix } = this.config;
    const end = this.config.escapes ? systemId.slice(namePrefix.length).search(/[#/]/) : -1;
    const name = end < 0 ? systemId : systemId.slice(0, namePrefix.length + end);
    const task = this.#tasks.get(this.definition.graph.indexOf(this.config.taskNamed(name)));
    if (end < 0) return task?.actor;
    const child = task?.child as LiveRun | undefined;
    if (child === undefined || !`${systemId}/`.startsWith(child.config.namePrefix)) return undefined;
    return systemId === child.id ? child.actor : child.find(systemId);
  }

  findAll(): readonly AnyActorRef[] {
    return this.#tasks.toArray().flatMap((task) => {
      const child = task.child as LiveRun | undefined;
      return child === undefined ? [task.actor] : [task.actor, child.actor, ...child.findAll()];
    });
  }

  // Its child runs.

  /** Whether it began here, so that no child run of it can be known elsewhere. */
  get isNew(): boolean {
    return !this.#opening.isRecovery;
  }

  /** Of a child run: the run from which it has what was done already. */
  get continues(): string | undefined {
    return this.journal.continues;
  }

  get turn(): Turn {
    return this.#turn;
  }

  get lanes(): RunLanes {
    return this.#lanes;
  }

  /** What is known of the runs below it. */
  get tree(): RunTree<RunJournal> {
    return this.journal.wholeTree;
  }

  childJournal(runId: string): Promise<RunJournal | undefined> {
    return this.#core.readChild(this.definition, this.id, runId);
  }

  beginChild(attempt: ChildAttempt): void {
    const { body } = attempt.task.definition;
    if (body.kind === 'undo') return body.begin(attempt);
    this.#core.beginChild(this, attempt);
  }

  undoChild(attempt: ChildAttempt, done: () => void): void {
    this.#core.undoChild(this, attempt, done);
  }

  attemptToUndo(index: number): number | undefined {
    if (!this.definition.hasUndo) return undefined;
    const { status, attempts, child } = this.journal.foldTo().task(index);
    return status === 'retrying' && child?.undo === 'open' ? attempts : undefined;
  }

  // Its tasks that wait, and conditions.

  withWaits(task: LiveTask, callback: (waits: Waits) => void): void {
    let isLate = false;
    this.#core.withWaits(this, (waits) => {
      if (!isLate || this.#tasks.get(task.index) === task) callback(waits);
    });
    isLate = true;
  }

  deliveryFor(index: number): { readonly value: unknown } | undefined {
    return this.journal.deliveryFor(index);
  }

  /** The run under way that is the body of a task; `undefined` if there is none. */
  childOf(index: number): LiveRun | undefined {
    return this.#tasks.get(index)?.child as LiveRun | undefined;
  }

  /** Records that a value has come for a task, which takes it if it waits for it. */
  takeDelivery(index: number, value: unknown, key: string | undefined): void {
    const at = this.now();
    this.record({ type: 'task.delivered', at, value, ...(key !== undefined && { key }) }, index);
    const task = this.#tasks.get(index);
    if (task !== undefined && !this.#tasks.isEnding) task.delivered(at, value);
  }

  // The orchestrator's effects.

  /** Starts the run: checks the input, or recovers from the journal. */
  open(): void {
    let entered: MaybePromise<void>;
    try {
      entered = this.#core.enter(this);
    } catch (error) {
      return this.steps.refuse(error, this.logger);
    }
    this.steps.open();
    if (!isThenable(entered)) return this.#backfill();
    this.holdTime(entered);
    entered.then(
      () => this.#backfill(),
      (error) => this.steps.refuse(error, this.logger),
    );
  }

  deliverVerdicts(verdicts: readonly Verdict[], at: number): void {
    for (const verdict of verdicts) this.#tasks.deliver(verdict, at);
  }

  cancelTasks({ cause = 'cancelled', reason, verdicts }: OrchestratorEffects['cancelTasks']): void {
    this.#opening.cancelLimit();
    this.#resumption = undefined;
    // Some tasks may be notified after the event loop has had its turn: until then they have their claims.
    this.#lanes.hold(true);
    this.#tasks.cancel({ cause, reason }, verdicts);
  }

  /** Holds or releases the start of attempts. */
  holdSlots(isHeld: boolean): void {
    // Where keeping takes time, a crash could undo the resumption until it is kept.
    this.#resumption = !isHeld && this.journal.isLate ? Number.POSITIVE_INFINITY : undefined;
    if (this.#resumption === undefined) this.#lanes.hold(isHeld || this.#isDrained);
  }

  /** Makes the run's result once all tasks have settled. */
  conclude(ending: SettledRunStatus): void {
    this.#opening.cancelLimit();
    const made = this.#results.make(this.input, ending === 'done', this.journal.texts);
    const tasks = ending === 'done' && made.error === undefined ? nothing : this.#tasksToUndo();
    if (tasks.length === 0) return this.send({ type: 'run.conclude', at: this.now(), ...made });
    this.#made = made;
    this.send({ type: 'run.compensate', at: this.now(), error: made.error, tasks });
  }

  /** Undoes what is to be undone, in a run of its own. */
  undo(): void {
    this.#core.beginUndo(this);
  }

  /** What it ends with, once what it did has been undone. */
  get made(): Made {
    this.#made ??= {
      ...this.#results.make(this.input, false, this.journal.texts),
      ...(this.journal.foldTo().compensation?.error && { error: this.journal.foldTo().compensation?.error }),
    } as Made;
    return this.#made;
  }

  /** Ends: what it did has been undone, as far as that went. */
  endUndo(): void {
    this.undoing = undefined;
    this.send({ type: 'run.conclude', at: this.now(), ...this.made });
  }

  /**
   * Records a fact that a machine announced. Keeps a run's end at once, since its actor may be done with the next step,
   * and so any change that its actor's next snapshot shows.
   */
  record(fact: Fact, task = -1): void {
    if (task < 0 && this.#opening.isRecovery && !this.journal.isNews(fact)) return;
    this.journal.record(this.definition.hasChildren ? this.#withChild(fact, task) : fact, task);
    if (fact.type === 'run.resumed' && this.#resumption !== undefined) this.#resumption = this.journal.seq;
    if (task < 0 && endingOf(fact) !== undefined) this.#end.seq = this.journal.seq;
    if (task < 0 && this.#isKeptAtOnce(fact)) this.#keepAtOnce();
    else this.#commits.later(fact.type);
  }

  recordStep(type: Step, at: number, task: number, attempt?: number, output?: unknown): void {
    if (type === 'task.done' && this.definition.hasChildren)
      return this.record({ type, at, attempt: attempt as number, output }, task);
    this.journal.recordStep(type, at, task, attempt, output);
    this.#commits.later(type);
  }

  // Calls from tasks.

  taskSettled(task: LiveTask, status: SettledStatus, { at, output, error, cause }: Ending): void {
    this.#tasks.remove(task.index);
    if (this.#tally !== undefined) this.#tally[status]++;
    if (this.#firstSettledSeq > this.journal.seq) this.#firstSettledSeq = this.journal.seq;
    if (status === 'done') this.#results.addOutput(task.index, output, this.journal.seq);
    else this.#results.addEnding(task.index, status, error, cause);
    if (this.journal.isLate && isChildBody(task.definition.body)) this.tree.drop(this.#childIdOf(task.index));
    this.steps.taskSettled(at, task.index, status, task.knownActor);
  }

  /** Stores the error as thrown, for `outputs()`. */
  noteFailure(error: unknown, index: number): void {
    this.#results.noteFailure(error, index);
  }

  logged(line: BodyLine): void {
    this.#core.watchers?.logged(this, line);
  }

  fault(error: unknown): void {
    this.steps.fault(error);
  }

  leaveSlot(lane: Lane): void {
    this.#turn.slots.release(lane);
    this.#onIdle?.();
  }

  depsOf(index: number): Record<string, unknown> {
    return this.#results.depsOf(index, this.journal.shownSeq);
  }

  outcomesOf(index: number): Record<string, Outcome> {
    return this.journal.outcomesOf(index);
  }

  keyOf(taskId: string): string {
    return this.config.keyOf(taskId, this.#undosOf(taskId));
  }

  /** A key unique to the next undo of a task. */
  undoKeyOf(taskId: string): string {
    return this.config.undoKeyOf(taskId, this.#undosOf(taskId));
  }

  // What it recorded is kept.

  get isWatched(): boolean {
    const { emitter, tree } = this.journal;
    return emitter.isHeard || tree?.emitter.isHeard === true || this.steps.isWatched || this.keepsStarts;
  }

  /** Keeps what a new run has recorded. Throws, or rejects with, the store's error, which also ends the run. */
  keepStart(): MaybePromise<void> {
    try {
      this.#commits.now();
    } catch (error) {
      this.stop(error);
      throw error;
    }
    if (this.#end.cut !== undefined) throw this.#end.cut.error;
    return this.#commits.keeping.isUnderWay ? this.whenKept() : undefined;
  }

  /** Resolves once everything recorded so far is kept. Rejects with the store's error. */
  whenKept(): Promise<void> {
    return this.#commits.whenKept();
  }

  landed(from: number, to: number): void {
    this.#commits.landed(to);
    this.#core.watchers?.kept(this);
    if (!this.journal.isLate) {
      this.journal.tell(from, to, this.steps.tell);
      this.steps.kept();
      return;
    }
    try {
      this.#landedLate(from, to);
    } catch (error) {
      this.fault(error);
    }
  }

  backfilled(): void {
    if (this.#end.closing !== undefined) return this.#finishClosing(this.#end.closing);
    if (this.#commits.keeping.isBehind) this.#commits.later(undefined);
    this.#proceed();
  }

  keepingFailed(error: unknown): void {
    this.#commits.failed(error);
    if (this.#end.closing !== undefined) this.#finish({ hasSettled: false, error });
    else this.fault(error);
  }

  doubt(isInDoubt: boolean): void {
    this.#lanes.doubt(isInDoubt);
  }

  get canHoldTime(): boolean {
    return this.#turn.canHoldTime;
  }

  holdTime(until: Promise<unknown>): void {
    this.#turn.holdTime(until);
  }

  /** Starts nothing more; attempts under way continue. */
  drain(): void {
    this.#isDrained = true;
    this.#lanes.hold(true);
    this.undoing?.drain();
  }

  /** Whether it starts nothing more. */
  get isDrained(): boolean {
    return this.#isDrained;
  }

  /** Calls back whenever an attempt has ended. */
  onIdle(callback: () => void): void {
    this.#onIdle = callback;
  }

  /** Stops the run, which stays unsettled in the store. A no-op if it has settled. */
  stop(error: unknown = new EngineStoppedError()): void {
    if (this.hasEnded || this.hasSettled || (this.#end.isSealed && this.journal.isLate)) return;
    this.stopped(error);
    this.steps.stop();
  }

  /** Ends a run at once that waits for the store: what is under way may land, which nobody is told. */
  abandon(error: unknown): void {
    if (this.hasEnded) return;
    this.#commits.keeping.close();
    this.keepingFailed(error);
    this.steps.stop();
  }

  // The orchestrator's end.

  settle(result: RunResult | undefined): void {
    this.#end.result = result;
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
    if (isStop || this.journal.isLate) this.#commits.commit();
    // The store may have failed, or a listener may have stopped the run.
    if (this.isOver) return;
    this.#opening.cancelLimit();
    this.#tasks.stop();
    this.undoing?.stop(error);
    // The process may end before the clock's next turn.
    this.timers.adjust();
    const end = { hasSettled: false, error };
    if (!this.#commits.keeping.isUnderWay) return this.#finish(end);
    this.#end.close(end);
    this.steps.close();
  }

  /** The end of a task, or of its attempt, with what it says of its child run. */
  #withChild(fact: Fact, task: number): Fact {
    const body = saysOfChild.has(fact.type) ? this.definition.tasks[task]?.body : undefined;
    if (body === undefined || !isChildBody(body)) return fact;
    // A run that waits for its retry is not read where its parent is recovered.
    const id = this.#childIdOf(task);
    const known = (): ChildView | undefined => this.journal.foldTo().task(task).child;
    const child = this.tree.countsOf(id) ?? known()?.counts;
    if (child === undefined) return fact;
    const undo = this.definition.hasUndo ? (this.#undoIn(id) ?? known()?.undo) : undefined;
    return { ...fact, child, ...(undo && { undo }) } as Fact;
  }

  /** What undo has to do with a child run that has ended, as far as it is known here. */
  #undoIn(childId: string): ChildUndo | undefined {
    const journal = this.tree.journals.get(childId);
    if (journal === undefined || !journal.definition.hasUndo) return undefined;
    const fold = journal.foldTo();
    const { compensation } = fold;
    if (compensation !== undefined) return compensation.status === 'failed' ? 'failed' : 'done';
    return tasksToUndo(journal.definition, fold).length > 0 ? 'open' : undefined;
  }

  /** Ids of the tasks that are to be undone before it ends. A child run is undone as its parent asks. */
  #tasksToUndo(): readonly string[] {
    if (this.parent !== undefined || !this.definition.hasUndo) return nothing;
    return tasksToUndo(this.definition, this.journal.foldTo());
  }

  #undosOf(taskId: string): number {
    return this.journal.hasUndone ? this.journal.undosOf(this.definition.graph.indexOf(taskId)) : 0;
  }

  /** The id of the current child run of a task. */
  #childIdOf(task: number): string {
    return childIdOf(this.id, this.definition.graph.ids[task] as string, this.journal.lives.of(task).life);
  }

  /** Keeps what has been recorded, that of the runs above first: a store has no child run before its parent. */
  #keepAtOnce(): void {
    const above: LiveRun[] = [];
    let next = this.journal.isLate ? undefined : this.parent?.run;
    for (; next !== undefined; next = next.parent?.run) {
      if (!next.#commits.keeping.isBehind) break;
      above.push(next);
    }
    for (const run of above.reverse()) run.#commits.commit();
    this.#commits.now();
  }

  #isKeptAtOnce(fact: Fact): boolean {
    const { type } = fact;
    if (endingOf(fact) !== undefined || type === 'run.compensating') return true;
    return changes.has(type) && this.steps.isShown;
  }

  /** Whether a command may change anything now; one that comes too early is taken later. */
  #mayTake(command: RunCommand): boolean {
    if (this.parent?.isUndo === true) return false;
    return !this.isOver && !this.#end.isSealed && !this.#opening.defers(command);
  }

  #deliver(command: RunCommand): void {
    try {
      this.#checkReason(command);
    } catch (error) {
      return this.logger.warn(`A command for run ${this.id} changes nothing`, error);
    }
    if (this.#mayTake(command)) this.steps.deliver({ ...command, at: this.now() });
  }

  #checkReason(command: RunCommand): void {
    if ('reason' in command) this.journal.texts?.check(command.reason);
  }

  /** Appends what the store lacks of a run that comes from elsewhere, and starts it. */
  #backfill(): void {
    if (this.isOver) return;
    const { keeping } = this.#commits;
    let hasAll: boolean;
    try {
      // A run that was read from the store is there.
      hasAll = this.journal.isShared || keeping.isBehind ? keeping.backfill() : true;
    } catch (error) {
      return this.fault(error);
    }
    // A rerun, or a change of its flow.
    if (hasAll && keeping.isBehind) this.#commits.later(undefined);
    if (hasAll) this.#proceed();
  }

  /** Goes on once the store has the runs below too. */
  #proceed(): void {
    const { store } = this.#core;
    const { tree } = this.journal;
    if (store === undefined || tree?.isFromElsewhere !== true) return this.#opening.proceed();
    tree.isFromElsewhere = false;
    const keeping = import('./backfill-tree.ts')
      .then(({ backfillTree }) => backfillTree(store, tree.journals.values()))
      .then(
        () => this.isOver || this.#opening.proceed(),
        (error) => this.fault(error),
      );
    this.holdTime(keeping);
  }

  #landedLate(from: number, to: number): void {
    const tell = (): void => this.journal.tell(from, to, this.steps.tell);
    // A rerun may begin within this: what is recorded from then on is no longer kept by this run.
    if (this.hasSettled) return this.steps.conclude(tell);
    tell();
    this.steps.kept();
    if (this.#resumption !== undefined && this.#resumption <= to) this.#releaseSlots();
    this.gate?.open();
    if (this.#end.closing !== undefined) this.#finishClosing(this.#end.closing);
    else this.#commits.next(to);
  }

  #releaseSlots(): void {
    this.#resumption = undefined;
    this.#lanes.hold(this.#isDrained);
  }

  /** Keeps the rest of a stopped run; then it ends. */
  #finishClosing(end: End): void {
    this.#commits.keeping.commit();
    if (!this.#commits.keeping.isUnderWay) this.#finish(end);
  }

  #finish(end: End): void {
    const callbacks = this.#end.finish(end);
    if (callbacks === undefined) return;
    this.#commits.keeping.close();
    // Who waits for what a store could not keep.
    this.#commits.failed(end.error);
    this.#lanes.close();
    this.steps.close();
    this.#core.leave(this, end);
    for (const callback of callbacks) callback(end);
  }
}
