import { type Layout, layOut, routeOf } from '../../../draw/layout.ts';
import { measure, shorten } from '../../../draw/svg-text.ts';
import type { DrawnGraph } from '../run/groups.ts';
import { wrapColumns } from './wrap.ts';

/** A graph laid out: where everything is, in the drawing's pixels. */
export interface Scene {
  readonly drawn: DrawnGraph;
  readonly layout: Layout;
  readonly width: number;
  readonly height: number;
  /** The labels as they fit into the nodes. */
  readonly labels: readonly string[];
  /** The widths of the labels, about. */
  readonly textWidths: readonly number[];
  /** Whether a node is one task whose body is a run. */
  readonly isRunNode: readonly boolean[];
  /** The left edge of each node. */
  readonly x: Float64Array;
  /** The centre of each place: nodes, then lanes. */
  readonly y: Float64Array;
  /** The width of the nodes of each column. */
  readonly widths: readonly number[];
  /** Where each column begins and ends; it may have its nodes in several rows side by side. */
  readonly left: readonly number[];
  readonly right: readonly number[];
  /** The nodes of each column, from top to bottom. */
  readonly columns: readonly Int32Array[];
  /** The pieces of edges that begin in each column: x1, y1, x2, y2 of each. */
  readonly pieces: readonly Float32Array[];
}

export const nodeHeight = 26;
export const gap = 10;
const labelSize = 12;
/** The room of a node for its glyph. */
export const glyphRoom = 24;

/** The room of a node for the counts of its child run, in ems. */
const countsEms = measure('1,000/1,000, 2 failed');

/**
 * Lays out a graph.
 *
 * @param isRun whether the body of a task is a run
 */
export function createScene(drawn: DrawnGraph, isRun: (task: number) => boolean): Scene {
  const mostEms = drawn.nodes.length > 2_000 ? 14 : 22;
  const texts = drawn.nodes.map(({ label, tasks, prefix }) => {
    return prefix === undefined ? label : `${label} ${tasks.length}`;
  });
  const labels = texts.map((text) => shorten(text, mostEms));
  const isRunNode = drawn.nodes.map(({ tasks }) => tasks.length === 1 && isRun(tasks[0] as number));
  const textWidths = labels.map((label) => Math.min(mostEms, measure(label)) * labelSize);
  const wanted = textWidths.map(
    (width, node) => width + glyphRoom + 10 + (isRunNode[node] ? countsEms * labelSize : 0),
  );
  const layout = layOut(drawn.dependsOn, { widthOf: (node) => wanted[node] as number, nodeHeight, gap });
  const columns = layout.columns.map((column) => {
    const nodes = column.filter((place) => place < layout.nodeCount);
    return Int32Array.from(nodes).sort((a, b) => (layout.y[a] as number) - (layout.y[b] as number));
  });
  const places = wrapColumns(layout, columns, nodeHeight, gap);
  const scene = { ...places, drawn, layout, labels, textWidths, isRunNode, widths: layout.widths, columns };
  return { ...scene, pieces: piecesOf(scene) };
}

/** The left edge, top, width and height of a node. */
export function boxOf(
  { layout, x, y, widths }: Scene,
  node: number,
): readonly [number, number, number, number] {
  const width = widths[layout.columnOf[node] as number] as number;
  return [x[node] as number, (y[node] as number) - nodeHeight / 2, width, nodeHeight];
}

/** Finds the node at a point of the drawing; -1 for none. */
export function nodeAt(scene: Scene, x: number, y: number): number {
  const column = scene.left.findIndex((start, index) => x >= start && x <= (scene.right[index] as number));
  const nodes = scene.columns[column] ?? new Int32Array();
  for (let at = firstBelow(scene, nodes, y - nodeHeight / 2); at < nodes.length; at++) {
    const node = nodes[at] as number;
    const [left, top, width] = boxOf(scene, node);
    if (top > y) break;
    if (x >= left && x <= left + width) return node;
  }
  return -1;
}

/** The index of the first node of a column whose centre is not above `y`. */
export function firstBelow({ y: centres }: Pick<Scene, 'y'>, nodes: Int32Array, y: number): number {
  let [low, high] = [0, nodes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((centres[nodes[middle] as number] as number) < y) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The pieces of the edge between two nodes. */
export function edgePieces(scene: Scene, from: number, to: number): number[][] {
  const route = routeOf(scene.layout, from, to);
  return route.slice(1).flatMap((place, index) => pieceOf(scene, route[index] as number, place));
}

type Placed = Pick<Scene, 'layout' | 'x' | 'y' | 'left' | 'right' | 'widths'>;

function piecesOf(scene: Placed): Float32Array[] {
  const { layout } = scene;
  const found: number[][] = layout.columns.map(() => []);
  const add = (from: number, to: number): void => {
    const own = found[layout.columnOf[from] as number];
    for (const piece of pieceOf(scene, from, to)) own?.push(...piece);
  };
  for (const [place, after] of layout.after.entries()) for (const next of after) add(place, next);
  for (const [from, to] of layout.jumps) add(from, to);
  return found.map((numbers) => Float32Array.from(numbers));
}

/** From a place's right side to another's left side, and on through that one if it is a lane. */
function pieceOf({ layout, x, y, left, right, widths }: Placed, from: number, to: number): number[][] {
  const { columnOf, nodeCount } = layout;
  const [start, end] = [columnOf[from] as number, columnOf[to] as number];
  const x1 = from < nodeCount ? (x[from] as number) + (widths[start] as number) : (right[start] as number);
  const x2 = to < nodeCount ? (x[to] as number) : (left[end] as number);
  const [y1, y2] = [y[from] as number, y[to] as number];
  const curve = [x1, y1, x2, y2];
  return to < nodeCount ? [curve] : [curve, [x2, y2, right[end] as number, y2]];
}
