import { isA } from '../model/check.ts';
import { rootIdOf } from '../model/child-id.ts';
import type { Delivered, Delivery } from '../model/delivery.ts';
import { EngineStoppedError, StoreConflictError, StoreError, type StoreErrorCode } from '../model/error.ts';
import type { Logger } from '../model/logger.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import { endingOf } from '../model/summary.ts';
import type { ClaimedRun, RunRequest, SharedStore } from '../store/shared.ts';
import { type Answered, CommandErrand, DeliveryErrand, type Errand, errandOf } from './errand.ts';
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
  readonly #commands = new Map<string, Promise<unknown>>();
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
    return this.#inTurn(runId, new CommandErrand(command));
  }

  /**
   * Has a value delivered in the same way. Of a run that has settled it is said what became of the task. Rejects with
   * InputError for a value that the store cannot write.
   */
  async deliver(runId: string, flow: string, delivery: Delivery): Promise<Delivered> {
    return this.#inTurn(runId, DeliveryErrand.of(flow, delivery, this.#store.values));
  }

  #inTurn<Answer>(runId: string, errand: Errand<Answer>): Promise<Answer> {
    this.attach();
    const before = this.#commands.get(runId) ?? Promise.resolve();
    const carriedOut = before.catch(() => {}).then(() => this.#carryOut(runId, errand));
    this.#commands.set(runId, carriedOut);
    const forget = (): void => {
      if (this.#commands.get(runId) === carriedOut) this.#commands.delete(runId);
    };
    carriedOut.then(forget, forget);
    return carriedOut;
  }

  async #carryOut<Answer>(runId: string, errand: Errand<Answer>): Promise<Answer> {
    // The owner may change between the steps: then they begin anew.
    for (;;) {
      const here = await this.#record(runId, errand);
      if (here !== undefined) return here.answer;
      try {
        return errand.read(runId, await this.#store.request(runId, errand.request));
      } catch (error) {
        if (!isA(error, StoreError) || (error as StoreError).code !== 'unowned') throw error;
        const taken = await this.#takeOver(runId, errand, error);
        if (taken !== undefined) return taken.answer;
      }
    }
  }

  /** Returns the answer if nothing is left to do. Throws `unowned` if there is no such run any more. */
  async #takeOver<Answer>(
    runId: string,
    errand: Errand<Answer>,
    unowned: unknown,
  ): Promise<Answered<Answer> | undefined> {
    // A tree has one owner. A child run needs nothing of those above it to record a command.
    const rootId = rootIdOf(runId);
    try {
      const claimed = await this.#store.claimRun(rootId, errand.goesOn);
      if (claimed === undefined) throw unowned;
    } catch (error) {
      if (isA(error, StoreConflictError)) return undefined;
      throw error;
    }
    if (this.#opening.has(rootId) || this.#engine.live(rootId) !== undefined) return undefined;
    const opened = this.#open([rootId]);
    try {
      const entries = await this.#store.read(runId);
      const stored = await this.#stored.check(runId, entries);
      if (stored.ending !== undefined)
        return { answer: await errand.settled(await this.#stored.of(runId, entries)) };
      const run = this.#engine.takeOver(stored);
      opened();
      return await this.#recordAndStop(run, errand);
    } finally {
      opened();
      await this.release([rootId]);
    }
  }

  async #recordAndStop<Answer>(run: LiveRun, errand: Errand<Answer>): Promise<Answered<Answer> | undefined> {
    try {
      return await this.#record(run.id, errand);
    } finally {
      // No body is called, so a cancelled run comes to its end by itself: in slices, if it has many tasks.
      if (!errand.ends) run.stop(new EngineStoppedError('The run was taken over for a command only'));
      await ended(run);
    }
  }

  /** Returns the answer if a run that is under way here has recorded what is asked, or has settled. */
  async #record<Answer>(runId: string, errand: Errand<Answer>): Promise<Answered<Answer> | undefined> {
    await this.#opening.get(rootIdOf(runId));
    const run = this.#engine.live(runId);
    if (run === undefined) return undefined;
    if (!run.isOver) return { answer: await errand.record(run) };
    await ended(run);
    return run.hasSettled ? { answer: await errand.settled(run) } : undefined;
  }

  #watch(flows: readonly string[], claimable: (() => void) | undefined): void {
    this.#isAttached = true;
    const taken = (runIds: readonly string[]): void => {
      for (const runId of runIds) this.#engine.live(runId)?.abandon(takenOver(runId));
    };
    const requested = (runId: string, request: RunRequest): Promise<string | undefined> =>
      this.#answer(runId, request);
    const watcher = { flows, ...(claimable && { claimable }), taken, requested };
    void this.#settle(() => this.#store.watch(watcher));
  }

  async #answer(runId: string, request: RunRequest): Promise<string | undefined> {
    if (request.type === 'rerun')
      throw new Error(`Run ${runId} has not settled: it can run again once it has`);
    const errand = errandOf(request, this.#store.values);
    if (errand === undefined) throw new Error(`This engine is of an earlier topple, and does not know this`);
    try {
      const here = await this.#record(runId, errand);
      if (here !== undefined) return errand.write(here.answer);
      if (await this.#hasSettled(runId)) return undefined;
    } catch (error) {
      const reply = errand.writeError(error);
      if (reply !== undefined) return reply;
      if (!isA(error, StoreConflictError)) throw error;
    }
    await this.release([runId]);
    // Not answered: the asker learns from the store that the run has another owner, or none.
    return new Promise(() => {});
  }

  async #hasSettled(runId: string): Promise<boolean> {
    const last = (await this.#store.read(runId)).at(-1);
    return last !== undefined && endingOf(last.type) !== undefined;
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

function takenOver(runId: string): StoreConflictError {
  return new StoreConflictError(
    runId,
    `Run ${runId} was taken over by another engine, which held this one dead: it showed no life for longer than its lease`,
  );
}
