import type { FlowDefinition } from '../model/definition.ts';
import { pick } from '../model/record.ts';
import { Lane, Limit, type Pool, type SlotQueue } from './slots.ts';

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
  /** Those of the run above, whose limits are limits here too, and which hold these while they are held. */
  readonly #above: RunLanes | undefined;
  readonly #below = new Set<RunLanes>();
  /** The flow's own pools: how many slots, and the limit once a lane needs it. */
  readonly #ownPools: FlowDefinition['settings']['pools'];
  #poolLimits: Map<string, Limit> | undefined;
  readonly #concurrency: Limit | undefined;
  #plain: Lane | undefined;
  #free: Lane | undefined;
  #ofPools: Map<string, Lane> | undefined;
  #isHeld = false;
  #isInDoubt = false;
  /** Whether it is of a run that undoes, which those above limit but do not hold. */
  readonly #isUndo: boolean;
  /** Whether it is held, or in doubt, or those above are. */
  #mustHold = false;

  /**
   * @param concurrency maximum of concurrent attempts of the run; `undefined` for no limit
   * @param isUndo whether the run undoes what that above did, whose pause or cancel is nothing to it
   */
  constructor(
    slots: SlotQueue,
    shared: SharedLimits,
    ownPools: FlowDefinition['settings']['pools'],
    concurrency: number | undefined,
    above?: RunLanes,
    isUndo = false,
  ) {
    this.#slots = slots;
    this.#shared = shared;
    this.#ownPools = ownPools;
    this.#above = above;
    if (concurrency !== undefined) this.#concurrency = new Limit(concurrency);
    this.#isUndo = isUndo;
    if (above === undefined || isUndo) return;
    this.#mustHold = above.#mustHold;
    above.#below.add(this);
  }

  /** @param pool a pool's name, or `undefined` for tasks without one */
  of(pool: string | undefined): Lane {
    if (pool === undefined) {
      this.#plain ??= this.#makeFor(undefined);
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

  /** The lane of tasks that need no slot, since their bodies are runs. */
  get free(): Lane {
    this.#free ??= this.#make(this.#slots.free, []);
    return this.#free;
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

  /** Ends what it has to do with the run above. */
  close(): void {
    if (this.#above !== undefined) this.#above.#below.delete(this);
  }

  #holdAll(): void {
    const open: RunLanes[] = [this];
    for (let lanes = open.pop(); lanes !== undefined; lanes = open.pop()) {
      const above = lanes.#above;
      const isHeldAbove: boolean = above === undefined || lanes.#isUndo ? false : above.#mustHold;
      const mustHold = lanes.#isHeld || lanes.#isInDoubt || isHeldAbove;
      if (mustHold === lanes.#mustHold) continue;
      lanes.#mustHold = mustHold;
      lanes.#holdOwn();
      for (const below of lanes.#below) open.push(below);
    }
  }

  #holdOwn(): void {
    const isHeld = this.#mustHold;
    this.#plain?.hold(isHeld);
    this.#free?.hold(isHeld);
    for (const lane of this.#ofPools?.values() ?? []) lane.hold(isHeld);
  }

  /** A pool's limit stands beside that of the run whose pool it is: it limits lanes of that run and those below. */
  #makeFor(pool: string | undefined): Lane {
    let wanted = pool;
    const limits: Limit[] = [];
    for (let lanes: RunLanes | undefined = this; lanes !== undefined; lanes = lanes.#above) {
      const limit = wanted === undefined ? undefined : lanes.#ownLimit(wanted);
      if (limit !== undefined) {
        limits.push(limit);
        wanted = undefined;
      }
      if (lanes.#concurrency !== undefined) limits.push(lanes.#concurrency);
    }
    const shared = wanted === undefined ? this.#shared.noLimit : this.#shared.sharedPool(wanted);
    return this.#make(this.#slots.poolOf(shared), limits);
  }

  #ownLimit(pool: string): Limit | undefined {
    const slots = pick(this.#ownPools ?? {}, pool);
    if (slots === undefined) return undefined;
    this.#poolLimits ??= new Map();
    let limit = this.#poolLimits.get(pool);
    if (limit === undefined) {
      limit = new Limit(slots);
      this.#poolLimits.set(pool, limit);
    }
    return limit;
  }

  #make(pool: Pool, limits: readonly Limit[]): Lane {
    const lane = new Lane(pool, limits);
    if (this.#mustHold) lane.hold(true);
    return lane;
  }
}
