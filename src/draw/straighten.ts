import type { Columns } from './columns.ts';
import { type Packed, pack } from './packed.ts';

/** The heights of nodes and lanes, with the gap to the next. */
export interface Heights {
  node(node: number): number;
  readonly lane: number;
}

const sweeps = 10;

/**
 * Gives each place a height, its centre. It keeps the order of the columns, nothing overlaps, and edges are as level as
 * possible: each column in turn goes to the mean of its neighbours' heights, by least squares.
 */
export function straighten({ columns, nodeCount, ...edges }: Columns, heights: Heights): Float64Array {
  const [before, after] = [pack(edges.before), pack(edges.after)];
  const size = (place: number): number => (place < nodeCount ? heights.node(place) : heights.lane);
  const y = new Float64Array(edges.before.length);
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
    // The last two look both ways, so that a place stands between its neighbours on both sides.
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

/**
 * Solves least squares with a fixed order and fixed distances: neighbours that would overlap are pooled to a block,
 * which goes where it wants to be as a whole (isotonic regression).
 */
function settle(
  column: readonly number[],
  sides: readonly Packed[],
  y: Float64Array,
  size: (place: number) => number,
  nodeCount: number,
): void {
  const offsets = new Float64Array(column.length);
  // For each block: the place that its first item wants, the weight of that, and its number of places.
  const wanted = new Float64Array(column.length);
  const weights = new Float64Array(column.length);
  const counts = new Int32Array(column.length);
  let blocks = 0;
  let offset = 0;
  for (let index = 0; index < column.length; index++) {
    const place = column[index] as number;
    if (index > 0) offset += (size(column[index - 1] as number) + size(place)) / 2;
    offsets[index] = offset;
    wanted[blocks] = pull(place, sides, y, nodeCount, weights, blocks) - offset;
    counts[blocks] = 1;
    for (; blocks > 0 && (wanted[blocks - 1] as number) > (wanted[blocks] as number); blocks--) {
      const [above, below] = [weights[blocks - 1] as number, weights[blocks] as number];
      const sum = (wanted[blocks - 1] as number) * above + (wanted[blocks] as number) * below;
      wanted[blocks - 1] = sum / (above + below);
      weights[blocks - 1] = above + below;
      counts[blocks - 1] = (counts[blocks - 1] as number) + (counts[blocks] as number);
    }
    blocks++;
  }
  let index = 0;
  for (let block = 0; block < blocks; block++) {
    for (const end = index + (counts[block] as number); index < end; index++)
      y[column[index] as number] = (wanted[block] as number) + (offsets[index] as number);
  }
}

/**
 * Finds where a place's neighbours pull it, and writes how much into `weights`: a lane pulls harder, so that long lines
 * are straight.
 */
function pull(
  place: number,
  sides: readonly Packed[],
  y: Float64Array,
  nodeCount: number,
  weights: Float64Array,
  block: number,
): number {
  let sum = 0;
  let weight = 0;
  for (const { starts, items } of sides) {
    const end = starts[place + 1] as number;
    for (let at = starts[place] as number; at < end; at++) {
      const other = items[at] as number;
      const own = other < nodeCount ? (place < nodeCount ? 1 : 2) : place < nodeCount ? 2 : 8;
      sum += (y[other] as number) * own;
      weight += own;
    }
  }
  weights[block] = weight === 0 ? 0.1 : weight;
  return weight === 0 ? (y[place] as number) : sum / weight;
}
