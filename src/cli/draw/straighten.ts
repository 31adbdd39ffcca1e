import type { Columns } from './columns.ts';

/** How tall nodes and lanes are, with the gap to the next. */
export interface Heights {
  readonly node: number;
  readonly lane: number;
}

const sweeps = 12;

/**
 * Gives each place a height, its centre, such that the order of the columns is kept, nothing overlaps, and edges are
 * as level as that allows: each column in turn goes to the mean of its neighbours' heights, in the least squares.
 */
export function straighten({ columns, before, after, nodeCount }: Columns, heights: Heights): Float64Array {
  const size = (place: number): number => (place < nodeCount ? heights.node : heights.lane);
  const y = new Float64Array(before.length);
  for (const column of columns) {
    let top = 0;
    for (const place of column) {
      y[place] = top + size(place) / 2;
      top += size(place);
    }
    for (const place of column) y[place] = (y[place] as number) - top / 2;
  }
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const isForth = sweep % 2 === 0;
    // The last two look both ways, so that what is between two columns stands between them.
    const sides = sweep >= sweeps - 2 ? [before, after] : [isForth ? before : after];
    for (const column of isForth ? columns : columns.toReversed()) settle(column, sides, y, size, nodeCount);
  }
  const top = columns
    .flat()
    .reduce(
      (least, place) => Math.min(least, (y[place] as number) - size(place) / 2),
      Number.POSITIVE_INFINITY,
    );
  return y.map((at) => at - (Number.isFinite(top) ? top : 0));
}

/** A run of places that stand close together, and where its first one wants to be. */
interface Block {
  wanted: number;
  weight: number;
  count: number;
}

/** Least squares under a fixed order with fixed distances: neighbours that would overlap are pooled (isotonic regression). */
function settle(
  column: readonly number[],
  sides: readonly (readonly number[][])[],
  y: Float64Array,
  size: (place: number) => number,
  nodeCount: number,
): void {
  const offsets = new Float64Array(column.length);
  const blocks: Block[] = [];
  let offset = 0;
  for (const [index, place] of column.entries()) {
    if (index > 0) offset += (size(column[index - 1] as number) + size(place)) / 2;
    offsets[index] = offset;
    const { at, weight } = pullOf(place, sides, y, nodeCount);
    let block: Block = { wanted: at - offset, weight, count: 1 };
    for (let last = blocks.at(-1); last !== undefined && last.wanted > block.wanted; last = blocks.at(-1)) {
      blocks.pop();
      const sum = last.weight + block.weight;
      const wanted = (last.wanted * last.weight + block.wanted * block.weight) / sum;
      block = { wanted, weight: sum, count: last.count + block.count };
    }
    blocks.push(block);
  }
  let index = 0;
  for (const { wanted, count } of blocks)
    for (const end = index + count; index < end; index++)
      y[column[index] as number] = wanted + (offsets[index] as number);
}

/** Where its neighbours would have a place, and how much: a lane pulls harder, so that long lines are straight. */
function pullOf(place: number, sides: readonly (readonly number[][])[], y: Float64Array, nodeCount: number) {
  let sum = 0;
  let weight = 0;
  for (const side of sides) {
    for (const other of side[place] as number[]) {
      const pull =
        other >= nodeCount && place >= nodeCount ? 8 : other >= nodeCount || place >= nodeCount ? 2 : 1;
      sum += (y[other] as number) * pull;
      weight += pull;
    }
  }
  return weight === 0 ? { at: y[place] as number, weight: 0.1 } : { at: sum / weight, weight };
}
