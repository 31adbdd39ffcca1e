// A queue of slots beside one that looks through all claims: whatever comes, both must start the same claim next.

import * as assert from 'uvu/assert';
import { type Claim, goesBefore } from '../../src/engine/claims.ts';
import { type Lane, Limit, SlotQueue } from '../../src/engine/slots.ts';
import { type Dice, oneOf } from '../logic/oracle.ts';

/** How many slots of a limit are taken, counted apart from it. */
export interface Count {
  readonly slots: number;
  taken: number;
}

/** Something that holds lanes. */
export interface Holder {
  isHeld: boolean;
  /** Has the lanes held, or released. */
  hold(isHeld: boolean): void;
}

/** A lane, the limits that it must have, and whatever holds it; with the claims that wait in it. */
interface Row {
  readonly lane: Lane;
  readonly counts: readonly Count[];
  readonly holders: readonly Holder[];
  readonly waiting: Set<Claim>;
}

interface Found {
  readonly row: Row;
  readonly claim: Claim;
}

export class SlotsWorld {
  readonly queue: SlotQueue;
  readonly engine: Count;
  started = 0;
  readonly #rows: Row[] = [];
  readonly #holders = new Set<Holder>();
  readonly #underWay: Found[] = [];
  #isWanted = false;
  #made = 0;

  /** @param slots of the engine */
  constructor(slots: number) {
    this.engine = { slots, taken: 0 };
    this.queue = new SlotQueue(new Limit(slots), () => {
      this.#isWanted = true;
    });
  }

  /** @param counts of its limits but the engine's; `undefined` for a lane that needs no slots */
  add(lane: Lane, counts: readonly Count[] | undefined, holders: readonly Holder[]): void {
    const all = counts === undefined ? [] : [this.engine, ...counts];
    this.#rows.push({ lane, counts: all, holders, waiting: new Set() });
    for (const holder of holders) this.#holders.add(holder);
  }

  /** One of the things that may happen. */
  step(dice: Dice, about: string): void {
    const roll = dice(20);
    if (roll < 8) this.#claim(dice);
    else if (roll < 13) this.#release(dice);
    else if (roll < 15) this.#withdraw(dice);
    else if (roll < 16) this.#hold(dice);
    // A turn may end before all slots are given, and much may come between two turns.
    else if (roll < 18) this.#startOne(about);
    else this.#fill(about);
  }

  /** Lets all that waits have its turn. */
  drain(dice: Dice, about: string): void {
    for (const holder of this.#holders) holder.hold(false);
    this.#fill(about);
    while (this.#underWay.length > 0) {
      this.#release(dice);
      this.#fill(about);
    }
    const left = this.#rows.filter(({ waiting }) => waiting.size > 0);
    assert.is(left.length, 0, `${about}: claims are left over`);
  }

  /** The claim that goes before all others of those that may start: first come those that need no slot. */
  get #best(): Found | undefined {
    return this.#bestOf((lane) => lane.pool === this.queue.free) ?? this.#bestOf(() => true);
  }

  #bestOf(isAsked: (lane: Lane) => boolean): Found | undefined {
    let best: Found | undefined;
    for (const row of this.#rows) {
      if (!isAsked(row.lane)) continue;
      if (row.holders.some(({ isHeld }) => isHeld)) continue;
      if (row.counts.some(({ slots, taken }) => taken >= slots)) continue;
      for (const claim of row.waiting)
        if (best === undefined || goesBefore(claim, best.claim)) best = { row, claim };
    }
    return best;
  }

  /** Starts a claim, if one may: the right one. Returns whether there was one. */
  #startOne(about: string): boolean {
    const best = this.#best;
    const claim = this.queue.giveFree() ?? this.queue.giveBest();
    assert.is(nameOf(claim), nameOf(best?.claim), about);
    if (best === undefined) return false;
    best.row.waiting.delete(best.claim);
    for (const count of best.row.counts) count.taken++;
    this.#underWay.push(best);
    this.started++;
    return true;
  }

  /** As a turn does: asks only if it was told to, and then as long as there is something. */
  #fill(about: string): void {
    if (!this.#isWanted) {
      assert.is(nameOf(this.#best?.claim), 'none', `${about}: nobody asked`);
      return;
    }
    this.#isWanted = false;
    while (this.#startOne(about));
  }

  #claim(dice: Dice): void {
    const row = oneOf(dice, this.#rows);
    const claim: Claim = {
      place: -1,
      priority: dice(3),
      readyAt: dice(4),
      runOrder: this.#rows.indexOf(row),
      index: this.#made++,
      start: () => undefined,
    };
    row.waiting.add(claim);
    row.lane.push(claim);
  }

  #withdraw(dice: Dice): void {
    const rows = this.#rows.filter(({ waiting }) => waiting.size > 0);
    if (rows.length === 0) return;
    const { lane, waiting } = oneOf(dice, rows);
    const claim = oneOf(dice, [...waiting]);
    waiting.delete(claim);
    lane.withdraw(claim);
  }

  #release(dice: Dice): void {
    const [one] = this.#underWay.splice(dice(this.#underWay.length), 1);
    if (one === undefined) return;
    for (const count of one.row.counts) count.taken--;
    this.queue.release(one.row.lane);
  }

  #hold(dice: Dice): void {
    const holder = oneOf(dice, [...this.#holders]);
    holder.hold(!holder.isHeld);
  }
}

/** A holder that has something done. */
export function holderOf(hold: (isHeld: boolean) => void): Holder {
  return {
    isHeld: false,
    hold(isHeld) {
      this.isHeld = isHeld;
      hold(isHeld);
    },
  };
}

/** An integer from 1 to 4. */
export function someSlots(dice: Dice): number {
  return 1 + dice(4);
}

function nameOf(claim: Claim | undefined): string {
  if (claim === undefined) return 'none';
  const { priority, readyAt, runOrder, index } = claim;
  return `claim ${index} of lane ${runOrder}, priority ${priority}, ready at ${readyAt}`;
}
