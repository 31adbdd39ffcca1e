// The queue of slots beside one that looks through all claims: whatever comes, both start the same claim next.

import * as assert from 'uvu/assert';
import { type Claim, goesBefore } from '../../src/engine/claims.ts';
import { Lane, Limit, SlotQueue } from '../../src/engine/slots.ts';
import { type Dice, diceOf, oneOf } from '../logic/oracle.ts';
import { spec } from '../spec.ts';

const test = spec('order of slots');

/** A lane with the claims that wait in it, and the limits that it is known to have. */
interface Row {
  readonly lane: Lane;
  readonly limits: readonly Count[];
  readonly isFree: boolean;
  readonly waiting: Set<Claim>;
  isHeld: boolean;
}

/** How many slots of a limit are taken, counted apart from it. */
interface Count {
  readonly limit: Limit;
  taken: number;
}

interface Shape {
  readonly engine: number;
  /** Pools of the engine, besides that of lanes without one. */
  readonly pools: readonly number[];
  /** The slots of each limit of a run. */
  readonly limits: readonly number[];
  readonly lanes: number;
}

class World {
  readonly rows: Row[] = [];
  readonly queue: SlotQueue;
  readonly #engine: Count;
  readonly #underWay: { readonly row: Row; readonly claim: Claim }[] = [];
  isWanted = false;
  #made = 0;
  started = 0;

  constructor(dice: Dice, { engine, pools, limits, lanes }: Shape) {
    this.#engine = countOf(engine);
    this.queue = new SlotQueue(this.#engine.limit, () => {
      this.isWanted = true;
    });
    const shared = [Number.POSITIVE_INFINITY, ...pools].map(countOf);
    const known = limits.map(countOf);
    for (let made = 0; made < lanes; made++) {
      const isFree = dice(8) === 0;
      const pool = oneOf(dice, shared);
      const own = isFree ? [] : known.filter(() => dice(2) === 0);
      const of = isFree ? this.queue.free : this.queue.poolOf(pool.limit);
      const lane = new Lane(
        of,
        own.map(({ limit }) => limit),
      );
      const all = isFree ? [] : [this.#engine, pool, ...own];
      this.rows.push({ lane, limits: all, isFree, waiting: new Set(), isHeld: false });
    }
  }

  /** The claim that goes before all others of those that may start. */
  get #best(): { readonly row: Row; readonly claim: Claim } | undefined {
    let best: { readonly row: Row; readonly claim: Claim } | undefined;
    for (const row of this.rows) {
      if (row.isHeld || row.limits.some(({ limit, taken }) => taken >= limit.slots)) continue;
      for (const claim of row.waiting)
        if (best === undefined || goesBefore(claim, best.claim)) best = { row, claim };
    }
    return best;
  }

  /** Starts a claim, if one may: the right one. Returns whether there was one. */
  startOne(about: string): boolean {
    const best = this.#best;
    const claim = this.queue.giveBest();
    assert.is(nameOf(claim), nameOf(best?.claim), about);
    if (best === undefined) return false;
    best.row.waiting.delete(best.claim);
    for (const count of best.row.limits) count.taken++;
    this.#underWay.push(best);
    this.started++;
    return true;
  }

  /** As a turn does: asks only if it was told to, and then as long as there is something. */
  fill(about: string): void {
    if (!this.isWanted) {
      assert.is(nameOf(this.#best?.claim), 'none', `${about}: nobody asked`);
      return;
    }
    this.isWanted = false;
    while (this.startOne(about));
  }

  claim(dice: Dice, row = oneOf(dice, this.rows)): void {
    const claim: Claim = {
      place: -1,
      priority: dice(3),
      readyAt: dice(4),
      runOrder: this.rows.indexOf(row),
      index: this.#made++,
      start: () => undefined,
    };
    row.waiting.add(claim);
    row.lane.push(claim);
  }

  withdraw(dice: Dice): void {
    const rows = this.rows.filter(({ waiting }) => waiting.size > 0);
    if (rows.length === 0) return;
    const { lane, waiting } = oneOf(dice, rows);
    const claim = oneOf(dice, [...waiting]);
    waiting.delete(claim);
    lane.withdraw(claim);
  }

  release(dice: Dice): void {
    if (this.#underWay.length === 0) return;
    const [one] = this.#underWay.splice(dice(this.#underWay.length), 1);
    for (const count of one?.row.limits ?? []) count.taken--;
    this.queue.release(one?.row.lane as Lane);
  }

  hold(dice: Dice): void {
    const row = oneOf(dice, this.rows);
    row.isHeld = !row.isHeld;
    row.lane.hold(row.isHeld);
  }

  /** Lets all that waits have its turn. */
  drain(dice: Dice, about: string): void {
    for (const row of this.rows) {
      row.isHeld = false;
      row.lane.hold(false);
    }
    this.fill(about);
    while (this.#underWay.length > 0) {
      this.release(dice);
      this.fill(about);
    }
    assert.is(
      this.rows.some(({ waiting }) => waiting.size > 0),
      false,
      `${about}: a claim is left over`,
    );
  }
}

function countOf(slots: number): Count {
  return { limit: new Limit(slots), taken: 0 };
}

function nameOf(claim: Claim | undefined): string {
  if (claim === undefined) return 'none';
  const { priority, readyAt, runOrder, index } = claim;
  return `claim ${index} of lane ${runOrder}, priority ${priority}, ready at ${readyAt}`;
}

function shapeOf(dice: Dice): Shape {
  const some = (most: number): number[] => Array.from({ length: dice(most) }, () => 1 + dice(4));
  return {
    engine: dice(3) === 0 ? 1 + dice(6) : Number.POSITIVE_INFINITY,
    pools: some(3),
    limits: some(5),
    lanes: 1 + dice(9),
  };
}

test('is that of a search through all claims, on 4,000 schedules', () => {
  let started = 0;
  for (let seed = 0; seed < 4_000; seed++) {
    const dice = diceOf(seed);
    const world = new World(dice, shapeOf(dice));
    for (let step = 0; step < 60; step++) {
      const about = `seed ${seed}, step ${step}`;
      const roll = dice(20);
      if (roll < 8) world.claim(dice);
      else if (roll < 13) world.release(dice);
      else if (roll < 15) world.withdraw(dice);
      else if (roll < 16) world.hold(dice);
      // A turn may end before all slots are given, and much may come between two turns.
      else if (roll < 18) world.startOne(about);
      else world.fill(about);
    }
    world.drain(dice, `seed ${seed}, at the end`);
    started += world.started;
  }
  assert.ok(started > 50_000, `${started} claims have started`);
});

/** Claims that count how often they are compared. */
class Comparisons {
  #reads = 0;

  /** Each looks at both priorities. */
  get count(): number {
    return this.#reads / 2;
  }

  claim(index: number, runOrder: number): Claim {
    const read = (): void => void this.#reads++;
    return {
      place: -1,
      get priority() {
        read();
        return 0;
      },
      readyAt: 0,
      runOrder,
      index,
      start: () => undefined,
    };
  }
}

/** The limits of each of 2,000 lanes, of which each has six claims. */
const crowds: Readonly<Record<string, () => (lane: number) => readonly Limit[]>> = {
  'one limit': () => {
    const limit = new Limit(8);
    return () => [limit];
  },
  'a limit each, and one above': () => {
    const above = new Limit(8);
    return () => [new Limit(2), above];
  },
  'one limit, and one above that is as large': () => {
    const limits = [new Limit(8), new Limit(8)];
    return () => limits;
  },
  'one of two limits, and one above both': () => {
    const halves = [new Limit(8), new Limit(8)] as const;
    const above = new Limit(10);
    return (lane) => [halves[lane < 1_000 ? 0 : 1] as Limit, above];
  },
};

for (const [name, make] of Object.entries(crowds)) {
  test(`costs a start the logarithm of the lanes that wait, under ${name}`, () => {
    const dice = diceOf(1);
    const comparisons = new Comparisons();
    const queue = new SlotQueue(new Limit(Number.POSITIVE_INFINITY), () => {});
    const pool = queue.poolOf(new Limit(Number.POSITIVE_INFINITY));
    const limitsOf = make();
    const lanes = Array.from({ length: 2_000 }, (_, lane) => new Lane(pool, limitsOf(lane)));
    const laneOf = new Map<Claim, Lane>();
    for (let index = 0; index < 6; index++)
      for (const [order, lane] of lanes.entries()) {
        const claim = comparisons.claim(index, order);
        laneOf.set(claim, lane);
        lane.push(claim);
      }
    const underWay: Lane[] = [];
    let started = 0;
    let most = 0;
    for (;;) {
      const before = comparisons.count;
      const claim = queue.giveBest();
      if (claim !== undefined) {
        underWay.push(laneOf.get(claim) as Lane);
        started++;
      } else if (underWay.length === 0) break;
      else queue.release(underWay.splice(dice(underWay.length), 1)[0] as Lane);
      most = Math.max(most, comparisons.count - before);
    }
    assert.is(started, 12_000);
    assert.ok(most <= 4 * Math.log2(2_000), `${most} comparisons at once`);
  });
}
