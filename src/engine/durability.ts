import type { Clock } from '../model/clock.ts';
import { isShared } from '../store/shared.ts';
import type { Store } from '../store/store.ts';
import type { EngineCore } from './core.ts';
import type { KnownFlows } from './known-flows.ts';
import type { LiveRun } from './live-run.ts';
import { Recoveries, type Recovering } from './recovery.ts';
import type { Run } from './run.ts';
import { SharedRuns, type Sharing } from './shared-runs.ts';
import { StoredRuns } from './stored-runs.ts';

/**
 * What an engine does with runs of its store that are not its own, or not yet. A module apart, which an engine loads
 * when it first needs it: most programs start and settle their runs without.
 */
export class Durability {
  readonly stored: StoredRuns;
  readonly recoveries: Recoveries<Run>;
  /** Set if other engines share the store. */
  readonly shared: SharedRuns | undefined;

  constructor(
    engine: EngineCore<LiveRun> & Sharing & Recovering<Run>,
    store: Store,
    clock: Clock,
    flows: KnownFlows,
  ) {
    this.stored = new StoredRuns(engine, clock, flows);
    this.shared = isShared(store) ? new SharedRuns(store, engine, this.stored) : undefined;
    this.recoveries = new Recoveries<Run>(engine, store, this.shared);
  }
}
