import type { RunResult } from '../../machines/orchestrator.ts';
import { isA, isThenable, showValue } from '../model/check.ts';
import { childDefinition } from '../model/child-definition.ts';
import { childIdOf, pathOf, placeOf } from '../model/child-id.ts';
import type { Clock } from '../model/clock.ts';
import { type ChildBody, canUndo, type FlowDefinition, type TaskDefinition } from '../model/definition.ts';
import { EngineStoppedError, FlowError, InputError, RunFailedError } from '../model/error.ts';
import type { ParentTask } from '../model/journal.ts';
import { defineItems } from '../model/map-definition.ts';
import { type MaybePromise, takesTime } from '../model/maybe-promise.ts';
import type { PerformScope } from '../model/perform.ts';
import { type Checked, check } from '../model/schema.ts';
import { endingOf } from '../model/summary.ts';
import type { ChildAttempt } from './child-attempt.ts';
import type { EngineCore } from './core.ts';
import { adopt } from './flow-change.ts';
import { recordContinued } from './fork.ts';
import { MapItemScope } from './item-scope.ts';
import type { LiveRun, ParentLink } from './live-run.ts';
import { recordAgain } from './rerun.ts';
import type { End } from './run-end.ts';
import type { RunJournal } from './run-journal.ts';
import { AttemptScope } from './scope.ts';
import { readStoredChild } from './stored-child.ts';
import { resultOf } from './stored-result.ts';
import { StoredRun } from './stored-run.ts';
import type { UndoCounts } from './undo-counts.ts';
import type { UndoRuns } from './undo-runs.ts';

/** The largest number of items of a map. */
const MOST_ITEMS = 1_000_000;

/** The engine that starts runs and has them continue. */
export interface ChildHost extends EngineCore<LiveRun> {
  launchChild(journal: RunJournal, input: unknown, parent: ParentLink): LiveRun;
  checkWritable(definition: FlowDefinition, input: unknown): void;
  undoRuns(): Promise<UndoRuns>;
}

/** One attempt whose body is a run, in its parent. */
interface Begun {
  readonly attempt: ChildAttempt;
  readonly parent: LiveRun;
  readonly task: TaskDefinition;
  readonly index: number;
  readonly body: ChildBody;
  readonly place: ParentTask;
  readonly id: string;
  readonly scope: PerformScope;
  /** How often tasks in it were undone in earlier lives, once that is known. */
  readonly undone?: UndoCounts;
}

/**
 * The runs that are bodies of tasks. What an attempt begins depends on the journal of its child run: none, and it
 * starts; unsettled, and it goes on; settled in this attempt, or done, and its end is taken; settled in an earlier attempt,
 * and what is not done there runs again.
 */
export class ChildRuns {
  readonly #host: ChildHost;

  constructor(host: ChildHost) {
    this.#host = host;
  }

  begin(parent: LiveRun, attempt: ChildAttempt): void {
    const begun = begunOf(parent, attempt);
    this.#then(begun, this.#journalOf(begun), (journal) =>
      journal === undefined ? this.#beginNew(begun) : this.#goOn(begun, journal),
    );
  }

  /** Has the run of a failed attempt undone, since no retry follows. Calls back after that; not if it was stopped. */
  undo(parent: LiveRun, attempt: ChildAttempt, done: () => void): void {
    const begun = begunOf(parent, attempt);
    const { journals } = parent.tree;
    this.#then(begun, parent.whenKept(), () =>
      this.#then(begun, this.#journalOf(begun), (journal) => {
        if (journal === undefined) return done();
        journals.set(journal.runId, journal);
        this.#undo(begun, journal, done);
      }),
    );
  }

  /** A run that has settled here, to look at. */
  held(journal: RunJournal, clock: Clock): StoredRun {
    const { runId, definition, seq } = journal;
    const ending = endingOf(journal.entry(seq));
    return new StoredRun(this.#host, clock, { runId, definition, entries: journal.toEntries(), ending });
  }

  // A run that is new.

  #beginNew(begun: Begun): void {
    const { attempt, parent, index, place } = begun;
    if (attempt.isEnding) return attempt.threw(undefined);
    if (begun.undone === undefined && mayHaveBeenUndone(begun)) return this.#countUndone(begun);
    const isFirst = !parent.journal.lives.keepsDone(index, place.life) && parent.continues === undefined;
    if (isFirst) return this.#start(begun);
    this.#then(begun, this.#predecessorOf(begun), (before) => {
      if (attempt.isEnding) return attempt.threw(undefined);
      if (before === undefined) this.#start(begun);
      else this.#continue(begun, before);
    });
  }

  /** Finds out what was undone in earlier lives; then it begins. */
  #countUndone(begun: Begun): void {
    const { parent, index } = begun;
    const find = async (id: string): Promise<RunJournal | undefined> =>
      parent.tree.journals.get(id) ?? this.#host.readChild(parent.definition, parent.id, id);
    const counting = import('./undo-counts.ts').then(({ undoneBefore }) =>
      undoneBefore(parent.journal, index, find),
    );
    this.#then(begun, counting, (undone = {}) => this.#beginNew({ ...begun, undone }));
  }

  #start(begun: Begun): void {
    const { body, scope } = begun;
    let given: unknown;
    try {
      given = body.kind === 'map' ? body.over(scope) : body.input?.(scope);
    } catch (error) {
      return this.#refuse(begun, error);
    }
    if (!isThenable(given)) return this.#startWith(begun, given);
    this.#await(
      begun,
      Promise.resolve(given),
      (value) => this.#startWith(begun, value),
      (error) => this.#refuse(begun, error),
    );
  }

  #startWith(begun: Begun, given: unknown): void {
    const { attempt, body } = begun;
    if (attempt.isEnding) return attempt.threw(undefined);
    try {
      if (body.kind === 'map') return this.#launchNew(begun, this.#listOf(begun, given));
    } catch (error) {
      return this.#refuse(begun, error);
    }
    const { flow } = body;
    const checked = check(flow.settings.input, given);
    if (takesTime(checked)) this.#await(begun, checked, (result) => this.#takeInput(begun, flow, result));
    else this.#takeInput(begun, flow, checked);
  }

  #takeInput(begun: Begun, flow: FlowDefinition, result: Checked): void {
    const { attempt } = begun;
    if (attempt.isEnding) return attempt.threw(undefined);
    if (result.ok) this.#launchNew(begun, result.value);
    else this.#refuse(begun, new InputError(flow.name, result.issues));
  }

  #launchNew(begun: Begun, input: unknown): void {
    const definition = this.#definitionOf(begun, input);
    try {
      this.#host.checkWritable(definition, input);
    } catch (error) {
      return this.#refuse(begun, error);
    }
    this.#launch(begun, this.#host.newJournal(definition, begun.id), input);
  }

  /** The items of a map, read whole. */
  #listOf({ task, parent }: Begun, given: unknown): readonly unknown[] {
    const iterable = given as Iterable<unknown> | null | undefined;
    if (typeof iterable !== 'object' || iterable === null || !(Symbol.iterator in iterable))
      throw notAList(parent.definition.name, task.id, given);
    const items: unknown[] = [];
    for (const item of iterable)
      if (items.push(item) > MOST_ITEMS) throw tooMany(parent.definition.name, task.id);
    return items;
  }

  /** Begins with what is done in an earlier life of the task. */
  #continue(begun: Begun, before: RunJournal): void {
    const { input } = before.foldTo();
    const definition = this.#definitionOf(begun, input);
    const journal = this.#host.newJournal(definition, begun.id);
    recordContinued(journal, before, begun.place, begun.parent.now(), givenUndone(begun));
    this.#launch(begun, journal, input);
  }

  /**
   * The last run that had the meaning of this one: of an earlier life that this one continues, or in the run that its parent
   * continues.
   */
  async #predecessorOf({ parent, task, index, place }: Begun): Promise<RunJournal | undefined> {
    let above = parent.journal;
    let { life } = place;
    let keepsDone = above.lives.keepsDone(index, life);
    for (;;) {
      if (life > 1 && !keepsDone) return undefined;
      if (life === 1) {
        const continued = above.continues;
        const earlier = continued === undefined ? undefined : await this.#journalAt(parent, continued);
        if (earlier === undefined || !earlier.isUpstreamDone(index)) return undefined;
        above = earlier;
        life = above.lives.of(index).life;
      } else life--;
      keepsDone = above.lives.keepsDone(index, life);
      const id = childIdOf(above.runId, task.id, life);
      const found = await this.#journalAt(parent, id);
      if (found !== undefined) return found;
    }
  }

  // A run that there is.

  #goOn(begun: Begun, journal: RunJournal): void {
    const { attempt, parent, place, body } = begun;
    const { compensation, input } = journal.foldTo();
    // Who made the journal may have been another attempt, or have known no items: a fork, or a snapshot.
    if (body.kind === 'map' && Array.isArray(input)) journal.definition = this.#definitionOf(begun, input);
    const ending = endingOf(journal.entry(journal.seq));
    const { definition, runId } = journal;
    const isAsked = isSameAttempt(lastPlaceOf(journal), place);
    // It ended for good before its undo began.
    if (compensation !== undefined && (isAsked || ending === undefined)) {
      if (isAsked && wasTimedOut(begun, journal)) attempt.due();
      const result = resultOf(journal, journal.seq, compensation.ending);
      return this.#report(begun, journal, result, undefined);
    }
    if (ending === undefined) {
      return this.#launch(begun, this.#reopened(begun, journal), undefined);
    }
    if (attempt.isEnding && (!definition.hasUndo || ending === 'done')) {
      if (parent.tree.countsOf(runId) === undefined) parent.tree.tallyOf(journal);
      return attempt.threw(undefined);
    }
    const isOver = attempt.isEnding || isAsked || (ending === 'done' && compensation === undefined);
    const result = (): RunResult => resultOf(journal, journal.seq, ending);
    if (isOver && (attempt.isEnding || !wasEndedByParent(journal)))
      return this.#report(begun, journal, result(), undefined);
    this.#repeat(begun, journal, result);
  }

  /** The journal to go on with: where the run was under way here, with a fold in which that is over. */
  #reopened({ parent }: Begun, journal: RunJournal): RunJournal {
    const { definition, runId } = journal;
    if (parent.tree.countsOf(runId) === undefined) return journal;
    return this.#host.openJournal(definition, runId, journal.toEntries());
  }

  /** Has what is not done run again; if all is, the run ends as it did. */
  #repeat(begun: Begun, journal: RunJournal, result: () => RunResult): void {
    const now = begun.parent.now();
    const hasMore = recordAgain(journal, undefined, now, begun.place);
    const { definition } = journal;
    if (hasMore && journal.foldTo().flowHash !== definition.hash)
      adopt(journal, now, { verdict: 'adopt', changes: [], dropped: [] });
    if (hasMore) this.#launch(begun, journal, undefined);
    else this.#report(begun, journal, result(), undefined);
  }

  /**
   * A child run's journal: known here, or in the store, which cannot have it if its parent began here. That of a task that
   * has not settled stays known.
   */
  #journalOf(begun: Begun): MaybePromise<RunJournal | undefined> {
    const { parent, id } = begun;
    const known = parent.tree.journals.get(id);
    if (known !== undefined || parent.isNew || this.#host.store === undefined) return known;
    return this.#read(id, (input) => this.#definitionOf(begun, input), parent);
  }

  /** The journal of any run of the tree. */
  async #journalAt(parent: LiveRun, id: string): Promise<RunJournal | undefined> {
    const known = parent.tree.journals.get(id);
    if (known !== undefined) return known;
    const { definition } = parent;
    // An earlier life of the parent has the parent's flow.
    const isSame = pathOf(id).length === pathOf(parent.id).length;
    const taskId = placeOf(id)?.taskId ?? '';
    const define = (input: unknown): FlowDefinition =>
      (isSame ? undefined : childDefinition(definition, taskId, input)) ?? definition;
    return this.#read(id, define, parent);
  }

  #read(
    id: string,
    define: (input: unknown) => FlowDefinition,
    parent: LiveRun,
  ): MaybePromise<RunJournal | undefined> {
    return readStoredChild(this.#host, parent, id, define);
  }

  // Either way.

  #launch(begun: Begun, journal: RunJournal, input: unknown): void {
    const { attempt, parent, place, id, scope } = begun;
    journal.tree = parent.tree;
    journal.hasLosses = parent.keepsStarts;
    parent.tree.journals.set(id, journal);
    const { task } = attempt;
    const link: ParentLink = {
      run: parent,
      task: place,
      key: scope.idempotencyKey,
      priority: task.priority,
      undone: givenUndone(begun),
      get actor() {
        return task.actor;
      },
    };
    const run = this.#host.launchChild(journal, input, link);
    attempt.child = run;
    attempt.place = place;
    run.whenEnded((end) => parent.next(() => this.#ended(begun, run, end)));
    if (attempt.isEnding) attempt.passOn(attempt.signal.reason as Error);
  }

  #ended(begun: Begun, run: LiveRun, { hasSettled, error }: End): void {
    const { attempt, parent } = begun;
    attempt.child = undefined;
    if (attempt.isClosed) return;
    // The parent ended it, and has lost that since: it goes on.
    if (hasSettled && !attempt.isEnding && wasEndedByParent(run.journal))
      return this.#repeat(begun, run.journal, () => run.result as RunResult);
    if (hasSettled) return this.#report(begun, run.journal, run.result as RunResult, run.firstFailure);
    if (isA(error, EngineStoppedError)) attempt.threw(error);
    else parent.fault(error);
  }

  #report(begun: Begun, journal: RunJournal, result: RunResult, firstFailure: unknown): void {
    const { attempt, body, parent } = begun;
    const { definition, runId } = journal;
    // It may have settled elsewhere.
    if (parent.tree.countsOf(runId) === undefined) parent.tree.tallyOf(journal);
    if (result.status === 'done')
      return attempt.returned(
        body.kind === 'map' ? listOf(result.outputs, definition.tasks.length) : result.outputs,
      );
    const { run } = journal.foldTo();
    const error = new RunFailedError(
      definition.name,
      runId,
      result.status,
      result.status === 'failed' ? result.failures : [],
      run.reason,
      firstFailure === undefined ? undefined : { cause: firstFailure },
    );
    const isExceeded = result.status === 'failed' && hasExceeded(definition, run.cause);
    const cause = result.status === 'cancelled' ? 'cancelled' : isExceeded ? 'tolerance' : undefined;
    const fail = (): void => (cause === undefined ? attempt.threw(error) : attempt.refused(error, cause));
    if (!definition.hasUndo) return fail();
    if (journal.foldTo().compensation === undefined && attempt.retriesAfter(error, cause)) return fail();
    this.#undo(begun, journal, () => attempt.failed(error, cause ?? 'exhausted'));
  }

  /** Has a child run undone that failed or was cancelled, since no retry follows; then its task settles. */
  #undo(begun: Begun, journal: RunJournal, fail: () => void): void {
    const { attempt, parent, scope, place } = begun;
    attempt.closing();
    const link = { task: place, key: scope.idempotencyKey, priority: attempt.task.priority };
    const loading = this.#host.undoRuns();
    this.#then(begun, loading, (undoRuns) => undoRuns.reopen({ by: parent, attempt, journal, link }, fail));
  }

  /** Fails the task for good: what its child run is made of cannot be made. */
  #refuse({ attempt }: Begun, error: unknown): void {
    attempt.refused(error, 'input');
  }

  #definitionOf({ parent, task, body, scope }: Begun, input: unknown): FlowDefinition {
    if (body.kind === 'flow') return body.flow;
    const items = input as readonly unknown[];
    return defineItems(
      parent.definition.name,
      task,
      items.length,
      (own) => new MapItemScope(own, scope, items),
    );
  }

  /**
   * Goes on with a value of the user's code, once it is there; unless the attempt is over by then. Time passes meanwhile,
   * and an attempt that ends then waits only for its grace.
   */
  #await<Value>(
    begun: Begun,
    value: Promise<Value>,
    next: (value: Value) => void,
    failed: (error: unknown) => void = (error) => begun.parent.fault(error),
  ): void {
    const { attempt } = begun;
    const take = (go: () => void): void => {
      attempt.isPreparing = false;
      this.#take(begun, go);
    };
    attempt.isPreparing = true;
    value.then(
      (there) => take(() => next(there)),
      (error: unknown) => take(() => failed(error)),
    );
  }

  /** Goes on with a value of the store or the engine, once it is there; unless the attempt is over by then. */
  #then<Value>(begun: Begun, value: MaybePromise<Value>, next: (value: Value) => void): void {
    if (!takesTime(value)) return next(value);
    const late = value.then(
      (there) => this.#take(begun, () => next(there)),
      (error: unknown) => begun.parent.fault(error),
    );
    begun.parent.holdTime(late);
  }

  #take({ attempt, parent }: Begun, next: () => void): void {
    if (attempt.isClosed) return;
    try {
      next();
    } catch (error) {
      parent.fault(error);
    }
  }
}

function begunOf(parent: LiveRun, attempt: ChildAttempt): Begun {
  const { index, definition: task } = attempt.task;
  const { life, round } = parent.journal.lives.of(index);
  const repeated = round > 0 ? { round } : {};
  const place = { runId: parent.id, taskId: task.id, life, attempt: attempt.number, ...repeated };
  const id = childIdOf(parent.id, task.id, life);
  const body = task.body as ChildBody;
  return { attempt, parent, task, index, body, place, id, scope: new AttemptScope(attempt) };
}

/** Whether something in it may have been undone in an earlier life. */
function mayHaveBeenUndone({ task, parent, place }: Begun): boolean {
  return canUndo(task) && (place.life > 1 || parent.journal.undoneBefore !== undefined);
}

function givenUndone({ undone = {} }: Begun): UndoCounts | undefined {
  return Object.keys(undone).length > 0 ? undone : undefined;
}

/** The attempt of the parent's task for which a child run ran last. */
function lastPlaceOf(journal: RunJournal): ParentTask {
  for (let seq = journal.seq; seq > 0; seq--) {
    const entry = journal.entry(seq);
    if ('parent' in entry && entry.parent !== undefined) return entry.parent;
  }
  return { runId: '', taskId: '', life: 1, attempt: 0 };
}

function isSameAttempt(one: ParentTask, other: ParentTask): boolean {
  return one.attempt === other.attempt && (one.round ?? 0) === (other.round ?? 0);
}

/** Whether a child run that is undone was ended by the time limit of this attempt, before a recovery. */
function wasTimedOut({ attempt, parent, task }: Begun, journal: RunJournal): boolean {
  if (attempt.isEnding || parent.isEnding || task.timeoutMs === undefined) return false;
  return journal.foldTo().compensation?.ending === 'cancelled' && wasCancelledByParent(journal);
}

/** Whether a child run was ended, and only because its parent's attempt was. */
function wasEndedByParent(journal: RunJournal): boolean {
  return endingOf(journal.entry(journal.seq)) === 'cancelled' && wasCancelledByParent(journal);
}

function wasCancelledByParent(journal: RunJournal): boolean {
  for (let seq = journal.seq; seq > 0; seq--) {
    const entry = journal.entry(seq);
    if (entry.type === 'run.cancelling') return entry.parent !== undefined;
  }
  return false;
}

/** Whether more items of a map failed than it tolerates. */
function hasExceeded({ plan }: FlowDefinition, cause: unknown): boolean {
  return plan.tolerance !== undefined && (cause === undefined || cause === 'tolerance');
}

/** The outputs of the items, in order. */
function listOf(outputs: unknown, count: number): unknown[] {
  const byId = outputs as Readonly<Record<string, unknown>>;
  return Array.from({ length: count }, (_, index) => byId[index]);
}

function notAList(flow: string, taskId: string, given: unknown): FlowError {
  const isStream = typeof given === 'object' && given !== null && Symbol.asyncIterator in given;
  const hint = isStream ? '. Map over the pages of a stream: each task takes one, and gives the next' : '';
  const message = `\`over\` of map \`${taskId}\` of flow \`${flow}\` must give a list or another iterable, but gave ${showValue(given)}${hint}.`;
  return new FlowError('bad_option', message, { flow, taskId, option: 'over', value: given });
}

function tooMany(flow: string, taskId: string): FlowError {
  const message =
    `\`over\` of map \`${taskId}\` of flow \`${flow}\` gave more than ${MOST_ITEMS.toLocaleString('en')} items, the most ` +
    'that one map takes. Map over groups of them, with a flow for each group.';
  return new FlowError('bad_option', message, { flow, taskId, option: 'over' });
}
