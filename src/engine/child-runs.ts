import type { RunResult } from '../../machines/orchestrator.ts';
import { isA, isThenable, showValue } from '../model/check.ts';
import { JournalCheck } from '../model/check-journal.ts';
import { childDefinition } from '../model/child-definition.ts';
import { childIdOf, pathOf, placeOf } from '../model/child-id.ts';
import type { Clock } from '../model/clock.ts';
import type { ChildBody, FlowDefinition, TaskDefinition } from '../model/definition.ts';
import { EngineStoppedError, FlowError, InputError, RunFailedError } from '../model/error.ts';
import type { Entry, ParentTask } from '../model/journal.ts';
import { judge } from '../model/judge-journal.ts';
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
import { resultOf } from './stored-result.ts';
import { StoredRun } from './stored-run.ts';
import { journalPlace } from './stored-runs.ts';

/** The largest number of items of a map. */
const MOST_ITEMS = 1_000_000;

/** The engine that starts runs and has them continue. */
export interface ChildHost extends EngineCore<LiveRun> {
  launchChild(journal: RunJournal, input: unknown, parent: ParentLink): LiveRun;
  checkWritable(definition: FlowDefinition, input: unknown): void;
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
    const { index, definition: task } = attempt.task;
    const { life, round } = parent.journal.lives.of(index);
    const repeated = round > 0 ? { round } : {};
    const place = { runId: parent.id, taskId: task.id, life, attempt: attempt.number, ...repeated };
    const id = childIdOf(parent.id, task.id, life);
    const body = task.body as ChildBody;
    const begun = { attempt, parent, task, index, body, place, id, scope: new AttemptScope(attempt) };
    this.#then(begun, this.#journalOf(begun, parent.tree.journals.get(id), id), (journal) =>
      journal === undefined ? this.#beginNew(begun) : this.#goOn(begun, journal),
    );
  }

  /** A run that has settled here, to look at. */
  held(journal: RunJournal, clock: Clock): StoredRun {
    const { runId, definition, seq } = journal;
    const ending = endingOf(journal.entry(seq).type);
    return new StoredRun(this.#host, clock, { runId, definition, entries: journal.toEntries(), ending });
  }

  // A run that is new.

  #beginNew(begun: Begun): void {
    const { attempt, parent, index, place } = begun;
    if (attempt.isEnding) return attempt.threw(undefined);
    const isFirst = !parent.journal.lives.keepsDone(index, place.life) && parent.continues === undefined;
    if (isFirst) return this.#start(begun);
    this.#then(begun, this.#predecessorOf(begun), (before) => {
      if (attempt.isEnding) return attempt.threw(undefined);
      if (before === undefined) this.#start(begun);
      else this.#continue(begun, before);
    });
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
    recordContinued(journal, before, begun.place, begun.parent.now());
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
    const { attempt, place, body } = begun;
    const { input } = journal.foldTo();
    // Who made the journal may have been another attempt, or have known no items: a fork, or a snapshot.
    if (body.kind === 'map' && Array.isArray(input)) journal.definition = this.#definitionOf(begun, input);
    const ending = endingOf(journal.entry(journal.seq).type);
    if (ending === undefined) {
      return this.#launch(begun, this.#reopened(begun, journal), undefined);
    }
    if (attempt.isEnding) return attempt.threw(undefined);
    const isOver = ending === 'done' || isSameAttempt(lastPlaceOf(journal), place);
    const result = (): RunResult => resultOf(journal, journal.seq, ending);
    if (isOver && !wasEndedByParent(journal)) return this.#report(begun, journal, result(), undefined);
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
  #journalOf(begun: Begun, known: RunJournal | undefined, id: string): MaybePromise<RunJournal | undefined> {
    const { parent } = begun;
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
    const reading = this.#host.store?.read(id) ?? [];
    const open = (entries: readonly Entry[]): RunJournal | undefined => {
      const started = entries.find((entry) => entry.type === 'run.started');
      if (started === undefined) return undefined;
      const definition = define(started.input);
      const checked = new JournalCheck(definition, id, journalPlace(definition, id));
      for (const entry of entries) checked.next(entry);
      const journal = this.#host.openJournal(definition, id, entries);
      // The parent follows another version now, and has said so.
      const judgement = judge(checked, { runId: id, definition, onFlowChange: 'adopt' });
      if (judgement.verdict === 'adopt') adopt(journal, parent.now(), judgement);
      journal.tree = parent.tree;
      parent.tree.journals.set(id, journal);
      return journal;
    };
    return takesTime(reading) ? reading.then(open) : open(reading);
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
    if (result.status === 'cancelled') attempt.refused(error, 'cancelled');
    else if (hasExceeded(definition, run.cause)) attempt.refused(error, 'tolerance');
    else attempt.threw(error);
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

/** Whether a child run was ended, and only because its parent's attempt was. */
function wasEndedByParent(journal: RunJournal): boolean {
  if (endingOf(journal.entry(journal.seq).type) !== 'cancelled') return false;
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
