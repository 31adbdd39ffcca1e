import type { Machine, MachineState } from '../machine.ts';
import { type Box, dotSize, placeInside, type Sizes, type Spot } from './container.ts';
import { type Edge, edgesOf } from './edges.ts';
import { type Frame, frame, type OwnEnds } from './frame.ts';
import { createGraphs, type Graph, type Item, type Segment, tripOf } from './graph.ts';
import { curveTo, type Direction, type Hop, lineTo, moved, type Point, reversed } from './hops.ts';
import { orderGraphs } from './order.ts';
import { labelText, stateText, type TextBlock } from './text.ts';

/** The places of a machine's states and arrows, in pixels. */
export interface ChartLayout {
  readonly machine: Machine;
  readonly width: number;
  readonly height: number;
  /** By index of the state: those around others first. */
  readonly states: readonly PlacedState[];
  readonly edges: readonly PlacedEdge[];
  readonly initials: readonly PlacedInitial[];
}

export interface PlacedState extends Area {
  readonly text: TextBlock;
  /** From the left of the box; texts of boxes without states inside are in the middle. */
  readonly textLeft: number;
  readonly hasInside: boolean;
}

export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** An arrow; where hops do not meet, its label stands. */
export interface PlacedEdge {
  readonly edge: Edge;
  readonly hops: readonly Hop[];
  readonly label: (Area & { readonly text: TextBlock }) | undefined;
}

/** The dot before an initial state, and its arrow. */
export interface PlacedInitial {
  readonly dot: Point;
  readonly hops: readonly Hop[];
}

export interface ChartOptions {
  /** Whether actions are shown. Default: true. */
  readonly actions?: boolean | undefined;
  /** The width that a picture should have, as a multiple of its height. Default: 1.6. */
  readonly aspect?: number | undefined;
}

/**
 * Lays out a machine: states inside states, arrows with labels between. No arrow runs behind a state that it neither leaves
 * nor enters, and no label lies over another.
 */
export function layOutChart(
  machine: Machine,
  { actions = true, aspect = 1.6 }: ChartOptions = {},
): ChartLayout {
  return new Charter(machine, actions, aspect).layout();
}

const loopReach = 16;

class Charter {
  readonly #machine: Machine;
  readonly #aspect: number;
  readonly #edges: readonly Edge[];
  readonly #graphs: ReadonlyMap<number, Graph>;
  readonly #texts: readonly TextBlock[];
  readonly #labels: readonly TextBlock[];
  /** By state: the arrow to itself. */
  readonly #loops = new Map<number, number>();
  readonly #frames = new Map<number, Frame>();

  constructor(machine: Machine, withActions: boolean, aspect: number) {
    this.#machine = machine;
    this.#aspect = aspect;
    this.#edges = edgesOf(machine, withActions);
    this.#texts = machine.states.map((state) => stateText(state, withActions));
    this.#labels = this.#edges.map(({ lines }) => labelText(lines));
    for (const [index, { source, target }] of this.#edges.entries())
      if (source === target) this.#loops.set(source, index);
    this.#graphs = createGraphs(machine, this.#edges);
    orderGraphs(this.#graphs);
  }

  layout(): ChartLayout {
    const turned = this.#turn(this.#chooseDirections());
    for (const [state, graph] of [...this.#graphs].reverse()) {
      const { direction, around, isMirrored } = turned.get(state) as Turned;
      const outer = turned.get(this.#machine.states[state]?.parent ?? -1);
      const inside = placeInside(
        graph,
        direction,
        isMirrored,
        this.#sizes((inner) => this.#frames.get(inner)),
      );
      this.#frames.set(
        state,
        frame(inside, around, this.#headOf(state), this.#ownEnds(state, outer?.isMirrored ?? false)),
      );
    }
    return this.#collect();
  }

  /** Chooses for each container, innermost first, the direction that fits best, for both directions around it. */
  #chooseDirections(): Map<number, Record<Direction, Choice>> {
    const choices = new Map<number, Record<Direction, Choice>>();
    for (const [state, graph] of [...this.#graphs].reverse()) {
      const insides = directions.map((direction) =>
        placeInside(
          graph,
          direction,
          false,
          this.#sizes((inner) => choices.get(inner)?.[direction].box),
        ),
      );
      const head = this.#headOf(state);
      const own = this.#ownEnds(state, false);
      const choose = (around: Direction): Choice => {
        const [right, down] = insides.map(
          (inside): Choice => ({ direction: inside.direction, box: frame(inside, around, head, own) }),
        );
        return this.#costOf((right as Choice).box) <= this.#costOf((down as Choice).box)
          ? (right as Choice)
          : (down as Choice);
      };
      choices.set(state, { right: choose('right'), down: choose('down') });
    }
    return choices;
  }

  /**
   * Goes from the outside in. A container whose direction differs from that around it is mirrored across its layers, as
   * turning reverses the order of its ports.
   */
  #turn(choices: ReadonlyMap<number, Record<Direction, Choice>>): Map<number, Turned> {
    const turned = new Map<number, Turned>();
    for (const [state, graph] of this.#graphs) {
      const outer = turned.get(this.#machine.states[state]?.parent ?? -1);
      const around = outer?.direction ?? 'right';
      const { direction } = (choices.get(state) as Record<Direction, Choice>)[around];
      const ports = graph.ports.start.size + graph.ports.end.size - graph.inner.size;
      const isMirrored = ports > 0 && outer?.isMirrored !== (direction !== around);
      turned.set(state, { direction, around, isMirrored: outer !== undefined && isMirrored });
    }
    return turned;
  }

  /** Large areas are bad, and so are long strips. */
  #costOf({ width, height }: Box): number {
    return width * height * (1 + 0.6 * Math.log(width / height / this.#aspect) ** 2);
  }

  #ownEnds(state: number, isMirrored: boolean): OwnEnds {
    const item = this.#graphs.get(this.#machine.states[state]?.parent ?? -1)?.items.get(state);
    return {
      start: item?.before.filter(({ toPort }) => toPort === undefined).length ?? 0,
      end: item?.after.filter(({ fromPort }) => fromPort === undefined).length ?? 0,
      isMirrored,
    };
  }

  #headOf(state: number): TextBlock {
    const { lines, width, height } = this.#texts[state] as TextBlock;
    return { lines, width, height: height + 4 };
  }

  #sizes(frameOf: (state: number) => Box | undefined): Sizes {
    return {
      box: (state, links) => frameOf(state) ?? this.#leaf(state, links),
      loop: (state) => this.#loopRoom(state),
      label: (edge) => {
        const { width, height } = this.#labels[edge] as TextBlock;
        return { width: width + 8, height: height + 2 };
      },
    };
  }

  /** The box of a state without others inside; many arrows make it higher. */
  #leaf(state: number, links: number): Box {
    const { kind, hidden = 0 } = this.#machine.states[state] as MachineState;
    const { width, height } = this.#texts[state] as TextBlock;
    const room = 7 * (links - 1) + 14;
    const isHistory = kind === 'shallow' || kind === 'deep';
    // Two borders need more room.
    const inset = kind === 'final' || hidden > 0 ? 14 : 8;
    return {
      width: isHistory ? 26 : width + 24,
      height: Math.max(isHistory ? 26 : height + inset, room),
      ports: noPorts,
    };
  }

  #loopRoom(state: number): { width: number; height: number } | undefined {
    const loop = this.#loops.get(state);
    if (loop === undefined) return undefined;
    const { width, height } = this.#labels[loop] as TextBlock;
    return { width: width + loopReach + 26, height: Math.max(height, loopReach) + 8 };
  }

  /** Adds up the places of all that is in the frames. */
  #collect(): ChartLayout {
    const { states } = this.#machine;
    const placed: (PlacedState | undefined)[] = states.map(() => undefined);
    const edges: { hops: Hop[][]; label: Area | undefined }[] = this.#edges.map(() => ({
      hops: [],
      label: undefined,
    }));
    const initials: PlacedInitial[] = [];
    const parts = new Map<string, Hop[]>();
    const outermost = this.#frames.get(0) ?? this.#leaf(0, 1);
    placed[0] = this.#stateAt(0, { x: 0, y: 0, width: outermost.width, height: outermost.height });
    for (const [container, graph] of this.#graphs) {
      const { inside, origin, ways } = this.#frames.get(container) as Frame;
      const { x, y } = placed[container] as PlacedState;
      const [left, top] = [x + origin.x, y + origin.y];
      const isRight = inside.direction === 'right';
      const areaOf = (spot: Spot): Area => {
        const [across, along] = [spot.middle - spot.breadth / 2, spot.start];
        const length = spot.end - spot.start;
        return isRight
          ? { x: left + along, y: top + across, width: length, height: spot.breadth }
          : { x: left + across, y: top + along, width: spot.breadth, height: length };
      };
      for (const [item, spot] of inside.spots) {
        if (item.kind === 'state') placed[item.of] = this.#stateAt(item.of, areaOf(spot));
        if (item.kind === 'label') (edges[item.of] as { label: Area | undefined }).label = areaOf(spot);
      }
      for (const segment of graph.segments) {
        const hops = moved(hopsOf(segment, this.#frames.get(container) as Frame, ways), x, y);
        if (segment.edge >= 0)
          parts.set(`${container} ${segment.edge}`, segment.isBack ? reversed(hops) : hops);
        else {
          const dot = areaOf(inside.spots.get(segment.items[0] as Item) as Spot);
          initials.push({ hops, dot: { x: dot.x + dotSize / 2, y: dot.y + dotSize / 2 } });
        }
      }
    }
    // An arrow of the machine to itself lies below it.
    const loop = this.#loopRoom(0);
    return {
      machine: this.#machine,
      width: Math.max(outermost.width, loop?.width ?? 0),
      height: outermost.height + (loop?.height ?? 0),
      states: placed.map((state) => state as PlacedState),
      edges: this.#edges.map((edge, index) => this.#edgeAt(edge, index, edges[index]?.label, parts, placed)),
      initials,
    };
  }

  #stateAt(state: number, area: Area): PlacedState {
    const around = this.#frames.get(state);
    return {
      ...area,
      text: this.#texts[state] as TextBlock,
      textLeft: around?.headLeft ?? 12,
      hasInside: around !== undefined,
    };
  }

  #edgeAt(
    edge: Edge,
    index: number,
    label: Area | undefined,
    parts: ReadonlyMap<string, Hop[]>,
    placed: readonly (PlacedState | undefined)[],
  ): PlacedEdge {
    const text = this.#labels[index] as TextBlock;
    const { source, target } = edge;
    const trip = tripOf(this.#machine, source, target);
    if (trip === undefined) return this.#loopAt(edge, text, placed[source] as PlacedState);
    const containers = [...trip.up.slice(1), trip.top, ...trip.down.slice(1).reverse()];
    return {
      edge,
      hops: containers.flatMap((container) => parts.get(`${container} ${index}`) ?? []),
      label: label === undefined ? undefined : { ...label, text },
    };
  }

  /** Below the state where layers follow to the right, else to its right. */
  #loopAt(edge: Edge, text: TextBlock, { x, y, width, height }: PlacedState): PlacedEdge {
    const parent = this.#machine.states[edge.source]?.parent ?? -1;
    const isRight = (this.#frames.get(parent)?.inside.direction ?? 'right') === 'right';
    const size = { width: text.width + 8, height: text.height + 2 };
    if (isRight) {
      const [left, bottom] = [x + 8, y + height];
      return {
        edge,
        hops: [loop({ x: left, y: bottom }, { x: left + 14, y: bottom }, 0, loopReach)],
        label: { x: left + 18, y: bottom + 4, ...size, text },
      };
    }
    const right = x + width;
    return {
      edge,
      hops: [loop({ x: right, y: y + 6 }, { x: right, y: y + 20 }, loopReach, 0)],
      label: { x: right + loopReach + 2, y: y + 6, ...size, text },
    };
  }
}

const directions = ['right', 'down'] as const;
const noPorts: ReadonlyMap<Item, number> = new Map();

interface Choice {
  readonly direction: Direction;
  readonly box: Box;
}

interface Turned {
  readonly direction: Direction;
  readonly around: Direction;
  readonly isMirrored: boolean;
}

function loop(from: Point, to: Point, reachX: number, reachY: number): Hop {
  // A cubic curve goes three quarters of the way to its control points.
  const [x, y] = [(reachX * 4) / 3, (reachY * 4) / 3];
  return {
    from,
    to,
    by: [
      { x: from.x + x, y: from.y + y },
      { x: to.x + x, y: to.y + y },
    ],
  };
}

/** The way of a segment inside its container, in the order of the layers, from the container's own left and top. */
function hopsOf(
  { items, links }: Segment,
  { inside, origin }: Frame,
  ways: ReadonlyMap<Item, readonly Hop[]>,
): Hop[] {
  const { direction, spots, offsetOf } = inside;
  const at = (along: number, across: number): Point =>
    direction === 'right'
      ? { x: origin.x + along, y: origin.y + across }
      : { x: origin.x + across, y: origin.y + along };
  const hops: Hop[] = [...(ways.get(items[0] as Item) ?? [])];
  for (const link of links) {
    const [from, to] = [spots.get(link.from) as Spot, spots.get(link.to) as Spot];
    const [before, after] = [from.middle + offsetOf(link.from, link), to.middle + offsetOf(link.to, link)];
    const [leaves, arrives] = [at(from.layerEnd, before), at(to.layerStart, after)];
    hops.push(
      lineTo(at(from.end, before), leaves),
      curveTo(leaves, arrives, direction),
      lineTo(arrives, at(to.start, after)),
    );
  }
  hops.push(...reversed(ways.get(items.at(-1) as Item) ?? []));
  return hops.filter((hop) => hop.from.x !== hop.to.x || hop.from.y !== hop.to.y);
}
