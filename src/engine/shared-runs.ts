import { isA } from '../model/check.ts';
import { EngineStoppedError, StoreConflictError, StoreError } from '../model/error.ts';
import type { Logger } from '../model/logger.ts';
import type { MaybePromise } from '../model/maybe-promise.ts';
import type { ClaimedRun, RunRequest, SharedStore } from '../store/shared.ts';
import type { Store } from '../store/store.ts';
import type { LiveRun } from './live-run.ts';
import type { RunCommand } from './run-command.ts';

/** The engine whose runs stand in a store that others share. */
interface Sharing {
  readonly logger: Logger;
  /** A run under way here. */
  live(runId: string): LiveRun | undefined;
  /** Continues a run that was claimed, without starting attempts. Rejects if its journal or flow does not allow it. */
  takeOver(runId: string): Promise<LiveRun>;
}

/** Whether engines in several processes share a store. */
export function isShared(store: Store | undefined): store is SharedStore {
  return store !== undefined && 'claim' in store && 'watch' in store;
}

/** Answers for an engine's runs in a shared store: to others that ask something of them, or have taken them over. */
export class SharedRuns {
  readonly #store: SharedStore;
  readonly #engine: Sharing;
  #isAttached = false;

  constructor(store: SharedStore, engine: Sharing) {
    this.#store = store;
    this.#engine = engine;
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

  /** Yields runs of these flows that nobody alive owned, some at a time: they are the engine's from then on. */
  async *claim(flows: readonly string[]): AsyncGenerator<readonly ClaimedRun[]> {
    this.attach();
    for (;;) {
      const claimed = await this.#store.claim(flows);
      if (claimed.length === 0) return;
      yield claimed;
    }
  }

  /** Gives runs up, for others to claim. Resolves even if that fails. */
  async release(runIds: readonly string[]): Promise<void> {
    if (runIds.length > 0) await this.#settle(() => this.#store.release(runIds));
  }

  /**
   * Has a command carried out for a run that is not under way here: by the engine that owns it. If none does, the run is
   * taken over, records the command, and is released; no body is called.
   */
  async command(runId: string, command: RunCommand): Promise<void> {
    this.attach();
    try {
      return await this.#store.request(runId, requestOf(command));
    } catch (error) {
      if (!isA(error, StoreError) || (error as StoreError).code !== 'unowned') throw error;
    }
    await this.#store.claimRun(runId);
    const run = await this.#engine.takeOver(runId);
    run.command(command);
    await run.whenKept();
    if (run.hasSettled) return;
    run.stop(new EngineStoppedError('The run was taken over for a command only'));
    await new Promise<unknown>((resolve) => run.whenEnded(resolve));
    await this.#store.release([runId]);
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
    const run = this.#engine.live(runId);
    if (run === undefined) throw new Error(`Run ${runId} is not under way`);
    if (type === 'rerun') throw new Error(`Run ${runId} has not settled: it can run again once it has`);
    run.command(type === 'cancel' ? { type: 'run.cancel', reason } : { type: `run.${type}` });
    await run.whenKept();
  }

  /** Resolves even if the work fails. */
  async #settle(work: () => MaybePromise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#engine.logger.error('The store could not be watched, or runs not be released', error);
    }
  }
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
