import type { Columns } from './columns.ts';
import { type Packed, pack } from './packed.ts';

/** The most sweeps over the columns, there or back. */
const mostSweeps = 10;
/** The number of sweeps without fewer crossings after which it stops. */
const patience = 2;

/**
 * Orders each column by the mean place of its neighbours, in sweeps from left to right and back, and keeps the order
 * with the fewest crossings. Changes the columns in place.
 */
export function orderColumns({ columns, ...edges }: Columns): void {
  const [before, after] = [pack(edges.before), pack(edges.after)];
  const place = new Int32Array(edges.before.length);
  const centre = new Float64Array(edges.before.length);
  for (const column of columns) number(column, place);
  let best = columns.map((column) => [...column]);
  let fewest = countCrossings(columns, before, place);
  for (let sweep = 0, without = 0; sweep < mostSweeps && without < patience && fewest > 0; sweep++) {
    if (sweep % 2 === 0) for (const column of columns) sortBy(column, before, place, centre);
    else for (const column of columns.toReversed()) sortBy(column, after, place, centre);
    const crossings = countCrossings(columns, before, place);
    without = crossings < fewest ? 0 : without + 1;
    if (without > 0) continue;
    fewest = crossings;
    best = columns.map((column) => [...column]);
  }
  for (const [index, column] of best.entries()) {
    for (const [at, each] of column.entries()) (columns[index] as number[])[at] = each;
  }
}

function number(column: readonly number[], place: Int32Array): void {
  for (let index = 0; index < column.length; index++) place[column[index] as number] = index;
}

/** Sorts a column; places without neighbours on that side stay. */
function sortBy(column: number[], { starts, items }: Packed, place: Int32Array, centre: Float64Array): void {
  for (const each of column) {
    const [start, end] = [starts[each] as number, starts[each + 1] as number];
    let sum = 0;
    for (let at = start; at < end; at++) sum += place[items[at] as number] as number;
    centre[each] = start === end ? (place[each] as number) : sum / (end - start);
  }
  // The sort is stable: equal ones keep their order.
  column.sort((a, b) => (centre[a] as number) - (centre[b] as number));
  number(column, place);
}

/** Counts pairs of edges between neighbouring columns that cross, in n log n: inversions, with a Fenwick tree. */
export function countCrossings(
  columns: readonly number[][],
  { starts, items }: Packed,
  place: Int32Array,
): number {
  let crossings = 0;
  for (let index = 1; index < columns.length; index++) {
    const width = (columns[index - 1] as number[]).length;
    const tree = new Int32Array(width + 1);
    let seen = 0;
    for (const each of columns[index] as number[]) {
      const [start, end] = [starts[each] as number, starts[each + 1] as number];
      for (let edge = start; edge < end; edge++) {
        let atMost = 0;
        for (let at = (place[items[edge] as number] as number) + 1; at > 0; at -= at & -at)
          atMost += tree[at] as number;
        crossings += seen - atMost;
      }
      for (let edge = start; edge < end; edge++)
        for (let at = (place[items[edge] as number] as number) + 1; at <= width; at += at & -at)
          tree[at] = (tree[at] as number) + 1;
      seen += end - start;
    }
  }
  return crossings;
}
