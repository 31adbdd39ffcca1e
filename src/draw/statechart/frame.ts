import type { Box, Inside } from './container.ts';
import type { Item, Side } from './graph.ts';
import { curveTo, type Direction, type Hop, lineTo, type Point, turn } from './hops.ts';

/** A container with its border and its head, as the one around it sees it. */
export interface Frame extends Box {
  readonly inside: Inside;
  /** The left of the text in its head. */
  readonly headLeft: number;
  /** Where the inside begins. */
  readonly origin: Point;
  /** From the border to the inside, for each port. */
  readonly ways: ReadonlyMap<Item, readonly Hop[]>;
}

const padding = 14;
/** The distance between arrows that run beside each other. */
const track = 10;

/** The size of what is written in the head of a container. */
export interface Head {
  readonly width: number;
  readonly height: number;
}

/**
 * Puts a border around the inside of a container. If the layers around it follow each other in the other direction, arrows
 * turn between border and inside: there they have tracks of their own, in an order without crossings.
 */
export function frame(inside: Inside, around: Direction, head: Head, own: OwnEnds): Frame {
  const turns = inside.direction !== around;
  const starts = portsOf(inside, 'start');
  const ends = portsOf(inside, 'end');
  const room = {
    start: turns ? starts.outer.length * track : 0,
    end: turns ? ends.outer.length * track : 0,
  };
  // Only where there are ports, too, do own ends need room beside them.
  const spare = {
    start: starts.outer.length > 0 ? own.start * ownTrack : 0,
    end: ends.outer.length > 0 ? own.end * ownTrack : 0,
    isMirrored: own.isMirrored,
  };
  return inside.direction === 'right'
    ? frameRight(inside, turns, head, starts, ends, room, spare)
    : frameDown(inside, turns, head, starts, ends, room, spare);
}

/** The numbers of arrows that end at the container itself, on each side: they stand before its ports, or after them. */
export interface OwnEnds {
  readonly start: number;
  readonly end: number;
  /** Whether they stand after its ports, as they do where the container around it is mirrored. */
  readonly isMirrored: boolean;
}

const ownTrack = 13;

interface Ports {
  /** Those that go on outside, by their places. */
  readonly outer: readonly { readonly port: Item; readonly at: number }[];
  readonly inner: readonly { readonly port: Item; readonly at: number }[];
}

function portsOf({ graph, spots }: Inside, side: Side): Ports {
  const all = Array.from(graph.ports[side].values(), (port) => ({
    port,
    at: spots.get(port)?.middle as number,
  }));
  all.sort((a, b) => a.at - b.at);
  return {
    outer: all.filter(({ port }) => !graph.inner.has(port)),
    inner: all.filter(({ port }) => graph.inner.has(port)),
  };
}

interface Room {
  readonly start: number;
  readonly end: number;
}

function frameRight(
  inside: Inside,
  turns: boolean,
  head: Head,
  starts: Ports,
  ends: Ports,
  room: Room,
  spare: OwnEnds,
): Frame {
  const { length, breadth } = inside;
  const most = Math.max(spare.start, spare.end);
  const before = spare.isMirrored ? 0 : turns ? spare.start : Math.max(0, most - head.height);
  const after = !spare.isMirrored ? 0 : turns ? spare.end : most;
  const left = padding + room.start + (turns ? before : 0);
  const origin = { x: left, y: head.height + padding + (turns ? 0 : before) };
  const right = Math.max(origin.x + length + padding, left + head.width + padding);
  const width = right + room.end + (turns ? after : 0);
  const height = origin.y + breadth + padding + (turns ? 0 : after);
  const ports = new Map<Item, number>();
  const ways = new Map<Item, Hop[]>();
  const straight = ({ port, at }: Ports['outer'][number], border: number, edge: number): void => {
    const y = origin.y + at;
    ports.set(port, y);
    ways.set(port, [lineTo({ x: border, y }, { x: edge, y })]);
  };
  const bend = ({ port, at }: Ports['outer'][number], x: number, border: number, edge: number): void => {
    const y = origin.y + at;
    ports.set(port, x);
    ways.set(port, turn({ x, y: border }, { x, y }, { x: edge, y }));
  };
  const end = origin.x + length;
  for (const each of starts.inner) straight(each, 0, origin.x);
  for (const each of ends.inner) straight(each, width, end);
  // At the top the lowest goes outermost, at the bottom the highest.
  for (const [index, each] of starts.outer.entries())
    if (turns) bend(each, left - (index + 0.5) * track, 0, origin.x);
    else straight(each, 0, origin.x);
  for (const [index, each] of ends.outer.entries())
    if (turns) bend(each, right + room.end - padding / 2 - (index + 0.5) * track, height, end);
    else straight(each, width, end);
  return { inside, width, height, ports, ways, origin, headLeft: left };
}

function frameDown(
  inside: Inside,
  turns: boolean,
  head: Head,
  starts: Ports,
  ends: Ports,
  room: Room,
  spare: OwnEnds,
): Frame {
  const { length, breadth } = inside;
  const most = Math.max(spare.start, spare.end);
  const before = spare.isMirrored ? 0 : turns ? Math.max(0, spare.start - head.height) : spare.end;
  const after = !spare.isMirrored ? 0 : turns ? spare.end : most;
  const left = padding + (turns ? 0 : before);
  // Arrows that come from above go past the head.
  const passing = turns ? [] : starts.outer;
  let past = padding + head.width + track;
  let farthest = 0;
  const tops = new Map<Item, number>();
  for (const { port, at } of passing) {
    const x = Math.max(left + at, past);
    farthest = Math.max(farthest, x - left - at);
    tops.set(port, x);
    past = x + track;
  }
  const top = head.height + padding + room.start + (turns ? before : 0);
  const origin = { x: left, y: top + Math.min(40, 0.3 * farthest) };
  const rightmost = passing.length > 0 ? past : 0;
  const width = Math.max(origin.x + breadth, padding + head.width, rightmost) + padding + (turns ? 0 : after);
  const bottom = origin.y + length + padding + room.end;
  const height = bottom + (turns ? after : 0);
  const ports = new Map<Item, number>();
  const ways = new Map<Item, Hop[]>();
  const straight = ({ port, at }: Ports['outer'][number], border: number, edge: number): void => {
    const x = origin.x + at;
    ports.set(port, x);
    ways.set(port, [lineTo({ x, y: border }, { x, y: edge })]);
  };
  const bend = ({ port, at }: Ports['outer'][number], y: number, border: number, edge: number): void => {
    const x = origin.x + at;
    ports.set(port, y);
    ways.set(port, turn({ x: border, y }, { x, y }, { x, y: edge }));
  };
  const end = origin.y + length;
  for (const each of starts.inner) straight(each, head.height, origin.y);
  for (const each of ends.inner) straight(each, height, end);
  for (const [index, each] of starts.outer.entries()) {
    if (turns) bend(each, top - padding / 2 - (index + 0.5) * track, 0, origin.y);
    else {
      const x = tops.get(each.port) as number;
      const below = { x, y: head.height };
      ports.set(each.port, x);
      ways.set(each.port, [
        lineTo({ x, y: 0 }, below),
        curveTo(below, { x: origin.x + each.at, y: origin.y }, 'down'),
      ]);
    }
  }
  for (const [index, each] of ends.outer.entries())
    if (turns) bend(each, bottom - padding / 2 - (index + 0.5) * track, width, end);
    else straight(each, height, end);
  return { inside, width, height, ports, ways, origin, headLeft: padding };
}
