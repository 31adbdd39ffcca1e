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

/** A handle to watch, steer and await a run. It stays usable after the run has settled. */
export class Run<Outputs = unknown> implements AsyncDisposable {
  #live: LiveRun;
  readonly #again: (live: LiveRun, taskIds: readonly string[] | undefined) => LiveRun;

  /** Called by `start`; do not call it yourself. @internal */
  constructor(live: LiveRun, again: (live: LiveRun, taskIds: readonly string[] | undefined) => LiveRun) {
    this.#live = live;
    this.#again = again;
  }

  get id(): string {
    return this.#live.id;
  }

  /** `seq` of the last event that listeners have been notified of. */
  get seq(): number {
    return this.#live.journal.keptSeq;
  }

  /** The run's XState actor; a rerun creates another one. */
  get actor(): RunActor<Outputs> {
    return this.#live.actor as unknown as RunActor<Outputs>;
  }

  /** The run's current view: plain data, which later events do not change. */
  view(): RunView {
    return this.#live.journal.view();
  }

  /**
   * Calls back at each later event of a type, `*` for all; earlier events are not repeated. The listener's errors go to
   * the engine's logger.
   */
  on<Type extends Entry['type'] | '*'>(type: Type, listener: (event: EntryOf<Type>) => void): Subscription {
    return this.#live.journal.emitter.on(type, listener as (event: Entry) => void);
  }

  /**
   * Yields all events as they come, from the first one or `after` one. Ends when the run has settled, its engine was
   * stopped, or the signal was aborted. It reads from the journal, so a slow reader blocks nothing and needs no buffer.
   *
   * @throws FlowError for an invalid option, at the first read
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
        if (live.hasEnded || isLetGo()) return;
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
   * Resolves with the view when the run has settled, however it ended. Rejects with `EngineStoppedError` if its engine
   * or actor was stopped before, and with the error of a failed store. After a rerun it refers to the rerun.
   */
  settled(): Promise<RunView> {
    return this.#ended(viewAtEnd);
  }

  /** Resolves with the run's return value. Rejects with `RunFailedError` if it ended `failed` or `cancelled`. */
  outputs(): Promise<Outputs> {
    return this.#ended((live) => {
      if (live.result?.status === 'done') return live.result.outputs as Outputs;
      throw failureOf(live);
    });
  }

  /**
   * Ends the run early: nothing more starts, attempts under way get their signal and `graceMs`, and waiting tasks are
   * cancelled, thousands of them in slices that yield to the event loop. A no-op if the run has settled.
   */
  cancel(reason?: unknown): void {
    this.#send({ type: 'run.cancel', reason });
  }

  /** Starts no more attempts; those under way continue, and so do time limits. */
  pause(): void {
    this.#send({ type: 'run.pause' });
  }

  /** Ends a pause. */
  resume(): void {
    this.#send({ type: 'run.resume' });
  }

  /**
   * Runs tasks of a settled run and everything downstream of them again, under the same id: in a new actor, whose
   * events continue from the last `seq`. May be called by listeners of the run's end. Earlier promises still refer to
   * the run as it ended then.
   *
   * @param taskIds default: the tasks that did not end `done` or `skipped`; if there are none, every task
   *
   * @throws FlowError for an unknown task id; Error if the run has not settled, or runs again already
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

  /** Resolves with `make` of the settled run; rejects if the run was stopped or `make` throws. */
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

/** The view at the run's end, which a rerun does not change. */
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

/** Hides a promise's rejection from Node, since nobody may be waiting for it. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
