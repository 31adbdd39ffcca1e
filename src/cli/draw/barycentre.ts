import type { Columns } from './columns.ts';

/** How often the columns are gone through, there and back. */
const sweeps = 8;
/** Above so many edges nobody sees a crossing more or less, and counting them would take longer than sorting. */
const mostCounted = 200_000;

/**
 * Orders each column by the mean place of its neighbours, in sweeps from left to right and back, and leaves the order
 * with the fewest crossings. Changes the columns in place.
 */
export function orderColumns({ columns, before, after }: Columns): void {
  const place = new Float64Array(before.length);
  for (const column of columns) number(column, place);
  const edges = before.reduce((sum, list) => sum + list.length, 0);
  let best = columns.map((column) => [...column]);
  let fewest = edges > mostCounted ? 0 : countCrossings(columns, before, place);
  for (let sweep = 0; sweep < sweeps && (fewest > 0 || edges > mostCounted); sweep++) {
    if (sweep % 2 === 0) for (const column of columns) sortBy(column, before, place);
    else for (const column of columns.toReversed()) sortBy(column, after, place);
    const crossings = edges > mostCounted ? 0 : countCrossings(columns, before, place);
    if (edges <= mostCounted && crossings >= fewest) continue;
    fewest = crossings;
    best = columns.map((column) => [...column]);
  }
  for (const [index, column] of best.entries())
    for (const [at, each] of column.entries()) (columns[index] as number[])[at] = each;
}

function number(column: readonly number[], place: Float64Array): void {
  for (const [index, each] of column.entries()) place[each] = index;
}

/** Places without neighbours on that side stay where they are. */
function sortBy(column: number[], neighbours: readonly number[][], place: Float64Array): void {
  const centre = new Map<number, number>();
  for (const each of column) {
    const near = neighbours[each] as number[];
    let sum = 0;
    for (const other of near) sum += place[other] as number;
    centre.set(each, near.length === 0 ? (place[each] as number) : sum / near.length);
  }
  column.sort(
    (a, b) =>
      (centre.get(a) as number) - (centre.get(b) as number) || (place[a] as number) - (place[b] as number),
  );
  number(column, place);
}

/** Pairs of edges between neighbouring columns that cross, in n log n: inversions, counted with a Fenwick tree. */
export function countCrossings(
  columns: readonly number[][],
  before: readonly number[][],
  place: Float64Array,
): number {
  let crossings = 0;
  for (const [index, column] of columns.entries()) {
    const width = columns[index - 1]?.length ?? 0;
    const tree = new Int32Array(width + 1);
    let seen = 0;
    for (const each of column) {
      const ends = (before[each] as number[]).map((other) => place[other] as number);
      for (const end of ends) {
        let atMost = 0;
        for (let at = end + 1; at > 0; at -= at & -at) atMost += tree[at] as number;
        crossings += seen - atMost;
      }
      for (const end of ends)
        for (let at = end + 1; at <= width; at += at & -at) tree[at] = (tree[at] as number) + 1;
      seen += ends.length;
    }
  }
  return crossings;
}
