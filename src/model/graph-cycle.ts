import { firstMembers } from './condense.ts';
import type { Rows } from './graph-rows.ts';

/** Maximum number of edge visits in a search for a shortest cycle: about half a second. */
const PATIENCE = 50_000_000;

/**
 * A shortest cycle: the numbers of its tasks along its edges, starting with the first defined. Of equally short cycles
 * the first in definition order, compared task by task. Empty without a cycle.
 *
 * Runs a breadth-first search from every task on a cycle, bounded by the shortest cycle so far. After `patience` edge
 * visits in total it returns the shortest cycle found, which may not be a shortest one. That takes more than some
 * thousand edges and many long cycles that share tasks.
 */
export function findShortestCycle(rows: Rows, patience = PATIENCE): number[] {
  const knot = new Knot(rows);
  let best: number[] = [];
  for (let task = 0; task < rows.ids.length && knot.looks <= patience; task++) {
    if (!knot.has(task)) continue;
    best = knot.findCycle(task, best.length || Number.POSITIVE_INFINITY) ?? best;
    knot.remove(task);
  }
  return best;
}

/** The tasks that may be on a cycle not yet found; excludes edges between components. */
class Knot {
  /** The number of edge visits of all searches. */
  looks = 0;
  readonly #rows: Rows;
  readonly #components: Int32Array;
  readonly #isLeft: Uint8Array;
  /** The number of edges from and to the knot, for each task. */
  readonly #ins: Int32Array;
  readonly #outs: Int32Array;
  readonly #queue: Int32Array;
  readonly #reachedFrom: Int32Array;
  readonly #reachedFor: Int32Array;

  constructor(rows: Rows) {
    const size = rows.ids.length;
    this.#rows = rows;
    this.#components = firstMembers(rows);
    this.#ins = new Int32Array(size);
    this.#outs = new Int32Array(size);
    this.#queue = new Int32Array(size);
    this.#reachedFrom = new Int32Array(size);
    this.#reachedFor = new Int32Array(size).fill(-1);
    const { upstreamStart, upstreamList } = rows;
    for (let task = 0; task < size; task++) {
      for (let edge = upstreamStart[task] as number; edge < (upstreamStart[task + 1] as number); edge++) {
        const dependency = upstreamList[edge] as number;
        if (this.#components[dependency] !== this.#components[task]) continue;
        (this.#ins[task] as number)++;
        (this.#outs[dependency] as number)++;
      }
    }
    this.#isLeft = Uint8Array.from(this.#ins, (count) => (count > 0 ? 1 : 0));
  }

  has(task: number): boolean {
    return this.#isLeft[task] === 1;
  }

  /** The first shortest cycle through the task, if it is shorter than `limit`. */
  findCycle(task: number, limit: number): number[] | undefined {
    const { downstreamStart, downstreamList } = this.#rows;
    const queue = this.#queue;
    queue[0] = task;
    let head = 0;
    let tail = 1;
    for (let length = 1; length < limit && head < tail; length++) {
      for (const end = tail; head < end; head++) {
        const from = queue[head] as number;
        for (
          let edge = downstreamStart[from] as number;
          edge < (downstreamStart[from + 1] as number);
          edge++
        ) {
          this.looks++;
          const to = downstreamList[edge] as number;
          if (to === task) return this.#trace(task, from);
          if (this.#reachedFor[to] === task || !this.#isInside(from, to)) continue;
          this.#reachedFor[to] = task;
          this.#reachedFrom[to] = from;
          queue[tail++] = to;
        }
      }
    }
    return undefined;
  }

  /** Removes the task, and those that were only on cycles with it. */
  remove(task: number): void {
    const { upstreamStart, upstreamList, downstreamStart, downstreamList } = this.#rows;
    const leaving = [task];
    this.#isLeft[task] = 0;
    for (let from = leaving.pop(); from !== undefined; from = leaving.pop()) {
      for (let edge = downstreamStart[from] as number; edge < (downstreamStart[from + 1] as number); edge++) {
        this.#unlink(from, downstreamList[edge] as number, this.#ins, leaving);
      }
      for (let edge = upstreamStart[from] as number; edge < (upstreamStart[from + 1] as number); edge++) {
        this.#unlink(from, upstreamList[edge] as number, this.#outs, leaving);
      }
    }
  }

  #unlink(from: number, other: number, counts: Int32Array, leaving: number[]): void {
    if (!this.#isInside(from, other) || --(counts[other] as number) > 0) return;
    this.#isLeft[other] = 0;
    leaving.push(other);
  }

  #isInside(from: number, other: number): boolean {
    return this.#isLeft[other] === 1 && this.#components[other] === this.#components[from];
  }

  #trace(first: number, last: number): number[] {
    const backwards: number[] = [];
    for (let task = last; task !== first; task = this.#reachedFrom[task] as number) backwards.push(task);
    return [first, ...backwards.reverse()];
  }
}
