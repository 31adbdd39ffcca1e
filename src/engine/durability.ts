import type { Clock } from '../model/clock.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { isShared } from '../store/shared.ts';
import type { Store } from '../store/store.ts';
import type { EngineCore } from './core.ts';
import type { RecoverOptions } from './engine-options.ts';
import type { KnownFlows } from './known-flows.ts';
import type { LiveRun } from './live-run.ts';
import { Recoveries, type Recovering } from './recovery.ts';
import type { Run } from './run.ts';
import { SharedRuns, type Sharing } from './shared-runs.ts';
import { StoredRuns } from './stored-runs.ts';

type Owner = EngineCore<LiveRun> & Sharing & Recovering<Run>;

/** A flow whose runs are recovered, and how. */
interface Wanted {
  readonly definition: FlowDefinition;
  readonly given: RecoverOptions;
}

/**
 * What an engine does with runs of its store that are not its own, or not yet. A module apart, which an engine loads
 * when it first needs it: most programs start and settle their runs without.
 */
export class Durability {
  readonly stored: StoredRuns;
  readonly recoveries: Recoveries<Run>;
  /** Set if other engines share the store. */
  readonly shared: SharedRuns | undefined;
  readonly #engine: Owner;
  /** By name: flows whose runs it recovers until the engine is stopped. */
  readonly #watched = new Map<string, Wanted>();

  constructor(engine: Owner, store: Store, clock: Clock, flows: KnownFlows) {
    this.#engine = engine;
    this.stored = new StoredRuns(engine, store, clock, flows);
    this.shared = isShared(store) ? new SharedRuns(store, engine, this.stored) : undefined;
    this.recoveries = new Recoveries<Run>(engine, store, this.shared);
  }

  /** Recovers the unsettled runs of these flows, and with `watch` goes on doing so. */
  recover(flows: ReadonlyMap<string, FlowDefinition>, given: RecoverOptions): Promise<Run[]> {
    const wanted = new Map(Array.from(flows, ([name, definition]) => [name, { definition, given }]));
    if (given.watch === true) {
      for (const [name, each] of wanted) this.#watched.set(name, each);
      this.shared?.watch([...this.#watched.keys()], () => this.#recoverMore());
    }
    return this.#recover(wanted, given.ids);
  }

  /** Recovers what the watch has found. It finds that again if it comes while a call recovers, whose runs it would take. */
  #recoverMore(): void {
    if (this.#engine.isDraining || this.recoveries.isUnderWay) return;
    this.#recover(this.#watched, undefined, false).catch((error: unknown) => {
      if (!this.#engine.isDraining) this.#engine.logger.error('Runs could not be recovered', error);
    });
  }

  #recover(
    wanted: ReadonlyMap<string, Wanted>,
    ids: readonly string[] | undefined,
    isAfresh = true,
  ): Promise<Run[]> {
    return this.recoveries.recover({
      flows: new Map(Array.from(wanted, ([name, { definition }]) => [name, definition])),
      ids: ids && new Set(ids),
      isAfresh,
      adopts: (flow) => wanted.get(flow)?.given.onFlowChange === 'adopt',
      recovered: (run, flow) => this.#hand(run, wanted.get(flow)?.given.onRecovered),
    });
  }

  #hand(run: Run, onRecovered: RecoverOptions['onRecovered']): void {
    try {
      onRecovered?.(run);
    } catch (error) {
      this.#engine.logger.error(`\`onRecovered\` threw, for run ${run.id}`, error);
    }
  }
}
