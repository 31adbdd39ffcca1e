import type { FlowDefinition } from '../model/definition.ts';
import { pick } from '../model/record.ts';
import { Lane, Limit, type SlotQueue } from './slots.ts';

/** The limits that runs share. */
interface SharedLimits {
  /** The limit of lanes that share no pool. */
  readonly noLimit: Limit;
  /** Finds a pool of the engine by name. */
  sharedPool(name: string): Limit;
}

/** The lanes in which a run's tasks wait for slots: one for each pool used, and one for tasks without a pool. */
export class RunLanes {
  readonly #slots: SlotQueue;
  readonly #shared: SharedLimits;
  /** The flow's own pools. */
  readonly #ownPools: FlowDefinition['settings']['pools'];
  /** The run's concurrency. */
  readonly #limits: readonly Limit[];
  #plain: Lane | undefined;
  #ofPools: Map<string, Lane> | undefined;
  #isHeld = false;
  #isInDoubt = false;

  /** @param concurrency maximum of concurrent attempts of the run; `undefined` for no limit */
  constructor(
    slots: SlotQueue,
    shared: SharedLimits,
    ownPools: FlowDefinition['settings']['pools'],
    concurrency: number | undefined,
  ) {
    this.#slots = slots;
    this.#shared = shared;
    this.#ownPools = ownPools;
    this.#limits = concurrency === undefined ? none : [new Limit(concurrency)];
  }

  /** @param pool a pool's name, or `undefined` for tasks without one */
  of(pool: string | undefined): Lane {
    if (pool === undefined) {
      this.#plain ??= this.#make(this.#shared.noLimit, this.#limits);
      return this.#plain;
    }
    this.#ofPools ??= new Map();
    let lane = this.#ofPools.get(pool);
    if (lane === undefined) {
      lane = this.#makeFor(pool);
      this.#ofPools.set(pool, lane);
    }
    return lane;
  }

  /** Holds or releases all lanes. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#holdAll();
  }

  /** Holds all lanes while it is in doubt what is kept, whatever else holds them. */
  doubt(isInDoubt: boolean): void {
    this.#isInDoubt = isInDoubt;
    this.#holdAll();
  }

  #holdAll(): void {
    const isHeld = this.#isHeld || this.#isInDoubt;
    this.#plain?.hold(isHeld);
    for (const lane of this.#ofPools?.values() ?? []) lane.hold(isHeld);
  }

  #makeFor(pool: string): Lane {
    const slots = pick(this.#ownPools ?? {}, pool);
    if (slots === undefined) return this.#make(this.#shared.sharedPool(pool), this.#limits);
    return this.#make(this.#shared.noLimit, [...this.#limits, new Limit(slots)]);
  }

  #make(shared: Limit, limits: readonly Limit[]): Lane {
    const lane = new Lane(this.#slots.poolOf(shared), limits);
    if (this.#isHeld || this.#isInDoubt) lane.hold(true);
    return lane;
  }
}

const none: readonly Limit[] = [];
