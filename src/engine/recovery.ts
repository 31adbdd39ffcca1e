import type { FlowDefinition } from '../model/definition.ts';
import { EngineStoppedError } from '../model/error.ts';
import type { Logger } from '../model/logger.ts';
import { takesTime } from '../model/maybe-promise.ts';
import type { Store } from '../store/store.ts';
import type { SharedRuns } from './shared-runs.ts';
import type { StoredJournal } from './stored-run.ts';
import { checkStored } from './stored-runs.ts';

/** The engine that recovers runs. */
export interface Recovering<Run> {
  readonly logger: Logger;
  /** Whether it is being stopped: nothing more starts. */
  readonly isDraining: boolean;
  /** A run under way. */
  live(runId: string): unknown;
  /** Continues a run. Throws FlowError if a pool that its flow names is missing. */
  resume(stored: StoredJournal): Run;
}

/** Recovers runs, while others start or are recovered by another call: a store may take its time. */
export class Recoveries<Run> {
  readonly #engine: Recovering<Run>;
  readonly #store: Store;
  /** Set if others share the store. */
  readonly #shared: SharedRuns | undefined;
  /** Runs that could not be recovered, and why: a watch meets them again and again. */
  readonly #refused = new Map<string, string>();
  /** For each call under way: the runs that were under way at any time since, which it leaves alone. */
  readonly #calls = new Set<Set<string>>();

  constructor(engine: Recovering<Run>, store: Store, shared: SharedRuns | undefined) {
    this.#engine = engine;
    this.#store = store;
    this.#shared = shared;
  }

  /** Whether runs are being recovered. */
  get isUnderWay(): boolean {
    return this.#calls.size > 0;
  }

  /** Notes a run that starts or resumes. */
  entered(runId: string): void {
    for (const seen of this.#calls) seen.add(runId);
  }

  /**
   * Recovers the unsettled runs of these flows, in the order of the store. With a store that answers at once all of
   * them have been resumed when this returns.
   *
   * @param live the runs under way
   */
  async recover(flows: ReadonlyMap<string, FlowDefinition>, live: readonly string[]): Promise<Run[]> {
    const seen = new Set(live);
    this.#calls.add(seen);
    try {
      return await this.#recover(flows, seen);
    } finally {
      this.#calls.delete(seen);
    }
  }

  async #recover(flows: ReadonlyMap<string, FlowDefinition>, seen: ReadonlySet<string>): Promise<Run[]> {
    const runs: Run[] = [];
    if (this.#shared === undefined) {
      const listing = this.#store.list({ settled: false });
      const isKnown = (runId: string): boolean => seen.has(runId);
      await this.#recoverAll(takesTime(listing) ? await listing : listing, flows, isKnown, runs);
    } else await this.#recoverClaimed(this.#shared, flows, runs);
    if (this.#engine.isDraining)
      throw new EngineStoppedError('The engine was stopped: it recovers no more runs');
    return runs;
  }

  /**
   * Recovers what nobody alive owns. A claim is as of now: it matters only what is under way. What cannot be recovered
   * here is given up again, since others may have its flow.
   */
  async #recoverClaimed(
    shared: SharedRuns,
    flows: ReadonlyMap<string, FlowDefinition>,
    runs: Run[],
  ): Promise<void> {
    const isKnown = (runId: string): boolean => this.#engine.live(runId) !== undefined;
    for await (const claimed of shared.claim([...flows.keys()])) {
      await this.#recoverAll(claimed, flows, isKnown, runs);
      if (this.#engine.isDraining) break;
    }
    await shared.release([]);
  }

  async #recoverAll(
    listed: readonly { readonly id: string; readonly flow: string }[],
    flows: ReadonlyMap<string, FlowDefinition>,
    isKnown: (runId: string) => boolean,
    runs: Run[],
  ): Promise<void> {
    for (const { id, flow } of listed) {
      const definition = flows.get(flow);
      if (definition === undefined || isKnown(id)) continue;
      try {
        const reading = this.#store.read(id);
        const entries = takesTime(reading) ? await reading : reading;
        if (this.#engine.isDraining) return;
        // It may have been removed since it was listed.
        if (isKnown(id) || entries.length === 0) continue;
        const stored = checkStored(definition, id, entries);
        // Another engine may have ended it.
        if (stored.ending === undefined) runs.push(this.#engine.resume(stored));
      } catch (error) {
        if (this.#isLogged(id, error)) continue;
        const message = `Run ${id} of flow \`${flow}\` cannot be recovered; it stays in the store as it is`;
        this.#engine.logger.error(message, error);
      }
    }
  }

  /** Whether it has been logged before that a run cannot be recovered because of this. */
  #isLogged(runId: string, error: unknown): boolean {
    if (this.#shared === undefined) return false;
    const why = String(error);
    if (this.#refused.get(runId) === why) return true;
    this.#refused.set(runId, why);
    return false;
  }
}
