import type { Layout } from '../../../draw/layout.ts';

/** Where the places of a layout are once its columns have been wrapped. */
export interface Wrapped {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly width: number;
  readonly height: number;
}

/** Above this ratio of height to width a drawing is wrapped. */
const tall = 1.6;
/** The ratio of width to height that wrapping aims at. */
const wanted = 1.05;
const between = 8;

/**
 * Gives the nodes of tall columns places in several rows side by side, so that a drawing of many tasks in few layers
 * fills a screen. Nodes stay in their order from top to bottom, so edges stay about level. A drawing that is not tall
 * stays as it is.
 */
export function wrapColumns(
  layout: Layout,
  columns: readonly Int32Array[],
  nodeHeight: number,
  gap: number,
): Wrapped {
  const { left, widths, columnOf, y, nodeCount } = layout;
  const x = Float64Array.from({ length: nodeCount }, (_, node) => left[columnOf[node] as number] as number);
  const isTall = layout.height > tall * layout.width && layout.height > 1_200;
  if (!isTall) {
    const right = left.map((start, column) => start + (widths[column] as number));
    return { x, y, left, right, width: layout.width, height: layout.height };
  }
  const rowHeight = nodeHeight + gap;
  const most = columns.reduce((count, nodes) => Math.max(count, nodes.length), 1);
  const gapOf = (column: number): number => {
    const next = left[column + 1];
    return next === undefined ? 0 : next - (left[column] as number) - (widths[column] as number);
  };
  const acrossOf = (column: number, rows: number): number => {
    const across = Math.ceil((columns[column]?.length ?? 0) / rows);
    return Math.max(1, across) * ((widths[column] as number) + between) - between;
  };
  const widthFor = (rows: number): number =>
    columns.reduce((sum, _, column) => sum + acrossOf(column, rows) + gapOf(column), 0);
  let [low, high] = [1, most];
  while (low < high) {
    const rows = (low + high) >> 1;
    if (widthFor(rows) > wanted * rows * rowHeight) low = rows + 1;
    else high = rows;
  }
  return place(low);

  function place(rows: number): Wrapped {
    const height = rows * rowHeight - gap;
    const placed = y.map((centre) => (centre / layout.height) * height);
    const starts: number[] = [];
    const ends: number[] = [];
    let start = 0;
    for (const [column, nodes] of columns.entries()) {
      const width = widths[column] as number;
      const across = Math.max(1, Math.ceil(nodes.length / rows));
      const used = Math.ceil(nodes.length / across);
      const top = across === 1 ? undefined : (height - (used * rowHeight - gap)) / 2;
      for (const [index, node] of nodes.entries()) {
        x[node] = start + (index % across) * (width + between);
        if (top !== undefined) placed[node] = top + Math.floor(index / across) * rowHeight + nodeHeight / 2;
      }
      if (top === undefined) spread(nodes, placed, rowHeight, height - nodeHeight / 2);
      starts.push(start);
      ends.push(start + acrossOf(column, rows));
      start += acrossOf(column, rows) + gapOf(column);
    }
    return { x, y: placed, left: starts, right: ends, width: ends.at(-1) ?? 0, height };
  }
}

/** Moves the nodes of a column apart that came too close when the drawing was made lower. */
function spread(nodes: Int32Array, y: Float64Array, step: number, bottom: number): void {
  for (let at = 1; at < nodes.length; at++) {
    const above = y[nodes[at - 1] as number] as number;
    const node = nodes[at] as number;
    y[node] = Math.max(y[node] as number, above + step);
  }
  let limit = bottom;
  for (let at = nodes.length - 1; at >= 0; at--) {
    const node = nodes[at] as number;
    y[node] = Math.min(y[node] as number, limit);
    limit = (y[node] as number) - step;
  }
}
