import type { FlowWorld } from '../model/flow-world.ts';
import type { Moves } from '../model/moves.ts';
import type { Situation } from '../model/situation.ts';
import type { Watch } from '../properties/watch.ts';
import { bit, type Independence, type Tasks } from './independence.ts';

/** Sets of tasks whose steps are enough to reach every ending. */
export class PersistentSets {
  readonly #world: FlowWorld;
  readonly #moves: Moves;
  readonly #watch: Watch;
  readonly #independence: Independence;

  constructor(world: FlowWorld, moves: Moves, watch: Watch, independence: Independence) {
    this.#world = world;
    this.#moves = moves;
    this.#watch = watch;
    this.#independence = independence;
  }

  /**
   * Finds a set of movable tasks whose steps commute with all that anyone outside it can do first. It picks the
   * smallest that changes nothing that properties look at; all tasks if there is none.
   */
  choose(situation: Situation, able: readonly number[]): readonly number[] {
    if (able.length < 2) return able;
    // Always in definition order: ways that part then join again.
    const sets: (readonly number[])[] = [];
    for (const task of able) {
      const closed = this.#closure(situation, task);
      const set = able.filter((other) => (closed >> BigInt(other)) & 1n);
      if (set.length === 1 && this.#isUnseen(situation, set)) return set;
      sets.push(set);
    }
    const inTurn = sets.toSorted((a, b) => a.length - b.length);
    return inTurn.find((set) => set.length < able.length && this.#isUnseen(situation, set)) ?? able;
  }

  #closure(situation: Situation, task: number): Tasks {
    const { dependent, ancestors } = this.#independence;
    let closed = bit(task);
    // After a cancel every task has its verdict, and order does not matter.
    if (situation.run.value === 'cancelling') return closed;
    for (let before = 0n; before !== closed; ) {
      before = closed;
      for (let other = 0; other < this.#world.size; other++) {
        if (((closed >> BigInt(other)) & 1n) === 0n) continue;
        const row = situation.rows[other];
        if (row === undefined) closed |= ancestors[other] as Tasks;
        if (row === undefined || row.isLive) closed |= dependent[other] as Tasks;
      }
    }
    return closed;
  }

  /** Whether no step of these tasks changes what properties look at. */
  #isUnseen(situation: Situation, tasks: readonly number[]): boolean {
    if (this.#watch.isIdle) return true;
    const steps = tasks.flatMap((task) => this.#moves.ofTask(situation, task));
    return steps.every((step) => {
      const { next } = this.#world.take(situation, step);
      if (next.run.value !== situation.run.value) return false;
      for (const task of this.#watch.reads.tasks) if (next.rows[task] !== situation.rows[task]) return false;
      return true;
    });
  }
}
