import { assignLayers, type DependsOn, invert } from './layers.ts';

/**
 * A layered graph in which every edge goes from one column to the next. A longer edge goes through lanes, one place in
 * each column between, and shares them with other edges of the same node, so that a fan of long edges is one line that
 * branches or merges.
 */
export interface Columns {
  /** The places in each column, from top to bottom: nodes have their own numbers, lanes those above. */
  readonly columns: readonly number[][];
  /** The edges into each place: places of the column before. */
  readonly before: readonly number[][];
  /** The edges from each place: places of the next column. */
  readonly after: readonly number[][];
  /** The number of places that are nodes; the others are lanes. */
  readonly nodeCount: number;
  /** The node whose edges a lane carries: those from it, or those to it. A node is its own. */
  readonly owner: readonly number[];
  /** Edges too long for lanes, of which there would be too many: from and to. */
  readonly jumps: readonly (readonly [from: number, to: number])[];
}

/** Puts nodes into columns, and lanes between them for edges that are longer than one. */
export function createColumns(dependsOn: DependsOn): Columns {
  const layers = assignLayers(dependsOn);
  const dependents = invert(dependsOn);
  const depth = layers.reduce((most, layer) => Math.max(most, layer + 1), 0);
  const builder = new Builder(layers, depth);
  const bundles = bundleEdges(dependsOn, dependents, layers);
  const longest = longestAllowed(bundles, layers, 30_000 + 4 * dependsOn.length);
  for (const bundle of bundles) builder.add(bundle, longest);
  return builder;
}

/** Long edges with a node in common. An edge to the next column is a bundle of one. */
interface Bundle {
  readonly node: number;
  readonly isFrom: boolean;
  /** The other ends, nearest first. */
  readonly others: readonly number[];
}

/** Bundles each edge at whichever of its ends has more edges. */
function bundleEdges(dependsOn: DependsOn, dependents: readonly number[][], layers: Int32Array): Bundle[] {
  const bundles: Bundle[] = [];
  const layerOf = (node: number): number => layers[node] as number;
  for (const node of dependsOn.keys()) {
    const after = dependents[node] as number[];
    const before = dependsOn[node] as readonly number[];
    const goesFrom = (from: number, to: number): boolean =>
      layerOf(to) - layerOf(from) === 1 || (dependents[from]?.length ?? 0) >= (dependsOn[to]?.length ?? 0);
    const from = after.filter((other) => goesFrom(node, other)).sort((a, b) => layerOf(a) - layerOf(b));
    const to = before.filter((other) => !goesFrom(other, node)).sort((a, b) => layerOf(b) - layerOf(a));
    if (from.length > 0) bundles.push({ node, isFrom: true, others: from });
    if (to.length > 0) bundles.push({ node, isFrom: false, others: to });
  }
  return bundles;
}

/** The most columns that an edge may span, so that there are no more lanes than `most`. */
function longestAllowed(bundles: readonly Bundle[], layers: Int32Array, most: number): number {
  const spans = bundles.map(({ node, others }) =>
    others.map((other) => Math.abs((layers[node] as number) - (layers[other] as number))),
  );
  const lanesUpTo = (longest: number): number =>
    spans.reduce((sum, each) => sum + Math.max(0, (each.findLast((span) => span <= longest) ?? 1) - 1), 0);
  let [low, high] = [1, spans.reduce((longest, each) => Math.max(longest, each.at(-1) ?? 0), 1)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (lanesUpTo(middle) <= most) low = middle;
    else high = middle - 1;
  }
  return low;
}

class Builder implements Columns {
  readonly columns: number[][];
  readonly before: number[][];
  readonly after: number[][];
  readonly nodeCount: number;
  readonly owner: number[];
  readonly jumps: [number, number][] = [];
  readonly #layers: Int32Array;

  constructor(layers: Int32Array, depth: number) {
    this.#layers = layers;
    this.nodeCount = layers.length;
    this.columns = Array.from({ length: depth }, () => []);
    this.before = Array.from(layers, () => []);
    this.after = Array.from(layers, () => []);
    this.owner = [...layers.keys()];
    for (const [node, layer] of layers.entries()) this.columns[layer]?.push(node);
  }

  add({ node, isFrom, others }: Bundle, longest: number): void {
    const direction = isFrom ? 1 : -1;
    const start = this.#layers[node] as number;
    let place = node;
    let layer = start;
    for (const other of others) {
      const end = this.#layers[other] as number;
      if (Math.abs(end - start) > longest) {
        this.jumps.push(isFrom ? [node, other] : [other, node]);
        continue;
      }
      for (; layer + direction !== end; layer += direction) {
        const lane = this.#addLane(node, layer + direction);
        this.#connect(place, lane, isFrom);
        place = lane;
      }
      this.#connect(place, other, isFrom);
    }
  }

  #addLane(owner: number, layer: number): number {
    const lane = this.owner.push(owner) - 1;
    this.before.push([]);
    this.after.push([]);
    this.columns[layer]?.push(lane);
    return lane;
  }

  #connect(near: number, far: number, isFrom: boolean): void {
    const [from, to] = isFrom ? [near, far] : [far, near];
    this.after[from]?.push(to);
    this.before[to]?.push(from);
  }
}
