import * as assert from 'uvu/assert';
import type { Claim } from '../../src/engine/claims.ts';
import { Lane, Limit, SlotQueue } from '../../src/engine/slots.ts';
import { type Dice, diceOf, oneOf } from '../logic/oracle.ts';
import { spec } from '../spec.ts';
import { type Count, holderOf, SlotsWorld, someSlots } from './slots-world.ts';

const test = spec('order of slots');

/** Lanes that share pools and limits as it happens, in no order. */
function worldOf(dice: Dice): SlotsWorld {
  const world = new SlotsWorld(dice(3) === 0 ? 1 + dice(6) : Number.POSITIVE_INFINITY);
  const counted = (slots: number): Count & { readonly limit: Limit } => ({
    slots,
    taken: 0,
    limit: new Limit(slots),
  });
  const some = (most: number) => Array.from({ length: dice(most) }, () => counted(someSlots(dice)));
  const pools = [counted(Number.POSITIVE_INFINITY), ...some(3)];
  const limits = some(5);
  for (let lanes = 1 + dice(9); lanes > 0; lanes--) {
    const isFree = dice(8) === 0;
    const pool = oneOf(dice, pools);
    const own = isFree ? [] : limits.filter(() => dice(2) === 0);
    if (dice(2) === 0) own.reverse();
    const of = isFree ? world.queue.free : world.queue.poolOf(pool.limit);
    const lane = new Lane(
      of,
      own.map(({ limit }) => limit),
    );
    world.add(lane, isFree ? undefined : [pool, ...own], [holderOf((isHeld) => lane.hold(isHeld))]);
  }
  return world;
}

test('is that of a search through all claims, on 4,000 schedules', () => {
  let started = 0;
  for (let seed = 0; seed < 4_000; seed++) {
    const dice = diceOf(seed);
    const world = worldOf(dice);
    for (let step = 0; step < 60; step++) world.step(dice, `seed ${seed}, step ${step}`);
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
