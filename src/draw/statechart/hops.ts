/** The direction in which the layers of a container follow each other. */
export type Direction = 'right' | 'down';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A piece of an arrow: a line, or with two control points a cubic Bézier curve. */
export interface Hop {
  readonly from: Point;
  readonly to: Point;
  readonly by: readonly [Point, Point] | undefined;
}

export function lineTo(from: Point, to: Point): Hop {
  return { from, to, by: undefined };
}

/** Leaves and arrives in the direction of the layers, and stays in the room between them. */
export function curveTo(from: Point, to: Point, direction: Direction): Hop {
  if (direction === 'right') {
    if (Math.abs(from.y - to.y) < 0.05) return lineTo(from, to);
    const middle = (from.x + to.x) / 2;
    return {
      from,
      to,
      by: [
        { x: middle, y: from.y },
        { x: middle, y: to.y },
      ],
    };
  }
  if (Math.abs(from.x - to.x) < 0.05) return lineTo(from, to);
  const middle = (from.y + to.y) / 2;
  return {
    from,
    to,
    by: [
      { x: from.x, y: middle },
      { x: to.x, y: middle },
    ],
  };
}

/** Two lines with a round corner between them. */
export function turn(from: Point, corner: Point, to: Point): Hop[] {
  const [first, second] = [near(corner, from), near(corner, to)];
  return [lineTo(from, first), { from: first, to: second, by: [corner, corner] }, lineTo(second, to)];
}

const radius = 7;

function near(corner: Point, end: Point): Point {
  const length = Math.abs(corner.x - end.x) + Math.abs(corner.y - end.y);
  const part = length === 0 ? 0 : Math.min(1, radius / length);
  return { x: corner.x + (end.x - corner.x) * part, y: corner.y + (end.y - corner.y) * part };
}

/** The same way, walked from its end. */
export function reversed(hops: readonly Hop[]): Hop[] {
  return hops
    .map(
      ({ from, to, by }): Hop => ({ from: to, to: from, by: by === undefined ? undefined : [by[1], by[0]] }),
    )
    .reverse();
}

export function moved(hops: readonly Hop[], x: number, y: number): Hop[] {
  const shift = (point: Point): Point => ({ x: point.x + x, y: point.y + y });
  return hops.map(({ from, to, by }) => ({
    from: shift(from),
    to: shift(to),
    by: by === undefined ? undefined : [shift(by[0]), shift(by[1])],
  }));
}
