import { countCrossings, crossingsOf, type Ends, fromPlace, toPlace } from './crossings.ts';
import type { Graph, Item, Link } from './graph.ts';

/** The number of passes over all containers, inwards and outwards. */
const passes = 3;
/** The most sweeps over the layers of one container, there and back. */
const mostSweeps = 8;
/** The number of sweeps without fewer crossings after which it stops. */
const patience = 3;
/** The number of orders to start from, but one in a graph that is large. */
const starts = 8;
const large = 2_000;
/** From here on neighbours are not exchanged, and one pass must do: bends of arrows over many layers are as many. */
const huge = 8_000;

/**
 * Orders the layers of all graphs so that few arrows cross. A graph orders its ports as its own arrows want, and those
 * around it go by that; then the other way about. The best of all counts.
 *
 * @param graphs By container, those around others first
 */
export function orderGraphs(graphs: ReadonlyMap<number, Graph>): void {
  const all = [...graphs.values()];
  let best = all.map(ordersOf);
  let fewest = Number.POSITIVE_INFINITY;
  const random = createRandom();
  const judge = (): void => {
    const crossings = all.reduce((sum, graph) => sum + countCrossings(graph, 'ports'), 0);
    if (crossings >= fewest) return;
    fewest = crossings;
    best = all.map(ordersOf);
  };
  const most = all.reduce((sum, graph) => Math.max(sum, sizeOf(graph)), 0) > huge ? 1 : passes;
  for (let pass = 0; pass < most && fewest > 0; pass++) {
    for (const graph of all.toReversed()) orderLayers(graph, 'ports', false, random);
    judge();
    if (fewest === 0) break;
    for (const graph of all) {
      orderLayers(graph, 'points', true, random);
      for (const [state, item] of graph.items) takeOrder(graphs.get(state), item);
    }
    judge();
  }
  for (const [index, graph] of all.entries()) restore(graph, best[index] as Item[][]);
}

function ordersOf({ layers }: Graph): Item[][] {
  return layers.map((layer) => [...layer]);
}

function restore({ layers }: Graph, orders: readonly Item[][]): void {
  for (const [index, layer] of layers.entries()) {
    layer.splice(0, layer.length, ...(orders[index] as Item[]));
    number(layer);
  }
}

function number(layer: readonly Item[]): void {
  for (const [order, item] of layer.entries()) item.order = order;
}

/** Orders the ports of a container as the arrows outside want them. */
function takeOrder(graph: Graph | undefined, { before, after }: Item): void {
  if (graph === undefined) return;
  const wanted = new Map<Item, number>();
  for (const link of before) if (link.toPort !== undefined) wanted.set(link.toPort, fromPlace(link, 'ports'));
  for (const link of after)
    if (link.fromPort !== undefined) wanted.set(link.fromPort, toPlace(link, 'ports'));
  for (const ports of [graph.layers[0], graph.layers.at(-1)]) {
    if (ports === undefined || !ports.some((port) => wanted.has(port))) continue;
    // Those that do not go on outside stay behind the one before them.
    const places = new Map<Item, number>();
    let last = Number.NEGATIVE_INFINITY;
    for (const port of ports) {
      last = wanted.get(port) ?? last;
      places.set(port, last);
    }
    ports.sort((a, b) => compare(places.get(a) as number, places.get(b) as number));
    number(ports);
  }
}

function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Sorts and exchanges, from the order that is there and from shuffled ones, and keeps the best. */
function orderLayers(graph: Graph, ends: Ends, portsStay: boolean, random: () => number): void {
  const { layers } = graph;
  const free = layers.filter((layer) => !(portsStay && layer[0]?.kind === 'port'));
  const size = sizeOf(graph);
  const best = { orders: ordersOf(graph), crossings: countCrossings(graph, ends) };
  for (let start = 0; start < (size > large ? 1 : starts) && best.crossings > 0; start++) {
    if (start > 0) for (const layer of free) shuffle(layer, random);
    improve(graph, free, ends, best, size <= huge);
  }
  restore(graph, best.orders);
}

function sizeOf({ layers }: Graph): number {
  return layers.reduce((sum, layer) => sum + layer.length, 0);
}

interface Best {
  orders: Item[][];
  crossings: number;
}

/** Orders by the mean place of neighbours and by exchanging neighbours, in sweeps there and back. */
function improve(graph: Graph, layers: readonly Item[][], ends: Ends, best: Best, exchanges: boolean): void {
  let fewest = Number.POSITIVE_INFINITY;
  for (let sweep = 0, without = 0; sweep < mostSweeps && without < patience; sweep++) {
    if (sweep % 2 === 0)
      for (const layer of layers)
        sortBy(
          layer,
          ({ before }) => before,
          (link) => fromPlace(link, ends),
        );
    else
      for (const layer of layers.toReversed())
        sortBy(
          layer,
          ({ after }) => after,
          (link) => toPlace(link, ends),
        );
    if (exchanges) exchange(layers, ends);
    const crossings = countCrossings(graph, ends);
    without = crossings < fewest ? 0 : without + 1;
    fewest = Math.min(fewest, crossings);
    if (crossings >= best.crossings) continue;
    best.crossings = crossings;
    best.orders = ordersOf(graph);
    if (crossings === 0) return;
  }
}

/** The same numbers from 0 to 1 each time (a linear congruential generator). */
function createRandom(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function shuffle(layer: Item[], random: () => number): void {
  const keys = new Map(layer.map((item) => [item, random()]));
  layer.sort((a, b) => (keys.get(a) as number) - (keys.get(b) as number));
  number(layer);
}

/** Items without neighbours on that side stay where they are. */
function sortBy(
  layer: Item[],
  linksOf: (item: Item) => readonly Link[],
  placeOf: (link: Link) => number,
): void {
  const means = new Map(
    layer.map((item) => {
      const links = linksOf(item);
      const sum = links.reduce((total, link) => total + placeOf(link), 0);
      return [item, links.length === 0 ? undefined : sum / links.length];
    }),
  );
  const moving = layer.filter((item) => means.get(item) !== undefined);
  moving.sort((a, b) => (means.get(a) as number) - (means.get(b) as number));
  let next = 0;
  for (const [index, item] of layer.entries())
    if (means.get(item) !== undefined) layer[index] = moving[next++] as Item;
  number(layer);
}

/** Exchanges neighbours as long as that makes fewer crossings. */
function exchange(layers: readonly Item[][], ends: Ends): void {
  for (let round = 0, isBetter = true; isBetter && round < 4; round++) {
    isBetter = false;
    for (const layer of layers) {
      for (let index = 1; index < layer.length; index++) {
        const [first, second] = [layer[index - 1] as Item, layer[index] as Item];
        if (crossingsOf(first, second, ends) <= crossingsOf(second, first, ends)) continue;
        layer[index - 1] = second;
        layer[index] = first;
        second.order = index - 1;
        first.order = index;
        isBetter = true;
      }
    }
  }
}
