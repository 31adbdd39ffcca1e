import { type FlowDefinition, isChildBody, type TaskBody, type TaskDefinition } from '../model/definition.ts';
import { UndoFailedError } from '../model/error.ts';
import type { Entry } from '../model/journal.ts';
import { defineItems } from '../model/map-definition.ts';
import { type MaybePromise, takesTime } from '../model/maybe-promise.ts';
import type { PerformScope } from '../model/perform.ts';
import { put } from '../model/record.ts';
import type { SettledStatus } from '../model/status.ts';
import { endingOf } from '../model/summary.ts';
import { tasksToUndo } from '../model/to-undo.ts';
import type { UndoDefinition } from '../model/undo.ts';
import { defineUndo, type UndoInput, undoScopeOf } from '../model/undo-flow.ts';
import type { ChildAttempt } from './child-attempt.ts';
import type { EngineCore } from './core.ts';
import { MapItemScope } from './item-scope.ts';
import type { LiveRun, ParentLink } from './live-run.ts';
import type { RunJournal } from './run-journal.ts';
import { AttemptScope } from './scope.ts';
import { readStoredChild } from './stored-child.ts';

/** The engine that starts runs and has them continue. */
export interface UndoHost extends EngineCore<LiveRun> {
  launchChild(journal: RunJournal, input: unknown, parent: ParentLink): LiveRun;
}

/** How the undo of a child run ended; `nothing` if nothing was to be undone. */
export type UndoEnd = 'nothing' | 'done' | 'failed';

/** A child run whose parent asks for its undo. */
export interface ToReopen {
  /** The run that asks: the parent, or the run that undoes it. */
  readonly by: LiveRun;
  readonly attempt: ChildAttempt;
  readonly journal: RunJournal;
  readonly link: Omit<ParentLink, 'run' | 'actor'>;
}

/**
 * The runs that undo. Each is a child run of the run that it undoes, with a task for each that is to be undone. What it has
 * done is noted in the journal of the run above once it is kept.
 */
export class UndoRuns {
  readonly #host: UndoHost;

  constructor(host: UndoHost) {
    this.#host = host;
  }

  /** Undoes what a run did, once it is kept that it is to be undone; the run ends after that. */
  begin(run: LiveRun): void {
    const going = this.#begin(run).catch((error: unknown) => run.fault(error));
    run.holdTime(going);
  }

  /**
   * Has a child run undone that has ended, or goes on with that. Calls back once that is over; not if it was stopped.
   */
  reopen({ by, attempt, journal, link }: ToReopen, done: (end: UndoEnd) => void): void {
    const fold = journal.foldTo();
    const last = journal.entry(journal.seq);
    if (fold.compensation !== undefined && endingOf(last) !== undefined) return done(endOf(journal));
    if (endingOf(last) !== undefined) {
      const tasks = tasksToUndo(journal.definition, fold);
      if (tasks.length === 0) return done('nothing');
      recordReopened(journal, last, tasks, by.now());
    }
    by.tree.journals.set(journal.runId, journal);
    const { task } = attempt;
    const run = this.#host.launchChild(journal, undefined, {
      ...link,
      run: by,
      get actor() {
        return task.actor;
      },
    });
    if (by.isDrained) run.drain();
    attempt.child = run;
    run.whenEnded(({ hasSettled, error }) =>
      by.next(() => {
        attempt.child = undefined;
        if (attempt.isClosed) return;
        if (hasSettled) done(endOf(journal));
        else by.fault(error);
      }),
    );
  }

  async #begin(run: LiveRun): Promise<void> {
    await run.whenKept();
    const undo = run.journal.foldTo().compensation;
    if (run.isOver || undo === undefined) return;
    const { runId, tasks } = undo;
    const define = (): FlowDefinition => defineUndo(run.definition, tasks, this.#bodiesOf(run));
    const known = await this.#journalOf(run, runId, define);
    if (run.isOver) return;
    const journal = known ?? this.#host.newJournal(define(), runId);
    const notes = new UndoNotes(run, journal, new Set(tasks));
    notes.take();
    if (known !== undefined && endingOf(known.entry(known.seq)) !== undefined) return run.endUndo();
    const listening = journal.emitter.on('*', () => notes.take());
    this.#launch(run, journal, () => {
      listening.unsubscribe();
      notes.take();
      run.endUndo();
    });
  }

  #launch(run: LiveRun, journal: RunJournal, done: () => void): void {
    journal.tree = run.tree;
    run.tree.journals.set(journal.runId, journal);
    const input = journal.seq === 0 ? inputOf(run) : undefined;
    const undoing = this.#host.launchChild(journal, input, {
      run,
      isUndo: true,
      key: journal.runId,
      priority: run.priority,
      get actor() {
        return run.actor;
      },
    });
    run.undoing = undoing;
    if (run.isDrained) undoing.drain();
    undoing.whenEnded(({ hasSettled, error }) =>
      run.next(() => {
        if (run.isOver) return;
        if (hasSettled) done();
        else run.fault(error);
      }),
    );
  }

  /** The journal of an undo that began before, in this process or in another. */
  async #journalOf(run: LiveRun, id: string, define: () => FlowDefinition): Promise<RunJournal | undefined> {
    const known = run.tree.journals.get(id);
    if (known !== undefined) {
      const journal = this.#host.openJournal(define(), id, known.toEntries());
      journal.isShared = known.isShared;
      return journal;
    }
    return run.isNew ? undefined : readStoredChild(this.#host, run, id, define);
  }

  #bodiesOf(run: LiveRun) {
    return {
      performFor: (task: number, undo: UndoDefinition) => (own: PerformScope) =>
        undo.perform(scopeOf(run, task, own)),
      bodyFor: (task: number): TaskBody => ({
        kind: 'undo',
        runId: idOf(run, task),
        begin: (attempt) => this.#undoChild(run, task, attempt as ChildAttempt),
      }),
    };
  }

  /** The attempt to undo a child run of a run. */
  #undoChild(of: LiveRun, index: number, attempt: ChildAttempt): void {
    const by = attempt.task.run as unknown as LiveRun;
    const id = idOf(of, index);
    const { child } = of.journal.foldTo().task(index);
    // That was before its task settled, and is asked for once.
    if (child?.undo === 'failed') return by.next(() => attempt.refused(new UndoFailedError(id), 'exhausted'));
    const taskId = of.definition.graph.ids[index] as string;
    const link = {
      key: of.keyOf(taskId),
      priority: attempt.task.priority,
      undoneFor: by.input as UndoInput,
    };
    const take = (journal: RunJournal | undefined): void => {
      if (attempt.isClosed) return;
      if (journal === undefined) throw new Error(`Run ${id} is to be undone, and the store does not have it`);
      this.reopen({ by, attempt, journal, link }, (end) => {
        if (end === 'failed') attempt.refused(new UndoFailedError(id), 'exhausted');
        else attempt.returned(undefined);
      });
    };
    this.#when(by, this.#childJournal(of, index, id, attempt), take);
  }

  #childJournal(
    of: LiveRun,
    index: number,
    id: string,
    attempt: ChildAttempt,
  ): MaybePromise<RunJournal | undefined> {
    const known = of.tree.journals.get(id);
    if (known !== undefined) return known;
    return readStoredChild(this.#host, of, id, (input) => childFlow(of, index, attempt, input));
  }

  /** Goes on in a turn to come. */
  #when<Value>(run: LiveRun, value: MaybePromise<Value>, next: (value: Value) => void): void {
    const take = (there: Value): void =>
      run.next(() => {
        try {
          next(there);
        } catch (error) {
          run.fault(error);
        }
      });
    if (!takesTime(value)) return take(value);
    run.holdTime(value.then(take, (error: unknown) => run.fault(error)));
  }
}

/** Notes in the journal of a run what became of its undo, as far as that is kept; once each, also after a recovery. */
class UndoNotes {
  readonly #run: LiveRun;
  readonly #undo: RunJournal;
  readonly #wanted: ReadonlySet<string>;
  /** Those that are noted to have failed. */
  readonly #failed: Set<string>;
  #seq = 0;

  constructor(run: LiveRun, undo: RunJournal, wanted: ReadonlySet<string>) {
    this.#run = run;
    this.#undo = undo;
    this.#wanted = wanted;
    const { failures = [] } = run.journal.foldTo().compensation ?? {};
    this.#failed = new Set(failures.map(({ taskId }) => taskId));
  }

  take(): void {
    while (this.#seq < this.#undo.keptSeq && !this.#run.isOver) this.#note(this.#undo.entry(++this.#seq));
  }

  #note(entry: Entry): void {
    if (entry.type !== 'task.done' && entry.type !== 'task.failed') return;
    const { journal, definition } = this.#run;
    const task = definition.graph.indexOf(entry.taskId);
    if (task < 0 || !this.#wanted.has(entry.taskId)) return;
    if (journal.foldTo().task(task).undoneAt !== undefined || this.#failed.has(entry.taskId)) return;
    const at = this.#run.now();
    if (entry.type === 'task.done') return this.#run.record({ type: 'task.undone', at }, task);
    const { error, cause } = entry;
    this.#failed.add(entry.taskId);
    this.#run.record({ type: 'task.undo_failed', at, error, cause }, task);
  }
}

function recordReopened(journal: RunJournal, last: Entry, tasks: readonly string[], at: number): void {
  const { cause, reason } = journal.foldTo().run;
  const ending = endingOf(last) as 'done';
  const error = last.type === 'run.failed' ? last.error : undefined;
  journal.record({
    type: 'run.compensating',
    at,
    ending,
    ...(cause && { cause }),
    ...(reason !== undefined && { reason }),
    ...(error && { error }),
    tasks,
  });
}

/** How the undo of a run ended that is over. */
function endOf(journal: RunJournal): UndoEnd {
  return journal.foldTo().compensation?.status === 'failed' ? 'failed' : 'done';
}

/** What a run that undoes another begins with. */
function inputOf(run: LiveRun): UndoInput {
  const fold = run.journal.foldTo();
  const { ending, tasks } = fold.compensation as NonNullable<typeof fold.compensation>;
  const why = run.parent?.undoneFor;
  const runs = runsIn(run, tasks);
  if (ending === 'done' && why !== undefined) return { ...why, tasks, runs };
  const [first] = run.made.failures;
  const error = ending === 'failed' ? (first?.error ?? run.made.error) : undefined;
  return { ending, error, reason: fold.run.reason, tasks, runs };
}

function runsIn(run: LiveRun, tasks: readonly string[]): Readonly<Record<string, string>> {
  const { graph } = run.definition;
  const runs: Record<string, string> = {};
  for (const id of run.definition.hasChildren ? tasks : []) {
    const { child } = run.journal.foldTo().task(graph.indexOf(id));
    if (child !== undefined) put(runs, id, child.runId);
  }
  return runs;
}

function scopeOf(run: LiveRun, task: number, own: PerformScope) {
  const { error, reason } = own.input as UndoInput;
  const { status, output } = run.journal.foldTo().task(task);
  const taskId = run.definition.graph.ids[task] as string;
  return undoScopeOf(own, {
    input: run.input,
    output,
    deps: run.depsOf(task),
    status: status as SettledStatus,
    error,
    reason,
    runId: run.id,
    taskId,
    idempotencyKey: run.keyOf(taskId),
    undoKey: run.undoKeyOf(taskId),
  });
}

/** The id of the last child run of a task, which may be below an earlier run. */
function idOf(run: LiveRun, task: number): string {
  const { child } = run.journal.foldTo().task(task);
  if (child === undefined) throw new TypeError(`task ${task} of run ${run.id} has no child run`);
  return child.runId;
}

/** The flow of a child run that is undone: its items are undone with the scope of the map. */
function childFlow(of: LiveRun, index: number, attempt: ChildAttempt, input: unknown): FlowDefinition {
  const task = of.definition.tasks[index] as TaskDefinition;
  if (!isChildBody(task.body)) throw new TypeError(`task \`${task.id}\` has no child run`);
  if (task.body.kind === 'flow') return task.body.flow;
  const items = input as readonly unknown[];
  const scope = new AttemptScope({
    number: of.journal.foldTo().task(index).attempts,
    get signal() {
      return attempt.signal;
    },
    task: { index, definition: task, run: of },
    log: (message, data) => attempt.log(message, data),
    progress: (fraction, note) => attempt.progress(fraction, note),
  });
  return defineItems(of.definition.name, task, items.length, (own) => new MapItemScope(own, scope, items));
}
