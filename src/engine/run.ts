import type { ActorRef } from 'xstate';
import { checkNumber } from '../model/check.ts';
import { EngineStoppedError, RunFailedError } from '../model/error.ts';
import type { Entry } from '../model/journal.ts';
import type { RunView } from '../model/view.ts';
import type { Subscription } from './emitter.ts';
import type { LiveRun } from './live-run.ts';
import type { RunCommand } from './run-command.ts';
import type { RunState } from './run-snapshot.ts';

/** The actor of a run. */
export type RunActor<Outputs = unknown> = ActorRef<RunState<Outputs>, RunCommand, Entry>;

/** Entries of one type; all of them for `*`. */
export type EntryOf<Type extends Entry['type'] | '*'> = Type extends '*'
  ? Entry
  : Extract<Entry, { type: Type }>;

/** Which events of a run are wanted. */
export interface EventsOptions {
  /** Only those with a greater `seq`: where an earlier reader got to. Default 0, which is all. Minimum 0. */
  readonly after?: number | undefined;
  /** Ends the reading, without an error, when aborted: what waits for the next event is let go. */
  readonly signal?: AbortSignal | undefined;
}

/** A run, from its start on: to watch it, steer it and await it. It stays usable after the run has settled. */
export class Run<Outputs = unknown> implements AsyncDisposable {
  #live: LiveRun;
  readonly #again: (live: LiveRun, taskIds: readonly string[] | undefined) => LiveRun;

  /** Made by `start`; not to be made by hand. @internal */
  constructor(live: LiveRun, again: (live: LiveRun, taskIds: readonly string[] | undefined) => LiveRun) {
    this.#live = live;
    this.#again = again;
  }

  get id(): string {
    return this.#live.id;
  }

  /** `seq` of the last event that listeners have been told of. */
  get seq(): number {
    return this.#live.journal.keptSeq;
  }

  /** Its XState actor; a rerun gives it another one. */
  get actor(): RunActor<Outputs> {
    return this.#live.actor as unknown as RunActor<Outputs>;
  }

  /** Where the run is now: plain data, which later events do not change. */
  view(): RunView {
    return this.#live.journal.view();
  }

  /**
   * Calls back at each event of a type from now on, `*` for all; events that have been are not repeated. What the
   * listener throws goes to the engine's logger.
   */
  on<Type extends Entry['type'] | '*'>(type: Type, listener: (event: EntryOf<Type>) => void): Subscription {
    return this.#live.journal.emitter.on(type, listener as (event: Entry) => void);
  }

  /**
   * All events from the first one on, or `after` one, as they come; ends when the run has settled, its engine was
   * stopped, or the signal was aborted. Reads the journal as it goes, so a slow reader holds up nothing and nothing
   * is buffered for it.
   *
   * @throws FlowError for an option that will not do, when it is first read
   */
  async *events({ after = 0, signal }: EventsOptions = {}): AsyncGenerator<Entry, void, undefined> {
    checkNumber({ option: 'after', owner: 'run.events' }, after, { min: 0, integer: true });
    const live = this.#live;
    const { journal } = live;
    const last = (): number => Math.min(journal.keptSeq, live.endSeq);
    let wake: () => void = () => {};
    const rouse = (): void => wake();
    const isLetGo = (): boolean => signal?.aborted === true;
    const subscription = journal.emitter.on('*', rouse);
    const forget = live.whenEnded(rouse);
    signal?.addEventListener('abort', rouse);
    try {
      for (let seq = after; ; ) {
        while (seq < last() && !isLetGo()) yield journal.entry(++seq);
        if (live.isOver || isLetGo()) return;
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
   * Resolves with the view when the run has settled, however it ended. Rejects with `EngineStoppedError` when its
   * engine or actor was stopped before, and with the error of a store that failed. After a rerun, of the rerun.
   */
  settled(): Promise<RunView> {
    return this.#ended(viewAtEnd);
  }

  /** Resolves with what the run returns. Rejects with `RunFailedError` when it ended `failed` or `cancelled`. */
  outputs(): Promise<Outputs> {
    return this.#ended((live) => {
      if (live.result?.status === 'done') return live.result.outputs as Outputs;
      throw failureOf(live);
    });
  }

  /**
   * Ends the run early: nothing starts any more, attempts under way get their signal and `graceMs`, waiting tasks are
   * cancelled, thousands of them in slices between which the event loop has its turn. Nothing where the run has settled.
   */
  cancel(reason?: unknown): void {
    this.#send({ type: 'run.cancel', reason });
  }

  /** No attempt starts from now on; those under way go on. Time limits go on too. */
  pause(): void {
    this.#send({ type: 'run.pause' });
  }

  /** Ends a pause. */
  resume(): void {
    this.#send({ type: 'run.resume' });
  }

  /**
   * Runs tasks of a settled run again, and all that is downstream of them, under the same id: a new actor, whose
   * events go on from the last `seq`.
   *
   * @param taskIds default: the tasks that did not end `done` or `skipped`; of a run that is all done, every task
   * Listeners of the run's end may call it. What was awaited before is still of the run as it ended then.
   *
   * @throws FlowError for an id that is no task; Error where the run has not settled, or runs again already
   */
  rerun(taskIds?: readonly string[]): void {
    this.#live = this.#again(this.#live, taskIds);
  }

  /** Cancels the run if it has not settled, and waits until it has. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel('disposed');
    await new Promise<void>((resolve) => this.#live.whenEnded(() => resolve()));
  }

  #send(command: RunCommand): void {
    this.#live.command(command);
  }

  /** Resolves with what is made of the run once it has settled; rejects where it was stopped, or that throws. */
  #ended<T>(make: (live: LiveRun) => T): Promise<T> {
    const live = this.#live;
    const ended = new Promise<T>((resolve, reject) => {
      live.whenEnded((end) => {
        if (!end.hasSettled) return reject(end.error);
        try {
          resolve(make(live));
        } catch (error) {
          reject(error);
        }
      });
    });
    return quiet(ended);
  }
}

/** The view as the run ended, which a rerun does not change. */
function viewAtEnd({ journal, endSeq }: LiveRun): RunView {
  return journal.view(Math.min(journal.seq, endSeq));
}

function failureOf(live: LiveRun): Error {
  const { result, firstFailure } = live;
  if (result === undefined || result.status === 'done') return new EngineStoppedError();
  const failures = result.status === 'failed' ? result.failures : [];
  const view = viewAtEnd(live);
  return new RunFailedError(
    view.flow,
    view.id,
    result.status,
    failures,
    view.reason,
    firstFailure === undefined ? undefined : { cause: firstFailure },
  );
}

/** A promise that nobody may be waiting for: its rejection is no news to Node. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
