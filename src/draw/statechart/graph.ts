import { childrenOf, type Machine } from '../machine.ts';
import type { Edge } from './edges.ts';
import { assignRanks } from './ranks.ts';

/** A side of a state: ranks grow from its start to its end. */
export type Side = 'start' | 'end';

/** What has a place of its own in the layered graph of a container. */
export interface Item {
  /** A port is where an arrow passes the border of the container. */
  readonly kind: 'state' | 'label' | 'bend' | 'initial' | 'port';
  /** The index of a state (of the container, for `initial`), or else of an edge. */
  readonly of: number;
  readonly before: Link[];
  readonly after: Link[];
  /** Its place in its layer. */
  order: number;
}

/** A piece of an arrow between items of neighbouring layers. */
export interface Link {
  readonly from: Item;
  readonly to: Item;
  /** The port where it leaves `from`, if that is a container that the arrow comes out of. */
  readonly fromPort: Item | undefined;
  readonly toPort: Item | undefined;
}

/** The part of an arrow that lies in one container. */
export interface Segment {
  readonly edge: number;
  /** In the order of their layers. */
  readonly items: readonly Item[];
  readonly links: readonly Link[];
  /** Whether the arrow runs from the last item to the first. */
  readonly isBack: boolean;
}

/** The layered graph of what lies right inside a container. */
export interface Graph {
  readonly container: number;
  readonly layers: Item[][];
  /** By index of the state. */
  readonly items: ReadonlyMap<number, Item>;
  readonly segments: Segment[];
  readonly initial: Item | undefined;
  /** Where arrows pass the border, by edge. Both are layers of their own if they are not empty. */
  readonly ports: Readonly<Record<Side, ReadonlyMap<number, Item>>>;
  /** Those of arrows between the container itself and a state in it: they do not go on outside. */
  readonly inner: ReadonlySet<Item>;
}

/** Makes the layered graphs of all containers. Decides the ranks, and with them the sides by which arrows come and go. */
export function createGraphs(machine: Machine, edges: readonly Edge[]): Map<number, Graph> {
  const plans = new Map<number, Plan>();
  for (const [index, children] of childrenOf(machine).entries())
    if (children.length > 0)
      plans.set(index, { container: index, children, local: [], crossing: [], ranks: new Map() });
  const trips = edges.map(({ source, target }) => tripOf(machine, source, target));
  for (const [edge, trip] of trips.entries())
    if (trip !== undefined) plans.get(trip.top)?.local.push({ edge, ...trip });
  for (const plan of plans.values()) rank(plan, machine.states[plan.container]?.initial);
  for (const [edge, trip] of trips.entries()) if (trip !== undefined) cross(plans, edge, trip);
  const graphs = new Map<number, Graph>();
  // Those inside come first, since their ports are what links outside end at.
  for (const plan of [...plans.values()].reverse())
    graphs.set(plan.container, build(plan, machine, edges, graphs));
  return new Map([...graphs].reverse());
}

/** The way of an arrow: up from its source, over the innermost container of both ends, down to its target. */
export interface Trip {
  readonly top: number;
  /** The states passed on the way up, from the source; the last lies right inside `top`. Empty if `top` is the source. */
  readonly up: readonly number[];
  /** The same for the target, from the target up. */
  readonly down: readonly number[];
}

export function tripOf({ states }: Machine, source: number, target: number): Trip | undefined {
  if (source === target) return undefined;
  const wayUp = (from: number): number[] => {
    const way = [from];
    for (let at = from; at > 0; at = way.at(-1) as number) way.push(states[at]?.parent ?? 0);
    return way;
  };
  const [up, down] = [wayUp(source), wayUp(target)];
  let top = 0;
  while (up.length > 0 && up.at(-1) === down.at(-1)) {
    top = up.pop() as number;
    down.pop();
  }
  return { top, up, down };
}

interface Local extends Trip {
  readonly edge: number;
}

interface Plan {
  readonly container: number;
  readonly children: readonly number[];
  readonly local: Local[];
  /** Parts of arrows that go on outside. */
  readonly crossing: {
    readonly edge: number;
    readonly child: number;
    readonly side: Side;
    readonly isOut: boolean;
  }[];
  /** By index of the state: even numbers, so that labels have a place between. */
  readonly ranks: Map<number, number>;
}

function rank(plan: Plan, initial: number | undefined): void {
  const { children, local, ranks } = plan;
  const places = new Map(children.map((child, place) => [child, place]));
  const pairs = local.flatMap(({ up, down }) => {
    const [from, to] = [places.get(up.at(-1) ?? -1), places.get(down.at(-1) ?? -1)];
    return from === undefined || to === undefined ? [] : [{ from, to }];
  });
  const assigned = assignRanks(children.length, pairs, places.get(initial ?? -1));
  for (const [place, child] of children.entries()) ranks.set(child, 2 * (assigned[place] as number));
}

/** An arrow leaves all containers on its way up by the same side, and enters all on its way down by the other. */
function cross(plans: ReadonlyMap<number, Plan>, edge: number, { top, up, down }: Trip): void {
  const ranks = plans.get(top)?.ranks;
  const [from, to] = [ranks?.get(up.at(-1) ?? -1), ranks?.get(down.at(-1) ?? -1)];
  const isBack = from !== undefined && to !== undefined && from > to;
  for (const [index, container] of up.entries())
    if (index > 0)
      plans.get(container)?.crossing.push({
        edge,
        child: up[index - 1] as number,
        side: isBack ? 'start' : 'end',
        isOut: true,
      });
  for (const [index, container] of down.entries())
    if (index > 0)
      plans.get(container)?.crossing.push({
        edge,
        child: down[index - 1] as number,
        side: isBack ? 'end' : 'start',
        isOut: false,
      });
}

function build(
  plan: Plan,
  machine: Machine,
  edges: readonly Edge[],
  inside: ReadonlyMap<number, Graph>,
): Graph {
  const builder = new Builder(plan, inside);
  const { ranks } = plan;
  for (const child of plan.children) builder.add('state', child, ranks.get(child) as number);
  const initial = machine.states[plan.container]?.initial;
  const beforeInitial = (ranks.get(initial ?? -1) ?? 0) - 1;
  const first =
    initial !== undefined && ranks.has(initial)
      ? builder.add('initial', plan.container, beforeInitial)
      : undefined;
  const labels = new Map<number, Item>();
  for (const { edge, up, down } of plan.local) {
    if (edges[edge]?.lines.length === 0) continue;
    const [from, to] = [ranks.get(up.at(-1) ?? -1), ranks.get(down.at(-1) ?? -1)];
    // Near the source; what comes from the border of the container, near the target.
    const at = from === undefined ? (to as number) - 1 : to !== undefined && to < from ? from - 1 : from + 1;
    labels.set(edge, builder.add('label', edge, at));
  }
  builder.seal(plan);
  if (first !== undefined)
    builder.connect({ edge: -1, from: first, to: builder.states.get(initial as number) as Item });
  for (const { edge, up, down } of plan.local) {
    const [from, to] = [up.at(-1), down.at(-1)];
    builder.connect({
      edge,
      from: from === undefined ? builder.port('start', edge, true) : (builder.states.get(from) as Item),
      to: to === undefined ? builder.port('end', edge, true) : (builder.states.get(to) as Item),
      label: labels.get(edge),
    });
  }
  for (const { edge, child, side, isOut } of plan.crossing) {
    const state = builder.states.get(child) as Item;
    const port = builder.port(side, edge, false);
    builder.connect(isOut ? { edge, from: state, to: port } : { edge, from: port, to: state });
  }
  return builder.graph(first);
}

/** Collects the parts of one graph. */
class Builder {
  readonly states = new Map<number, Item>();
  readonly #container: number;
  readonly #inside: ReadonlyMap<number, Graph>;
  readonly #layerOf = new Map<Item, number>();
  readonly #segments: Segment[] = [];
  readonly #ports = { start: new Map<number, Item>(), end: new Map<number, Item>() };
  readonly #inner = new Set<Item>();
  #layers: Item[][] = [];

  constructor({ container }: Plan, inside: ReadonlyMap<number, Graph>) {
    this.#container = container;
    this.#inside = inside;
  }

  add(kind: Item['kind'], of: number, layer: number): Item {
    const item: Item = { kind, of, before: [], after: [], order: 0 };
    if (kind === 'state') this.states.set(of, item);
    this.#layerOf.set(item, layer);
    return item;
  }

  /** Makes layers of the ranks that have items, with one for ports on each side that has some. */
  seal({ local, crossing }: Plan): void {
    const hasStart = local.some(({ up }) => up.length === 0) || crossing.some(({ side }) => side === 'start');
    const hasEnd = local.some(({ down }) => down.length === 0) || crossing.some(({ side }) => side === 'end');
    const ranks = [...new Set(this.#layerOf.values())].sort((a, b) => a - b);
    const layers = new Map(ranks.map((rank, index) => [rank, index + (hasStart ? 1 : 0)]));
    const count = ranks.length + (hasStart ? 1 : 0) + (hasEnd ? 1 : 0);
    this.#layers = Array.from({ length: count }, () => []);
    for (const [item, rank] of this.#layerOf) this.#place(item, layers.get(rank) as number);
  }

  port(side: Side, edge: number, isInner: boolean): Item {
    const item = this.add('port', edge, 0);
    this.#place(item, side === 'start' ? 0 : this.#layers.length - 1);
    this.#ports[side].set(edge, item);
    if (isInner) this.#inner.add(item);
    return item;
  }

  connect({ edge, from, to, label }: { edge: number; from: Item; to: Item; label?: Item | undefined }): void {
    const isBack = this.#layer(from) > this.#layer(to);
    const [first, last] = isBack ? [to, from] : [from, to];
    const items = [first];
    for (let layer = this.#layer(first) + 1; layer < this.#layer(last); layer++) {
      if (label !== undefined && this.#layer(label) === layer) {
        items.push(label);
        continue;
      }
      const bend = this.add('bend', edge, 0);
      this.#place(bend, layer);
      items.push(bend);
    }
    items.push(last);
    const links = items.slice(1).map((item, index): Link => {
      const before = items[index] as Item;
      const link = {
        from: before,
        to: item,
        fromPort: this.#portOf(before, edge, 'end'),
        toPort: this.#portOf(item, edge, 'start'),
      };
      before.after.push(link);
      item.before.push(link);
      return link;
    });
    this.#segments.push({ edge, items, links, isBack });
  }

  graph(initial: Item | undefined): Graph {
    return {
      container: this.#container,
      layers: this.#layers,
      items: this.states,
      segments: this.#segments,
      initial,
      ports: this.#ports,
      inner: this.#inner,
    };
  }

  /** The port of a container through which an arrow goes on inside it. */
  #portOf(item: Item, edge: number, side: Side): Item | undefined {
    return item.kind === 'state' ? this.#inside.get(item.of)?.ports[side].get(edge) : undefined;
  }

  #layer(item: Item): number {
    return this.#layerOf.get(item) as number;
  }

  #place(item: Item, layer: number): void {
    this.#layerOf.set(item, layer);
    item.order = (this.#layers[layer] as Item[]).push(item) - 1;
  }
}
