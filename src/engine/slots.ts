import { Heap, type HeapItem } from '../model/heap.ts';
import { type Claim, Claims, goesBefore } from './claims.ts';

/** A limit on attempts under way: of the engine, a run or a pool. */
export class Limit {
  readonly slots: number;
  #taken = 0;
  /** Callbacks for the next free slot. */
  readonly #watchers = new Set<() => void>();
  /** The lanes that it limits, in one group for each way that leads from here to a pool. */
  #groups: Group[] | undefined;

  constructor(slots: number) {
    this.slots = slots;
  }

  get isFull(): boolean {
    return this.#taken >= this.slots;
  }

  take(): void {
    this.#taken++;
    if (this.#groups !== undefined && this.isFull) this.#refresh();
  }

  release(): void {
    const wasFull = this.isFull;
    this.#taken--;
    if (this.#groups !== undefined && wasFull) this.#refresh();
    if (this.#watchers.size > 0) this.#tellWatchers();
  }

  /** Calls back once, at the next release. */
  whenFree(callback: () => void): void {
    this.#watchers.add(callback);
  }

  /** Its lanes that stand behind others above. */
  groupIn(above: Line): Group {
    this.#groups ??= [];
    let group = this.#groups.find((known) => known.above === above);
    if (group === undefined) {
      group = new Group(this, above);
      this.#groups.push(group);
    }
    return group;
  }

  #refresh(): void {
    for (const group of this.#groups ?? []) group.refresh();
  }

  #tellWatchers(): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const callback of watchers) callback();
  }
}

/** A lane, or a group of lanes. */
interface Member extends HeapItem {
  /** The claim to serve next; `undefined` if none may start. */
  readonly best: Claim | undefined;
  /** The lane of that claim. */
  readonly lane: Lane;
}

/** Members in a line, best claim first. */
interface Line {
  /** Places a member by its best claim. */
  enter(member: Member): void;
}

/**
 * Lanes that share a limit, and groups of them that share another too. While the limit is full, the group is in no line,
 * so that a slot costs the same however many lanes wait for it.
 */
class Group implements Member, Line {
  place = -1;
  best: Claim | undefined;
  readonly limit: Limit;
  readonly above: Line;
  readonly #members = new Heap<Member>(isBetter);

  constructor(limit: Limit, above: Line) {
    this.limit = limit;
    this.above = above;
  }

  get lane(): Lane {
    return (this.#members.first as Member).lane;
  }

  enter(member: Member): void {
    put(this.#members, member);
    this.refresh();
  }

  /** Has its best claim follow from its members and its limit. */
  refresh(): void {
    const best = this.limit.isFull ? undefined : this.#members.first?.best;
    if (best === this.best) return;
    this.best = best;
    this.above.enter(this);
  }
}

/** Claims of one run for the same pool, or for none. */
export class Lane implements Member {
  place = -1;
  readonly claims = new Claims();
  readonly pool: Pool;
  /** The run's limits, each before those that limit more lanes: its pools, its concurrency, and those of the runs above it. */
  readonly limits: readonly Limit[];
  best: Claim | undefined;
  readonly #line: Line;
  #isHeld = false;

  constructor(pool: Pool, limits: readonly Limit[]) {
    this.pool = pool;
    this.limits = limits;
    this.#line = limits.reduceRight<Line>((above, limit) => limit.groupIn(above), pool);
  }

  get lane(): this {
    return this;
  }

  push(claim: Claim): void {
    this.claims.push(claim);
    if (this.best === undefined || goesBefore(claim, this.best)) this.#refresh();
  }

  /** Withdraws a claim; a no-op if it was already served. */
  withdraw(claim: Claim): void {
    if (claim.place < 0) return;
    this.claims.remove(claim);
    this.#refresh();
  }

  /** Holds or releases the lane, as for a paused run. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#refresh();
  }

  /** Removes its best claim, which starts. */
  shift(): Claim {
    const claim = this.claims.shift();
    this.#refresh();
    return claim;
  }

  #refresh(): void {
    const best = this.#isHeld ? undefined : this.claims.first;
    if (best === this.best) return;
    this.best = best;
    this.#line.enter(this);
  }
}

/** Lanes that share a limit across runs, best claim first: those of one engine pool, or of none. */
export class Pool implements Line {
  readonly limit: Limit;
  readonly #members = new Heap<Member>(isBetter);
  readonly #onWanted: () => void;

  constructor(limit: Limit, onWanted: () => void) {
    this.limit = limit;
    this.#onWanted = onWanted;
  }

  enter(member: Member): void {
    put(this.#members, member);
    if (member.best !== undefined) this.#onWanted();
  }

  /** The lane to serve next. If the limit is full, the pool waits for a free slot. */
  get best(): Lane | undefined {
    const { first } = this.#members;
    if (first === undefined || !this.limit.isFull) return first?.lane;
    this.limit.whenFree(this.#onWanted);
    return undefined;
  }
}

function put(line: Heap<Member>, member: Member): void {
  if (member.best === undefined) line.remove(member);
  else if (member.place < 0) line.push(member);
  else line.update(member);
}

function isBetter(a: Member, b: Member): boolean {
  return goesBefore(a.best as Claim, b.best as Claim);
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
    this.#engine.take();
    lane.pool.limit.take();
    for (const limit of lane.limits) limit.take();
    return lane.shift();
  }

  /** The best claim that needs no slot, which must then start; `undefined` if there is none. */
  giveFree(): Claim | undefined {
    return this.free.best?.shift();
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
      const lane = pool.best;
      if (lane === undefined) continue;
      if (best === undefined || isBetter(lane, best)) best = lane;
    }
    if (best === undefined || !this.#engine.isFull) return best;
    this.#engine.whenFree(this.#onWanted);
    return undefined;
  }
}

const unlimited = new Limit(Number.POSITIVE_INFINITY);
