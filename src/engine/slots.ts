import { Heap, type HeapItem } from '../model/heap.ts';
import { type Claim, Claims, goesBefore } from './claims.ts';

/** A limit on attempts under way: of the engine, a run or a pool. */
export class Limit {
  readonly slots: number;
  #taken = 0;
  /** Callbacks for the next free slot. */
  readonly #waiting = new Set<() => void>();

  constructor(slots: number) {
    this.slots = slots;
  }

  get isFull(): boolean {
    return this.#taken >= this.slots;
  }

  take(): void {
    this.#taken++;
  }

  release(): void {
    this.#taken--;
    if (this.#waiting.size > 0) this.#wake();
  }

  /** Calls back once, at the next release. */
  whenFree(callback: () => void): void {
    this.#waiting.add(callback);
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const callback of waiting) callback();
  }
}

/** Claims of one run for the same pool, or for none. */
export class Lane implements HeapItem {
  place = -1;
  readonly claims = new Claims();
  readonly pool: Pool;
  /** The run's limits: its concurrency, and a pool of its own. */
  readonly limits: readonly Limit[];
  /** The next claim to serve, as of the lane's last placement. */
  best: Claim | undefined;
  #isHeld = false;
  readonly #onFree = () => this.pool.enter(this);

  constructor(pool: Pool, limits: readonly Limit[]) {
    this.pool = pool;
    this.limits = limits;
  }

  push(claim: Claim): void {
    this.claims.push(claim);
    if (this.best === undefined || goesBefore(claim, this.best)) this.pool.enter(this);
  }

  /** Withdraws a claim; a no-op if it was already served. */
  withdraw(claim: Claim): void {
    if (claim.place < 0) return;
    this.claims.remove(claim);
    this.pool.enter(this);
  }

  /** Holds or releases the lane, as for a paused run. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.pool.enter(this);
  }

  /** Whether the run's limits let its first claim start. If a limit is full, the lane waits for a free slot. */
  mayStart(): boolean {
    if (this.#isHeld || this.claims.size === 0) return false;
    for (const limit of this.limits) {
      if (!limit.isFull) continue;
      limit.whenFree(this.#onFree);
      return false;
    }
    return true;
  }
}

function isBetter(a: Lane, b: Lane): boolean {
  return goesBefore(a.best as Claim, b.best as Claim);
}

/** Lanes that share a limit across runs, best claim first: those of one engine pool, or of none. */
export class Pool {
  readonly limit: Limit;
  readonly #lanes = new Heap<Lane>(isBetter);
  readonly #onWanted: () => void;

  constructor(limit: Limit, onWanted: () => void) {
    this.limit = limit;
    this.#onWanted = onWanted;
  }

  /** Places a lane by its best claim, or removes it if no claim may start. */
  enter(lane: Lane): void {
    lane.best = lane.mayStart() ? lane.claims.first : undefined;
    if (lane.best === undefined) this.#lanes.remove(lane);
    else {
      if (lane.place < 0) this.#lanes.push(lane);
      else this.#lanes.update(lane);
      this.#onWanted();
    }
  }

  /** The lane to serve next. If the limit is full, the pool waits for a free slot. */
  best(): Lane | undefined {
    if (this.#lanes.first !== undefined && this.limit.isFull) {
      this.limit.whenFree(this.#onWanted);
      return undefined;
    }
    for (let lane = this.#lanes.first; lane !== undefined; lane = this.#lanes.first) {
      if (lane.mayStart()) return lane;
      lane.best = undefined;
      this.#lanes.remove(lane);
    }
    return undefined;
  }
}

/** The claims waiting to start on one clock. */
export class SlotQueue {
  readonly #engine: Limit;
  readonly #pools: Pool[] = [];
  readonly #onWanted: () => void;

  /** @param onWanted called when something may be able to start */
  constructor(engine: Limit, onWanted: () => void) {
    this.#engine = engine;
    this.#onWanted = onWanted;
  }

  /** The lanes of a shared limit, kept apart so that a full pool blocks no other. */
  poolOf(limit: Limit): Pool {
    let pool = this.#pools.find((known) => known.limit === limit);
    if (pool === undefined) {
      pool = new Pool(limit, this.#onWanted);
      this.#pools.push(pool);
    }
    return pool;
  }

  /** Gives a slot to the best claim that the limits allow, which must then start; `undefined` if there is none. */
  giveBest(): Claim | undefined {
    const lane = this.#best();
    if (lane === undefined) return undefined;
    const claim = lane.claims.shift();
    this.#engine.take();
    lane.pool.limit.take();
    for (const limit of lane.limits) limit.take();
    lane.pool.enter(lane);
    return claim;
  }

  /** Frees a claim's slots. */
  free(lane: Lane): void {
    this.#engine.release();
    lane.pool.limit.release();
    for (const limit of lane.limits) limit.release();
  }

  #best(): Lane | undefined {
    let best: Lane | undefined;
    for (const pool of this.#pools) {
      const lane = pool.best();
      if (lane === undefined) continue;
      if (best === undefined || isBetter(lane, best)) best = lane;
    }
    if (best === undefined || !this.#engine.isFull) return best;
    this.#engine.whenFree(this.#onWanted);
    return undefined;
  }
}
