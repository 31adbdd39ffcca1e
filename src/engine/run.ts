import type { ActorRef, AnyActorRef } from 'xstate';
import type { RunResult } from '../../machines/orchestrator.ts';
import { badOption, checkKeys, checkNumber } from '../model/check.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { type Delivered, type DeliverOptions, type Delivery, readDelivery } from '../model/delivery.ts';
import type { EntryVisitor } from '../model/entry-list.ts';
import { EngineStoppedError, RunFailedError } from '../model/error.ts';
import type { Entry, RunSettings } from '../model/journal.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import type { RunView } from '../model/view.ts';
import { withCounts } from './child-views.ts';
import { type DeepEntry, PathsFrom } from './deep-path.ts';
import type { Subscription } from './emitter.ts';
import type { RunCommand } from './run-command.ts';
import type { End } from './run-end.ts';
import type { RunJournal } from './run-journal.ts';
import type { RunState } from './run-snapshot.ts';

/** The actor of a run. */
export type RunActor<Outputs = unknown> = ActorRef<RunState<Outputs>, RunCommand, Entry>;

/** Entries of one type; all for `*`. */
export type EntryOf<Type extends Entry['type'] | '*'> = Type extends '*'
  ? Entry
  : Extract<Entry, { type: Type }>;

/** The selection of a run's events. */
export interface EventsOptions {
  /** Selects events with a greater `seq`, for example the last one read. Default 0, which is all. Minimum 0. */
  readonly after?: number | undefined;
  /** Ends the iteration without an error when aborted, even while it waits for the next event. */
  readonly signal?: AbortSignal | undefined;
}

/** Whether the events of child runs come too. */
export interface DeepOptions {
  /** With those of all runs below, each with its `path`: the tasks that lead to its run. */
  readonly deep: true;
}

/** A part of a run's journal. */
export interface EntriesOptions {
  /** Selects entries with a greater `seq`. Default 0. Minimum 0. */
  readonly after?: number | undefined;
  /** The most entries. Default: all. Minimum 1. */
  readonly limit?: number | undefined;
}

/** An earlier moment of a run: after an entry, or at an instant. */
export interface ViewOptions {
  /** `seq` of the last entry that the view shows; 0 shows the run before its first. Maximum: `run.seq`. */
  readonly seq?: number | undefined;
  /** An instant, in epoch milliseconds: the view shows the entries up to then, it included. */
  readonly at?: number | undefined;
}

/** A run behind a handle: under way, over, or read from the store. */
export interface HeldRun {
  readonly id: string;
  readonly journal: RunJournal;
  readonly settings: RunSettings;
  readonly input: unknown;
  readonly actor: AnyActorRef;
  /** Whether nothing more happens in it here. */
  readonly hasEnded: boolean;
  /** Whether its end has been kept. */
  readonly hasSettled: boolean;
  /** `seq` of its last entry; infinite until it has settled. */
  readonly endSeq: number;
  /** Its result, once it has settled. */
  readonly result: RunResult | undefined;
  /** The first failure that counts, as thrown, if it was thrown here. */
  readonly firstFailure: unknown;
  /** The journal of a run below it that is not known here; `undefined` if there is none. */
  childJournal(runId: string): Promise<RunJournal | undefined>;
  /** The current stamp. */
  now(): number;
  command(command: RunCommand): MaybePromise<void>;
  /** Delivers a value to a task that waits for one. */
  deliver(delivery: Delivery): Promise<Delivered>;
  /** Calls back once it is over; at once if it is. Returns a function that cancels this. */
  whenEnded(callback: (end: End) => void): () => void;
}

const now: ViewOptions = {};
const viewKeys = new Set(['seq', 'at']);

/** Has a settled run run again. */
export type RunAgain = (settled: HeldRun, taskIds: readonly string[] | undefined) => HeldRun;

/** A handle to watch, steer and await a run. It stays usable after the run has settled. */
export class Run<Outputs = unknown> implements AsyncDisposable {
  #run: HeldRun;
  readonly #again: RunAgain;

  /** Called by `start`; do not call it yourself. @internal */
  constructor(run: HeldRun, again: RunAgain) {
    this.#run = run;
    this.#again = again;
  }

  get id(): string {
    return this.#run.id;
  }

  /** `seq` of the last event that listeners have been notified of. */
  get seq(): number {
    return this.#run.journal.keptSeq;
  }

  /**
   * `seq` of the last entry made before this engine had the run: attempts that were under way then were lost. 0 if the
   * run began here.
   */
  get recoveredSeq(): number {
    return this.#run.journal.recoveredSeq;
  }

  /** The flow that the run follows. */
  get definition(): FlowDefinition {
    return this.#run.journal.definition;
  }

  /**
   * The run's XState actor; a rerun creates another one. That of a run read from the store is done, and shows the last
   * snapshot.
   *
   * @throws NotUnderWayError if the run was read from the store, and has not settled
   */
  get actor(): RunActor<Outputs> {
    return this.#run.actor as unknown as RunActor<Outputs>;
  }

  /**
   * The run's current view, or that of an earlier moment: plain data, which later events do not change. An earlier view
   * is made from the journal, reruns included, and costs what it has to read of that.
   *
   * @throws FlowError for a `seq` beyond `run.seq`, or for both `seq` and `at`
   */
  view(moment: ViewOptions = now): RunView {
    const { journal } = this.#run;
    if (moment !== now) return journal.pastView(seqOf(moment, journal));
    const { definition, tree } = journal;
    const view = journal.view();
    return tree === undefined || !definition.hasChildren ? view : withCounts(view, definition, tree);
  }

  /**
   * Calls back at each later event of a type, `*` for all; earlier events are not repeated. The listener's errors go to
   * the engine's logger. An unsettled run read from the store has no later events.
   */
  on<Type extends Entry['type'] | '*'>(type: Type, listener: (event: EntryOf<Type>) => void): Subscription;
  on<Type extends Entry['type'] | '*'>(
    type: Type,
    listener: (event: DeepEntry<EntryOf<Type>>) => void,
    options: DeepOptions,
  ): Subscription;
  on(type: Entry['type'] | '*', listener: (event: never) => void, options?: DeepOptions): Subscription {
    const { journal } = this.#run;
    if (options?.deep !== true) return journal.emitter.on(type, listener as (event: Entry) => void);
    const paths = new PathsFrom(journal.runId);
    return journal.wholeTree.emitter.on(type, (entry) => {
      const deep = paths.of(entry);
      if (deep !== undefined) listener(deep as never);
    });
  }

  /**
   * Yields all events as they come, from the first one or `after` one. Ends when the run has settled, its engine was
   * stopped, or the signal was aborted; that of an unsettled run read from the store, with the last entry read. It
   * reads from the journal, so a slow reader blocks nothing and needs no buffer.
   *
   * @throws FlowError for an invalid option, at the first read
   */
  events(options?: EventsOptions): AsyncGenerator<Entry, void, undefined>;
  /**
   * The same, with the events of all runs below, each with its `path`. Those of a child come between the start and the end
   * of the attempt whose body it is. Reads from the first; `after` cannot be given.
   */
  events(options: Pick<EventsOptions, 'signal'> & DeepOptions): AsyncGenerator<DeepEntry, void, undefined>;
  events(
    given: EventsOptions & Partial<DeepOptions> = {},
  ): AsyncGenerator<Entry | DeepEntry, void, undefined> {
    return given.deep === true ? this.#deepEvents(given) : this.#events(given);
  }

  async *#deepEvents({ after, signal }: EventsOptions): AsyncGenerator<DeepEntry, void, undefined> {
    if (after !== undefined)
      throw badOption({ option: 'after', owner: 'run.events' }, 'left out where events are `deep`', after);
    const run = this.#run;
    const { journal } = run;
    const { emitter, journals } = journal.wholeTree;
    const find = async (id: string): Promise<RunJournal | undefined> =>
      journals.get(id) ?? run.childJournal(id);
    const { DeepReader } = await import('./deep-events.ts');
    const reader = new DeepReader(journal, find);
    const paths = new PathsFrom(journal.runId);
    /** `seq` of the last entry of each run that was kept since it was read. */
    const told = new Map<string, number>();
    let wake: () => void = () => {};
    const rouse = (): void => wake();
    const subscription = emitter.on('*', ({ runId, seq }) => {
      told.set(runId, seq);
      wake();
    });
    const forget = run.whenEnded(rouse);
    signal?.addEventListener('abort', rouse);
    try {
      while (signal?.aborted !== true) {
        const entry = await reader.next();
        const deep = entry && paths.of(entry);
        if (deep !== undefined && !(entry?.runId === run.id && entry.seq > run.endSeq)) yield deep;
        if (entry !== undefined) continue;
        if (told.size === 0 && run.hasEnded) return;
        if (told.size === 0)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        const all = [...told];
        told.clear();
        for (const [id, seq] of all) await reader.more(id, seq);
        await reader.more(run.id, 0);
      }
    } finally {
      subscription.unsubscribe();
      forget();
      signal?.removeEventListener('abort', rouse);
    }
  }

  async *#events({ after = 0, signal }: EventsOptions): AsyncGenerator<Entry, void, undefined> {
    checkNumber({ option: 'after', owner: 'run.events' }, after, { min: 0, integer: true });
    const run = this.#run;
    const { journal } = run;
    const last = (): number => Math.min(journal.keptSeq, run.endSeq);
    let wake: () => void = () => {};
    const rouse = (): void => wake();
    const isLetGo = (): boolean => signal?.aborted === true;
    const subscription = journal.emitter.on('*', rouse);
    const forget = run.whenEnded(rouse);
    signal?.addEventListener('abort', rouse);
    try {
      for (let seq = after; ; ) {
        while (seq < last() && !isLetGo()) yield journal.entry(++seq);
        if (run.hasEnded || isLetGo()) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      subscription.unsubscribe();
      forget();
      signal?.removeEventListener('abort', rouse);
    }
  }

  /**
   * The entries kept so far, from the first one or `after` one, without waiting for more.
   *
   * @throws FlowError for an invalid option
   */
  entries({ after = 0, limit = Number.POSITIVE_INFINITY }: EntriesOptions = {}): Entry[] {
    checkPart('run.entries', after, limit);
    const { journal } = this.#run;
    return journal.toEntries(Math.min(journal.keptSeq, after + limit), after);
  }

  /**
   * Shows a visitor the entries that `entries` would give, and makes no objects of the steps that nearly every task
   * takes.
   *
   * @throws FlowError for an invalid option
   */
  visit(visitor: EntryVisitor, { after = 0, limit = Number.POSITIVE_INFINITY }: EntriesOptions = {}): void {
    checkPart('run.visit', after, limit);
    const { journal } = this.#run;
    journal.visit(after, Math.min(journal.keptSeq, after + limit), visitor);
  }

  /**
   * Resolves with the view when the run has settled, however it ended. Rejects with `EngineStoppedError` if its engine
   * or actor was stopped before, with the error of a failed store, and with `NotUnderWayError` if the run was read from
   * the store, and has not settled. After a rerun it refers to the rerun.
   */
  settled(): Promise<RunView> {
    return this.#ended(viewAtEnd);
  }

  /**
   * Resolves with the run's return value. Rejects with `RunFailedError` if it ended `failed` or `cancelled`, and as
   * `settled` if it did not settle.
   */
  outputs(): Promise<Outputs> {
    return this.#ended((run) => {
      if (run.result?.status === 'done') return run.result.outputs as Outputs;
      throw failureOf(run);
    });
  }

  /**
   * Ends the run early: nothing more starts, attempts under way get their signal and `graceMs`, and waiting tasks are
   * cancelled, thousands of them in slices that yield to the event loop. A no-op if the run has settled.
   *
   * A run of another process that shares the store is cancelled there: returns a promise that resolves once that has
   * recorded it, and rejects with `StoreError`. A run that nobody runs is taken over for this, and calls no body. `pause` and
   * `resume` do the same.
   *
   * @throws NotUnderWayError if the run was read from a store that no others share, and has not settled; ValueError for
   * a reason that the store cannot write
   */
  cancel(reason?: unknown): MaybePromise<void> {
    return this.#send({ type: 'run.cancel', reason });
  }

  /** Starts no more attempts; those under way continue, and so do time limits. */
  pause(): MaybePromise<void> {
    return this.#send({ type: 'run.pause' });
  }

  /** Ends a pause. */
  resume(): MaybePromise<void> {
    return this.#send({ type: 'run.resume' });
  }

  /**
   * Delivers a value to a task that waits for one, `.waitFor`, perhaps before it is ready: it takes the value then. Resolves
   * once the value is kept, with `delivered`; with `already` where the task has had a value of the same key. A rerun of the
   * task forgets both. A pause does not hold it up. A run of another process that shares the store gets it there.
   *
   * @param task its id; for a task of a child run the path to it, of ids, such as `['publish', 'approval']`
   *
   * @throws InputError if the task's schema refuses the value, or the store cannot write it: the task goes on waiting;
   * DeliveryError if the task has another value, has settled, does not wait for a value, or is in a child run that is not
   * there yet; FlowError `unknown_task`; NotUnderWayError if nobody runs it here or elsewhere; EngineStoppedError. After a
   * StoreError it is not known whether the value was kept: deliver it again with the same key
   */
  async deliver(
    task: string | readonly string[],
    value: unknown,
    options: DeliverOptions = {},
  ): Promise<Delivered> {
    return this.#run.deliver(readDelivery('run.deliver', task, value, options));
  }

  /**
   * Runs tasks of a settled run and everything downstream of them again, under the same id: in a new actor, whose
   * events continue from the last `seq`. May be called by listeners of the run's end. Earlier promises still refer to
   * the run as it ended then.
   *
   * @param taskIds default: the tasks that did not end `done` or `skipped`; if there are none, every task
   *
   * @throws FlowError for an unknown task id, an empty list, or a pool that the engine lacks; Error if the run has not
   * settled, runs again already, or has no tasks; JournalError if another run of this id is under way
   */
  rerun(taskIds?: readonly string[]): void {
    this.#run = this.#again(this.#run, taskIds);
  }

  /** Has it speak for the run as it goes on: a child run that its task repeats. @internal */
  follow(run: HeldRun): void {
    this.#run = run;
  }

  /** Cancels the run if it has not settled, and waits until it has. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.cancel('disposed');
    await new Promise<void>((resolve) => this.#run.whenEnded(() => resolve()));
  }

  #send(command: RunCommand): MaybePromise<void> {
    return this.#run.command(command);
  }

  /** Resolves with `make` of the settled run; rejects if the run was stopped or `make` throws. */
  #ended<T>(make: (run: HeldRun) => T): Promise<T> {
    const run = this.#run;
    const ended = new Promise<T>((resolve, reject) => {
      run.whenEnded((end) => {
        if (!end.hasSettled) return reject(end.error);
        try {
          resolve(make(run));
        } catch (error) {
          reject(error);
        }
      });
    });
    return quiet(ended);
  }
}

function checkPart(owner: string, after: number, limit: number): void {
  checkNumber({ option: 'after', owner }, after, { min: 0, integer: true });
  checkNumber({ option: 'limit', owner }, limit, { min: 1, integer: true, infinity: true });
}

/** `seq` of the last entry that a moment shows. */
function seqOf(moment: ViewOptions, journal: RunJournal): number {
  const place = (option: string) => ({ option, owner: 'run.view' });
  checkKeys(place('options'), moment, viewKeys);
  const { seq, at } = moment;
  if (at === undefined) {
    if (seq === undefined) return journal.shownSeq;
    if (Number.isInteger(seq) && seq >= 0 && seq <= journal.shownSeq) return seq;
    throw badOption(place('seq'), `an integer from 0 to ${journal.shownSeq}, the run's last \`seq\``, seq);
  }
  if (seq !== undefined) throw badOption(place('at'), 'left out where there is a `seq`', at);
  checkNumber(place('at'), at, { infinity: true });
  return journal.seqAt(at);
}

/** The view at the run's end, which a rerun does not change. */
function viewAtEnd({ journal, endSeq }: HeldRun): RunView {
  return journal.view(Math.min(journal.seq, endSeq));
}

function failureOf(run: HeldRun): Error {
  const { result, firstFailure } = run;
  if (result === undefined || result.status === 'done') return new EngineStoppedError();
  const failures = result.status === 'failed' ? result.failures : [];
  const view = viewAtEnd(run);
  return new RunFailedError(
    view.flow,
    view.id,
    result.status,
    failures,
    view.reason,
    firstFailure === undefined ? undefined : { cause: firstFailure },
  );
}

/** Hides a promise's rejection from Node, since nobody may be waiting for it. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
