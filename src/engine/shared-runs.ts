import { isA } from '../model/check.ts';
import { rootIdOf } from '../model/child-id.ts';
import { EngineStoppedError, StoreConflictError, StoreError, type StoreErrorCode } from '../model/error.ts';
import type { Logger } from '../model/logger.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import { endingOf } from '../model/summary.ts';
import type { ClaimedRun, RunRequest, SharedStore } from '../store/shared.ts';
import type { LiveRun } from './live-run.ts';
import type { RunCommand } from './run-command.ts';
import type { StoredJournal } from './stored-run.ts';
import type { StoredRuns } from './stored-runs.ts';

/** The engine whose runs stand in a store that others share. */
export interface Sharing {
  readonly logger: Logger;
  /** A run under way here. */
  live(runId: string): LiveRun | undefined;
  /** Continues a run that was claimed, without starting attempts. */
  takeOver(stored: StoredJournal): LiveRun;
}

/** Codes of the errors of a store that has no runs any more. */
const gone: ReadonlySet<StoreErrorCode> = new Set(['closed', 'worker_died']);

/** Answers for an engine's runs in a shared store: to others that ask something of them, or have taken them over. */
export class SharedRuns {
  readonly #store: SharedStore;
  readonly #engine: Sharing;
  readonly #stored: StoredRuns;
  /** Runs that were claimed and are being read; each with what resolves once it is under way, or given up. */
  readonly #opening = new Map<string, Promise<void>>();
  /** Runs to give up, unless they are under way again by then. */
  readonly #leaving = new Set<string>();
  /** Those of them that cannot continue here. */
  readonly #refused = new Set<string>();
  #releaseIsDue = false;
  /** One release follows another. */
  #lastRelease = Promise.resolve();
  /** The last command for each run that is not under way here. */
  readonly #commands = new Map<string, Promise<void>>();
  #isAttached = false;

  constructor(store: SharedStore, engine: Sharing, stored: StoredRuns) {
    this.#store = store;
    this.#engine = engine;
    this.#stored = stored;
  }

  /** Begins to answer for the engine's runs. */
  attach(): void {
    if (this.#isAttached) return;
    this.#watch([], undefined);
  }

  /** Calls back whenever there may be runs of these flows that nobody alive owns. */
  watch(flows: readonly string[], claimable: () => void): void {
    this.#watch(flows, claimable);
  }

  /** Answers no more. */
  close(): void {
    if (this.#isAttached) void this.#settle(() => this.#store.watch(undefined));
    this.#isAttached = false;
  }

  /**
   * Yields runs of these flows that nobody alive owned, some at a time: they are the engine's from then on. Those that
   * are not under way when the next are asked for are given up.
   *
   * @param isAfresh whether runs that were refused before come again
   */
  async *claim(flows: readonly string[], isAfresh: boolean): AsyncGenerator<readonly ClaimedRun[]> {
    this.attach();
    // Perhaps some could not be given up.
    await this.release([]);
    for (let afresh = isAfresh; ; afresh = false) {
      const claimed = await this.#store.claim(flows, { afresh });
      if (claimed.length === 0) return;
      yield* this.#opened(claimed);
    }
  }

  /**
   * Yields these runs, each by itself, even if they were set aside, as `claim` does. Those that another engine continues
   * are logged.
   */
  async *claimEach(runIds: Iterable<string>): AsyncGenerator<readonly ClaimedRun[]> {
    this.attach();
    await this.release([]);
    for (const runId of runIds) {
      if (this.#opening.has(runId) || this.#engine.live(runId) !== undefined) continue;
      try {
        const claimed = await this.#store.claimRun(runId);
        if (claimed !== undefined) yield* this.#opened([claimed]);
        else
          this.#engine.logger.error(
            `Run ${runId} cannot be recovered: the store does not know it`,
            undefined,
          );
      } catch (error) {
        if (!isA(error, StoreConflictError)) throw error;
        this.#engine.logger.error(`Run ${runId} cannot be recovered`, error);
      }
    }
  }

  async *#opened(claimed: readonly ClaimedRun[]): AsyncGenerator<readonly ClaimedRun[]> {
    const runIds = claimed.map(({ id }) => id);
    const opened = this.#open(runIds);
    try {
      yield claimed;
    } finally {
      opened();
      void this.release(runIds);
    }
  }

  /** Notes a claimed run that cannot continue here as it is: it is not claimed again until another has had it. */
  refuse(runId: string): void {
    this.#refused.add(runId);
  }

  /**
   * Gives runs up that are not under way, for others to claim. Those of one turn are given up together; if the store
   * cannot do it now, with the next. Resolves once those asked for so far are given up, or cannot be. Never rejects.
   */
  release(runIds: readonly string[]): Promise<void> {
    for (const runId of runIds) this.#leaving.add(rootIdOf(runId));
    if (!this.#releaseIsDue) {
      this.#releaseIsDue = true;
      this.#lastRelease = this.#lastRelease.then(() => this.#releaseAll());
    }
    return this.#lastRelease;
  }

  /**
   * Has a command carried out for a run that is not under way here: by the engine that owns it. If none does, the run is
   * taken over, records the command, and is released; no body is called. If it was set aside, only resuming changes
   * that. Nothing happens to a run that has settled. Commands for one run follow one another.
   */
  command(runId: string, command: RunCommand): Promise<void> {
    this.attach();
    const before = this.#commands.get(runId) ?? Promise.resolve();
    const carriedOut = before.catch(() => {}).then(() => this.#carryOut(runId, command));
    this.#commands.set(runId, carriedOut);
    const forget = (): void => {
      if (this.#commands.get(runId) === carriedOut) this.#commands.delete(runId);
    };
    carriedOut.then(forget, forget);
    return carriedOut;
  }

  async #carryOut(runId: string, command: RunCommand): Promise<void> {
    // The owner may change between the steps: then they begin anew.
    for (;;) {
      if (await this.#record(runId, command)) return;
      try {
        return await this.#store.request(runId, requestOf(command));
      } catch (error) {
        if (!isA(error, StoreError) || (error as StoreError).code !== 'unowned') throw error;
        if (await this.#takeOver(runId, command, error)) return;
      }
    }
  }

  /** Returns whether nothing is left to do. Throws `unowned` if there is no such run any more. */
  async #takeOver(runId: string, command: RunCommand, unowned: unknown): Promise<boolean> {
    // A tree has one owner. A child run needs nothing of those above it to record a command.
    const rootId = rootIdOf(runId);
    try {
      const claimed = await this.#store.claimRun(rootId, command.type === 'run.resume');
      if (claimed === undefined) throw unowned;
    } catch (error) {
      if (isA(error, StoreConflictError)) return false;
      throw error;
    }
    if (this.#opening.has(rootId) || this.#engine.live(rootId) !== undefined) return false;
    const opened = this.#open([rootId]);
    try {
      const entries = await this.#store.read(runId);
      const stored = await this.#stored.check(runId, entries);
      const run = stored.ending === undefined ? this.#engine.takeOver(stored) : undefined;
      opened();
      if (run !== undefined) await this.#recordAndStop(run, command);
      return true;
    } finally {
      opened();
      await this.release([rootId]);
    }
  }

  async #recordAndStop(run: LiveRun, command: RunCommand): Promise<void> {
    await this.#record(run.id, command);
    // No body is called, so a cancelled run comes to its end by itself: in slices, if it has many tasks.
    if (command.type !== 'run.cancel')
      run.stop(new EngineStoppedError('The run was taken over for a command only'));
    await ended(run);
  }

  /** Returns whether a run that is under way here has recorded a command, or has settled. */
  async #record(runId: string, command: RunCommand): Promise<boolean> {
    await this.#opening.get(rootIdOf(runId));
    const run = this.#engine.live(runId);
    if (run === undefined) return false;
    if (run.isOver) {
      await ended(run);
      return run.hasSettled;
    }
    run.command(command);
    await run.whenKept();
    return true;
  }

  #watch(flows: readonly string[], claimable: (() => void) | undefined): void {
    this.#isAttached = true;
    const taken = (runIds: readonly string[]): void => {
      for (const runId of runIds) this.#engine.live(runId)?.abandon(takenOver(runId));
    };
    const requested = (runId: string, request: RunRequest): MaybePromise<void> =>
      this.#answer(runId, request);
    const watcher = { flows, ...(claimable && { claimable }), taken, requested };
    void this.#settle(() => this.#store.watch(watcher));
  }

  async #answer(runId: string, { type, reason }: RunRequest): Promise<void> {
    if (type === 'rerun') throw new Error(`Run ${runId} has not settled: it can run again once it has`);
    const command: RunCommand = type === 'cancel' ? { type: 'run.cancel', reason } : { type: `run.${type}` };
    try {
      if ((await this.#record(runId, command)) || (await this.#hasSettled(runId))) return;
    } catch (error) {
      if (!isA(error, StoreConflictError)) throw error;
    }
    await this.release([runId]);
    // Not answered: the asker learns from the store that the run has another owner, or none.
    return new Promise(() => {});
  }

  async #hasSettled(runId: string): Promise<boolean> {
    const last = (await this.#store.read(runId)).at(-1);
    return last !== undefined && endingOf(last) !== undefined;
  }

  /** Notes runs as claimed, until the function that it returns is called. */
  #open(runIds: readonly string[]): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const runId of runIds) this.#opening.set(runId, promise);
    return () => {
      for (const runId of runIds) if (this.#opening.get(runId) === promise) this.#opening.delete(runId);
      resolve();
    };
  }

  async #releaseAll(): Promise<void> {
    this.#releaseIsDue = false;
    const isIdle = (runId: string): boolean =>
      !this.#opening.has(runId) && this.#engine.live(runId) === undefined;
    const runIds = [...this.#leaving].filter(isIdle);
    this.#leaving.clear();
    if (runIds.length === 0) return;
    const refused = runIds.filter((runId) => this.#refused.delete(runId));
    const others = runIds.filter((runId) => !refused.includes(runId));
    try {
      if (others.length > 0) await this.#store.release(others);
      if (refused.length > 0) await this.#store.release(refused, true);
    } catch (error) {
      // A store that is closed has given all up, and one whose thread is dead shows no life.
      if (isA(error, StoreError) && gone.has((error as StoreError).code)) return;
      for (const runId of runIds) this.#leaving.add(runId);
      this.#engine.logger.error('Runs could not be released, which is tried again with the next', error);
    }
  }

  /** Asks the store for something whose failure changes nothing but what is logged. */
  async #settle(work: () => MaybePromise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#engine.logger.error('The store could not be watched', error);
    }
  }
}

function ended(run: LiveRun): Promise<unknown> {
  return new Promise((resolve) => run.whenEnded(resolve));
}

function requestOf(command: RunCommand): RunRequest {
  switch (command.type) {
    case 'run.cancel':
      return { type: 'cancel', reason: command.reason };
    case 'run.pause':
      return { type: 'pause' };
    case 'run.resume':
      return { type: 'resume' };
  }
}

function takenOver(runId: string): StoreConflictError {
  return new StoreConflictError(
    runId,
    `Run ${runId} was taken over by another engine, which held this one dead: it showed no life for longer than its lease`,
  );
}
