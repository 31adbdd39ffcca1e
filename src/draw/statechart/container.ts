import type { Graph, Item, Link } from './graph.ts';
import type { Direction } from './hops.ts';
import { type Extent, layersOf, type PlacingRules, placeItems } from './place.ts';

/** What is known of a state when the container around it is laid out. */
export interface Box {
  readonly width: number;
  readonly height: number;
  /** Where ports are: from the left of the box, or from its top, along the side that arrows cross. */
  readonly ports: ReadonlyMap<Item, number>;
}

/** The sizes that a container has to find places for. */
export interface Sizes {
  /** The box of a state in a container of that direction. */
  box(state: number, links: number): Box;
  /** The room for arrows of a state to itself; `undefined` if it has none. */
  loop(state: number): { readonly width: number; readonly height: number } | undefined;
  label(edge: number): { readonly width: number; readonly height: number };
}

/** An item with its place: along the layers from `start` to `end`, across them its middle. */
export interface Spot {
  readonly item: Item;
  readonly start: number;
  readonly end: number;
  readonly middle: number;
  /** Across the layers: the box of a state, or the text of a label. */
  readonly breadth: number;
  readonly box: Box | undefined;
  readonly layerStart: number;
  readonly layerEnd: number;
}

/** The inside of a container. Across the layers all is between 0 and `breadth`, along them between 0 and `length`. */
export interface Inside {
  readonly graph: Graph;
  readonly direction: Direction;
  readonly spots: ReadonlyMap<Item, Spot>;
  readonly length: number;
  readonly breadth: number;
  offsetOf(item: Item, link: Link): number;
}

/** The diameter of the dot before the initial state. */
export const dotSize = 10;

/** Lays out what lies right inside a container. */
export function placeInside(graph: Graph, direction: Direction, isMirrored: boolean, sizes: Sizes): Inside {
  const isRight = direction === 'right';
  const layers = layersOf(graph, isMirrored);
  const boxes = new Map<Item, Box>();
  const extents = new Map<Item, Extent>();
  for (const item of layers.flat()) {
    const links = Math.max(item.before.length, item.after.length);
    if (item.kind === 'state') boxes.set(item, sizes.box(item.of, links));
    extents.set(item, extentOf(item, boxes.get(item), isRight, sizes));
  }
  const offsets = new Offsets(boxes, isRight, isMirrored, layers);
  const rules: PlacingRules = {
    extentOf: (item) => extents.get(item) as Extent,
    offsetOf: (item, link) => offsets.of(item, link),
    gapOf: (first, second) => gapBetween(first, second, isRight),
  };
  const middles = placeItems(layers, rules);
  let top = Number.POSITIVE_INFINITY;
  let bottom = Number.NEGATIVE_INFINITY;
  for (const [item, middle] of middles) {
    const { lead, tail } = rules.extentOf(item);
    top = Math.min(top, middle - lead);
    bottom = Math.max(bottom, middle + tail);
  }
  const spots = new Map<Item, Spot>();
  let along = 0;
  for (const [index, layer] of layers.entries()) {
    const thickness = layer.reduce((most, item) => Math.max(most, rules.extentOf(item).size), 0);
    for (const item of layer) {
      const box = boxes.get(item);
      const { size, lead } = rules.extentOf(item);
      const own = box === undefined ? size : isRight ? box.width : box.height;
      // The dot stands next to its state.
      const start = along + (thickness - size) / (item.kind === 'initial' ? 1 : 2);
      spots.set(item, {
        item,
        start: item.kind === 'bend' ? along : start,
        end: item.kind === 'bend' ? along : start + own,
        middle: (middles.get(item) as number) - top,
        breadth: box === undefined ? 2 * lead : isRight ? box.height : box.width,
        box,
        layerStart: along,
        layerEnd: along + thickness,
      });
    }
    along += thickness;
    if (index < layers.length - 1) along += gapAfter(layer, layers[index + 1] as Item[], middles, rules);
  }
  return {
    graph,
    direction,
    spots,
    length: along,
    breadth: Math.max(0, bottom - top),
    offsetOf: rules.offsetOf,
  };
}

function extentOf(item: Item, box: Box | undefined, isRight: boolean, sizes: Sizes): Extent {
  if (item.kind === 'bend' || item.kind === 'port') return { size: 0, lead: 0, tail: 0 };
  if (item.kind === 'initial') return { size: dotSize, lead: dotSize / 2, tail: dotSize / 2 };
  const { width, height } = box ?? sizes.label(item.of);
  const half = (isRight ? height : width) / 2;
  const size = isRight ? width : height;
  const loop = item.kind === 'state' ? sizes.loop(item.of) : undefined;
  if (loop === undefined) return { size, lead: half, tail: half };
  // Where nothing arrives and nothing leaves: below the state, or to its right.
  return isRight
    ? { size: Math.max(size, loop.width), lead: half, tail: half + loop.height }
    : { size: Math.max(size, loop.height), lead: half, tail: half + loop.width };
}

function gapBetween(first: Item, second: Item, isRight: boolean): number {
  const isWide = (item: Item): boolean => item.kind === 'state';
  if (isWide(first) && isWide(second)) return isRight ? 22 : 28;
  if (isWide(first) || isWide(second)) return 14;
  return first.kind === 'label' && second.kind === 'label' && !isRight ? 18 : 10;
}

/** Arrows that go far across need room to turn. */
function gapAfter(
  layer: readonly Item[],
  next: readonly Item[],
  middles: ReadonlyMap<Item, number>,
  rules: PlacingRules,
): number {
  let farthest = 0;
  for (const { after } of layer) {
    for (const link of after) {
      const { from, to } = link;
      const level = (middles.get(from) as number) + rules.offsetOf(from, link);
      farthest = Math.max(farthest, Math.abs((middles.get(to) as number) + rules.offsetOf(to, link) - level));
    }
  }
  const isBorder = layer[0]?.kind === 'port' || next[0]?.kind === 'port';
  const least = isBorder ? 8 : 22;
  return Math.max(least, Math.min(90, (isBorder ? 6 : 14) + 0.24 * farthest));
}

/** Where links end at items, from the items' middles. */
class Offsets {
  readonly #boxes: ReadonlyMap<Item, Box>;
  readonly #isMirrored: boolean;
  readonly #places = new Map<Item, number>();
  readonly #ends = new Map<Item, Map<Link, number>>();

  constructor(
    boxes: ReadonlyMap<Item, Box>,
    isRight: boolean,
    isMirrored: boolean,
    layers: readonly (readonly Item[])[],
  ) {
    this.#boxes = boxes;
    this.#isMirrored = isMirrored;
    for (const layer of layers) for (const [place, item] of layer.entries()) this.#places.set(item, place);
    for (const [item, box] of boxes) {
      const breadth = isRight ? box.height : box.width;
      const ends = new Map<Link, number>();
      this.#ends.set(item, ends);
      for (const links of [item.before, item.after]) this.#spread(item, links, breadth, ends);
    }
  }

  of(item: Item, link: Link): number {
    return this.#ends.get(item)?.get(link) ?? 0;
  }

  /** Links that end at the state itself share what its ports leave free: all of the side, or the part before the first. */
  #spread(item: Item, links: readonly Link[], breadth: number, ends: Map<Link, number>): void {
    const ports = this.#boxes.get(item)?.ports;
    const taken: number[] = [];
    const free: Link[] = [];
    for (const link of links) {
      const port = link.from === item ? link.fromPort : link.toPort;
      const at = port === undefined ? undefined : ports?.get(port);
      if (at === undefined) free.push(link);
      else {
        taken.push(at);
        ends.set(link, at - breadth / 2);
      }
    }
    const inset = Math.min(7, breadth / 4);
    const [low, high] = this.#isMirrored
      ? [Math.max(0, ...taken) + (taken.length > 0 ? 0 : inset), breadth - inset]
      : [inset, Math.min(breadth, ...taken) - (taken.length > 0 ? 0 : inset)];
    const step = Math.min(14, (high - low) / (free.length + (taken.length > 0 ? 1 : -1) || 1));
    const first = (low + high - (free.length - 1) * step) / 2 - breadth / 2;
    const sorted = free.toSorted((a, b) => this.#otherEnd(item, a) - this.#otherEnd(item, b));
    for (const [index, link] of sorted.entries()) ends.set(link, first + index * step);
  }

  /** The place of the other item in its layer, with a fraction for the port there. */
  #otherEnd(item: Item, { from, to, fromPort, toPort }: Link): number {
    const [other, port] = from === item ? [to, toPort] : [from, fromPort];
    const at = port === undefined ? 0 : (this.#boxes.get(other)?.ports.get(port) ?? 0) + 1;
    return (this.#places.get(other) as number) + at / 1e6;
  }
}
