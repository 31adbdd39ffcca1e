import type { Graph, Item, Link } from './graph.ts';

/** The size of an item: `lead` and `tail` are before and after its middle, across the layers; `size` is along them. */
export interface Extent {
  readonly size: number;
  readonly lead: number;
  readonly tail: number;
}

/** What the placing of a graph must know. */
export interface PlacingRules {
  extentOf(item: Item): Extent;
  /** Where a link ends at an item, from the item's middle. */
  offsetOf(item: Item, link: Link): number;
  /** The least room between two neighbours in a layer. */
  gapOf(first: Item, second: Item): number;
}

const sweeps = 6;

/** How much wider than its widest layer a container may become, so that arrows are more level. */
const spare = 1.05;

/**
 * Gives the middle of each item a place across the layers. It keeps the order, nothing overlaps, and links are as level
 * as possible.
 */
export function placeItems(layers: readonly (readonly Item[])[], rules: PlacingRules): Map<Item, number> {
  const places = new Map<Item, number>();
  for (const layer of layers) settle(layer, rules, () => undefined, places, everywhere);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const isForth = sweep % 2 === 0;
    for (const layer of isForth ? layers : layers.toReversed())
      settle(layer, rules, (item) => wish(item, isForth, !isForth, rules, places), places, everywhere);
  }
  const bounds = boundsOf(layers, rules, places);
  for (const each of [layers, layers.toReversed(), layers])
    for (const layer of each)
      settle(layer, rules, (item) => wish(item, true, true, rules, places), places, bounds);
  level(layers, rules, places);
  return places;
}

interface Bounds {
  readonly low: number;
  readonly high: number;
}

const everywhere: Bounds = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/** Around the widest layer, which says how wide a container must be. */
function boundsOf(
  layers: readonly (readonly Item[])[],
  rules: PlacingRules,
  places: ReadonlyMap<Item, number>,
): Bounds {
  let widest = 0;
  let middle = 0;
  for (const layer of layers) {
    const [first, last] = [layer[0], layer.at(-1)];
    if (first === undefined || last === undefined) continue;
    let breadth = rules.extentOf(first).lead + rules.extentOf(last).tail;
    for (const [index, item] of layer.entries()) {
      const before = layer[index - 1];
      if (before !== undefined) breadth += distance(before, item, rules);
    }
    if (breadth <= widest) continue;
    widest = breadth;
    const low = (places.get(first) as number) - rules.extentOf(first).lead;
    const high = (places.get(last) as number) + rules.extentOf(last).tail;
    middle = (low + high) / 2;
  }
  const half = (widest * spare) / 2;
  return { low: middle - half, high: middle + half };
}

/** The least distance between the middles of two neighbours. */
function distance(first: Item, second: Item, rules: PlacingRules): number {
  return rules.extentOf(first).tail + rules.gapOf(first, second) + rules.extentOf(second).lead;
}

interface Wish {
  readonly at: number;
  readonly weight: number;
}

/** The middle of the places at which single links would be level. */
function wish(
  item: Item,
  isBefore: boolean,
  isAfter: boolean,
  rules: PlacingRules,
  places: ReadonlyMap<Item, number>,
): Wish | undefined {
  const wanted = [
    ...(isBefore ? item.before.map((link) => levelAt(item, link, link.from, rules, places)) : []),
    ...(isAfter ? item.after.map((link) => levelAt(item, link, link.to, rules, places)) : []),
  ].sort((a, b) => a - b);
  if (wanted.length === 0) return undefined;
  const [low, high] = [wanted[(wanted.length - 1) >> 1] as number, wanted[wanted.length >> 1] as number];
  return { at: (low + high) / 2, weight: item.kind === 'state' ? wanted.length : 4 };
}

function levelAt(
  item: Item,
  link: Link,
  other: Item,
  rules: PlacingRules,
  places: ReadonlyMap<Item, number>,
): number {
  return (places.get(other) as number) + rules.offsetOf(other, link) - rules.offsetOf(item, link);
}

/** Items in a row at their least distances, which goes where they want to be on average. */
interface Block {
  sum: number;
  weight: number;
  count: number;
}

/**
 * Solves least squares with a fixed order and least distances: items that would overlap are pooled to a block (isotonic
 * regression). Those without a wish follow lightly.
 */
function settle(
  layer: readonly Item[],
  rules: PlacingRules,
  wishOf: (item: Item) => Wish | undefined,
  places: Map<Item, number>,
  { low, high }: Bounds,
): void {
  const shifts: number[] = [];
  const blocks: Block[] = [];
  let shift = 0;
  for (const [index, item] of layer.entries()) {
    const last = layer[index - 1];
    if (last !== undefined) shift += distance(last, item, rules);
    shifts.push(shift);
    const { at, weight } = wishOf(item) ?? { at: places.get(item) ?? shift, weight: 0.1 };
    let block: Block = { sum: (at - shift) * weight, weight, count: 1 };
    for (
      let top = blocks.at(-1);
      top !== undefined && top.sum / top.weight > block.sum / block.weight;
      top = blocks.at(-1)
    ) {
      block = { sum: block.sum + top.sum, weight: block.weight + top.weight, count: block.count + top.count };
      blocks.pop();
    }
    blocks.push(block);
  }
  const [first, end] = [layer[0], layer.at(-1)];
  if (first === undefined || end === undefined) return;
  // A layer that does not fit goes over both bounds alike.
  const least = low + rules.extentOf(first).lead;
  const most = high - rules.extentOf(end).tail - shift;
  const [from, to] = least <= most ? [least, most] : [(least + most) / 2, (least + most) / 2];
  let next = 0;
  for (const { sum, weight, count } of blocks) {
    const at = Math.min(to, Math.max(from, sum / weight));
    for (let stop = next + count; next < stop; next++)
      places.set(layer[next] as Item, at + (shifts[next] as number));
  }
}

/**
 * Makes arrows level over as many layers as they can be, while states stay where they are: first those over many layers.
 */
function level(layers: readonly (readonly Item[])[], rules: PlacingRules, places: Map<Item, number>): void {
  const neighbours = new Map<Item, readonly [Item | undefined, Item | undefined]>();
  for (const layer of layers)
    for (const [index, item] of layer.entries()) neighbours.set(item, [layer[index - 1], layer[index + 1]]);
  const chains = layers
    .flat()
    .filter((item) => isOnWay(item) && !isOnWay(item.before[0]?.from))
    .map(chainFrom)
    .sort((a, b) => b.length - a.length);
  for (let round = 0; round < levelRounds; round++) {
    for (const chain of chains) {
      for (let start = 0; start < chain.length; ) {
        let [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
        let end = start;
        for (; end < chain.length; end++) {
          const item = chain[end] as Item;
          const [before, after] = neighbours.get(item) as readonly [Item | undefined, Item | undefined];
          const least =
            before === undefined ? low : (places.get(before) as number) + distance(before, item, rules);
          const most =
            after === undefined ? high : (places.get(after) as number) - distance(item, after, rules);
          if (Math.max(low, least) > Math.min(high, most) + 1e-6) break;
          [low, high] = [Math.max(low, least), Math.min(high, most)];
        }
        // Rounding may leave no room for the first, which is at its place then.
        end = Math.max(end, start + 1);
        const piece = chain.slice(start, end);
        const at = Math.min(high, Math.max(low, bestLevel(piece, low, high, rules, places)));
        if (low <= high) for (const item of piece) places.set(item, at);
        start = end;
      }
    }
  }
}

const levelRounds = 3;

function isOnWay(item: Item | undefined): boolean {
  return item?.kind === 'bend' || item?.kind === 'label' || item?.kind === 'port';
}

function chainFrom(first: Item): Item[] {
  const chain = [first];
  for (let next = first.after[0]?.to; next !== undefined && isOnWay(next); next = next.after[0]?.to)
    chain.push(next);
  return chain;
}

/** Level with one of the ends, the one that can be reached, or else the nearest. */
function bestLevel(
  piece: readonly Item[],
  low: number,
  high: number,
  rules: PlacingRules,
  places: ReadonlyMap<Item, number>,
): number {
  const [first, last] = [piece[0] as Item, piece.at(-1) as Item];
  const now = places.get(first) as number;
  const ends = [
    ...first.before.map((link) => levelAt(first, link, link.from, rules, places)),
    ...last.after.map((link) => levelAt(last, link, link.to, rules, places)),
  ];
  const reached = ends.filter((end) => end >= low && end <= high);
  if (reached.length > 0) return reached[0] as number;
  return ends.length === 2 ? ((ends[0] as number) + (ends[1] as number)) / 2 : (ends[0] ?? now);
}

/** The layers of a graph; with `isMirrored`, each from its end. */
export function layersOf({ layers }: Graph, isMirrored: boolean): Item[][] {
  return isMirrored ? layers.map((layer) => layer.toReversed()) : layers;
}
