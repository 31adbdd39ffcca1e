import { Heap, type HeapItem } from '../model/heap.ts';
import { type Claim, Claims, goesBefore } from './claims.ts';

/** A limit on attempts under way: of the engine, a run or a pool. */
export class Limit {
  readonly slots: number;
  #taken = 0;
  /** Callbacks for the next free slot. */
  readonly #watchers = new Set<() => void>();
  /** Lanes that wait for a slot, best claim first; those of each pool apart, since a full pool must block no other. */
  #lanes: Map<Pool, Heap<Lane>> | undefined;

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
    if (this.#lanes !== undefined) for (const pool of this.#lanes.keys()) this.wake(pool);
    if (this.#watchers.size > 0) this.#tellWatchers();
  }

  /** Calls back once, at the next release. */
  whenFree(callback: () => void): void {
    this.#watchers.add(callback);
  }

  /** The lanes of a pool that wait for a slot. */
  waitingIn(pool: Pool): Heap<Lane> {
    this.#lanes ??= new Map();
    let lanes = this.#lanes.get(pool);
    if (lanes === undefined) {
      lanes = new Heap(isBetter);
      this.#lanes.set(pool, lanes);
    }
    return lanes;
  }

  /** Lets the best lane of a pool that waits here have its turn, if there is a slot. The others go on waiting. */
  wake(pool: Pool): void {
    const lanes = this.#lanes?.get(pool);
    if (lanes === undefined) return;
    for (let lane = lanes.first; lane !== undefined && !this.isFull; lane = lanes.first)
      if (pool.place(lane)) return;
  }

  #tellWatchers(): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const callback of watchers) callback();
  }
}

/** Claims of one run for the same pool, or for none. */
export class Lane implements HeapItem {
  place = -1;
  /** Where it is: among the lanes that may start, or with a limit that is full. */
  heap: Heap<Lane> | undefined;
  readonly claims = new Claims();
  readonly pool: Pool;
  /** The run's limits: its concurrency, and a pool of its own; and those of the runs above it. */
  readonly limits: readonly Limit[];
  /** The next claim to serve, as of the lane's last placement. */
  best: Claim | undefined;
  #isHeld = false;

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

  /** Its first claim, unless it is held. */
  get first(): Claim | undefined {
    return this.#isHeld ? undefined : this.claims.first;
  }

  /** The limit for which its first claim must wait. */
  get fullLimit(): Limit | undefined {
    for (const limit of this.limits) if (limit.isFull) return limit;
    return undefined;
  }
}

function isBetter(a: Lane, b: Lane): boolean {
  return goesBefore(a.best as Claim, b.best as Claim);
}

/** Lanes that share a limit across runs, best claim first: those of one engine pool, or of none. */
export class Pool {
  readonly limit: Limit;
  /** The lanes that may start. */
  readonly #lanes = new Heap<Lane>(isBetter);
  readonly #onWanted: () => void;

  constructor(limit: Limit, onWanted: () => void) {
    this.limit = limit;
    this.#onWanted = onWanted;
  }

  /** Places a lane by its best claim. If it leaves a slot to others that wait for it, they have their turn. */
  enter(lane: Lane): void {
    if (this.place(lane)) return;
    for (const limit of lane.limits) if (!limit.isFull) limit.wake(this);
  }

  /** Places a lane: among those that may start, with the limit that it must wait for, or nowhere. Returns whether it may start. */
  place(lane: Lane): boolean {
    const first = lane.first;
    const full = first && lane.fullLimit;
    const heap = first && (full === undefined ? this.#lanes : full.waitingIn(this));
    if (lane.heap !== heap) lane.heap?.remove(lane);
    lane.best = first;
    if (heap !== undefined) {
      if (lane.heap === heap) heap.update(lane);
      else heap.push(lane);
    }
    lane.heap = heap;
    if (heap !== this.#lanes) return false;
    this.#onWanted();
    return true;
  }

  /** The lane to serve next. If the limit is full, the pool waits for a free slot. */
  best(): Lane | undefined {
    if (this.#lanes.first !== undefined && this.limit.isFull) {
      this.limit.whenFree(this.#onWanted);
      return undefined;
    }
    for (let lane = this.#lanes.first; lane !== undefined; lane = this.#lanes.first) {
      if (lane.fullLimit === undefined) return lane;
      this.enter(lane);
    }
    return undefined;
  }
}

/** The claims waiting to start on one clock. */
export class SlotQueue {
  /** The lanes of tasks that need no slot: of those whose body is a run. */
  readonly free: Pool;
  readonly #engine: Limit;
  readonly #pools: Pool[] = [];
  readonly #onWanted: () => void;

  /** @param onWanted called when something may be able to start */
  constructor(engine: Limit, onWanted: () => void) {
    this.#engine = engine;
    this.#onWanted = onWanted;
    this.free = new Pool(unlimited, onWanted);
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
    if (lane.pool !== this.free) {
      this.#engine.take();
      lane.pool.limit.take();
      for (const limit of lane.limits) limit.take();
    }
    lane.pool.enter(lane);
    return claim;
  }

  /** Frees a claim's slots. */
  release(lane: Lane): void {
    if (lane.pool === this.free) return;
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
    if (best !== undefined && this.#engine.isFull) {
      this.#engine.whenFree(this.#onWanted);
      best = undefined;
    }
    const free = this.free.best();
    return free === undefined || (best !== undefined && isBetter(best, free)) ? best : free;
  }
}

const unlimited = new Limit(Number.POSITIVE_INFINITY);
