import type { Machine } from '../../../src/draw/machine.ts';
import { measure } from '../../../src/draw/svg-text.ts';
import { elementsOf } from '../../support/xml.ts';

interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Text extends Area {
  readonly text: string;
  /** The state that it stands in; `undefined` for the text of an arrow. */
  readonly state: number | undefined;
}

interface Path {
  readonly source: number;
  readonly target: number;
  /** In strokes without a gap, at most two pixels apart. */
  readonly strokes: readonly (readonly Point[])[];
}

/** What a picture shows of a chart, measured in its SVG. */
export interface Measured {
  readonly states: readonly Area[];
  readonly texts: readonly Text[];
  readonly paths: readonly Path[];
}

/** Measures the elements that `paintChart` makes. Widths of texts are estimates, rather too wide than too narrow. */
export function measurePicture(body: readonly string[]): Measured {
  const states: Area[] = [];
  const texts: Text[] = [];
  const paths: Path[] = [];
  let state: number | undefined;
  for (const { name, attributes, text } of elementsOf(`<svg>${body.join('')}</svg>`)) {
    const number = (key: string): number => Number(attributes[key]);
    if (name === 'g') state = number('data-state');
    if (name === 'circle' || name === 'path') state = attributes.class === 'head' ? state : undefined;
    if (name === 'rect' && state !== undefined)
      states[state] ??= {
        left: number('x'),
        top: number('y'),
        right: number('x') + number('width'),
        bottom: number('y') + number('height'),
      };
    if (name === 'text') {
      const size = /name/.test(attributes.class ?? '') ? 12 : 10.5;
      const width = measure(text) * size;
      const left = number('x') - (attributes['text-anchor'] === 'middle' ? width / 2 : 0);
      texts.push({
        text,
        state,
        left,
        right: left + width,
        top: number('y') - 0.75 * size,
        bottom: number('y') + 0.2 * size,
      });
    }
    const ends = attributes['data-edge']?.split(' ').map(Number);
    if (name === 'path' && ends !== undefined)
      paths.push({
        source: ends[0] as number,
        target: ends[1] as number,
        strokes: strokesOf(attributes.d ?? ''),
      });
  }
  return { states, texts, paths };
}

/** Samples a path of absolute moves, lines and cubic curves. */
function strokesOf(d: string): Point[][] {
  const strokes: Point[][] = [];
  for (const [, command, list = ''] of d.matchAll(/([MLC])([^MLC]*)/g)) {
    const numbers = list.trim().split(/[ ,]+/).map(Number);
    const points = Array.from({ length: numbers.length / 2 }, (_, index): Point => {
      return { x: numbers[2 * index] as number, y: numbers[2 * index + 1] as number };
    });
    const stroke = strokes.at(-1);
    const from = stroke?.at(-1);
    const [first, second, third] = points as [Point, Point, Point];
    if (command === 'M') strokes.push([first]);
    else if (from !== undefined && command === 'L') stroke?.push(...sample(from, from, first, first));
    else if (from !== undefined) stroke?.push(...sample(from, first, second, third));
  }
  return strokes;
}

function sample(a: Point, b: Point, c: Point, d: Point): Point[] {
  const steps = Math.max(1, Math.ceil((Math.abs(d.x - a.x) + Math.abs(d.y - a.y)) / 2));
  return Array.from({ length: steps }, (_, index): Point => {
    const t = (index + 1) / steps;
    const [u, w] = [(1 - t) ** 3, 3 * (1 - t) ** 2 * t];
    const [v, z] = [3 * (1 - t) * t ** 2, t ** 3];
    return { x: u * a.x + w * b.x + v * c.x + z * d.x, y: u * a.y + w * b.y + v * c.y + z * d.y };
  });
}

/** Lists what is wrong with a picture: what lies behind or over something else, and arrows that do not meet their states. */
export function problemsOf(machine: Machine, { states, texts, paths }: Measured): string[] {
  const problems: string[] = [];
  const nameOf = (index: number): string => `${index} \`${machine.states[index]?.name}\``;
  const isAround = (outer: number, inner: number): boolean => {
    for (let at = machine.states[inner]?.parent ?? -1; at >= 0; at = machine.states[at]?.parent ?? -1)
      if (at === outer) return true;
    return false;
  };
  for (let index = 0; index < machine.states.length; index++)
    if (states[index] === undefined) problems.push(`${nameOf(index)} is not drawn`);
  for (const [one, area] of states.entries()) {
    for (const [other, second] of states.entries()) {
      if (other <= one) continue;
      if (isAround(one, other)) {
        if (!contains(area, second)) problems.push(`${nameOf(other)} is not inside ${nameOf(one)}`);
      } else if (overlap(area, second, 2)) problems.push(`${nameOf(one)} and ${nameOf(other)} overlap`);
    }
  }
  for (const [one, text] of texts.entries()) {
    for (const other of texts.slice(one + 1))
      if (overlap(text, other, -0.5)) problems.push(`“${text.text}” lies over “${other.text}”`);
    for (const [index, area] of states.entries()) {
      const isInside = contains(area, text);
      if (text.state === index && !isInside) problems.push(`“${text.text}” sticks out of ${nameOf(index)}`);
      const mayBeInside =
        text.state === undefined
          ? isOuter(machine, index)
          : text.state === index || isAround(index, text.state);
      if (!(mayBeInside && isInside) && overlap(area, text, 0))
        problems.push(`“${text.text}” lies over ${nameOf(index)}`);
    }
  }
  for (const { source, target, strokes } of paths) {
    const name = `the arrow from ${nameOf(source)} to ${nameOf(target)}`;
    const points = strokes.flat();
    const [start, end] = [points[0] as Point, points.at(-1) as Point];
    if (!isOnBorder(start, states[source] as Area, source, machine, texts))
      problems.push(`${name} does not begin at its source`);
    if (!isOnBorder(end, states[target] as Area, target, machine, texts))
      problems.push(`${name} does not end at its target`);
    if (strokes.length > 2) problems.push(`${name} has ${strokes.length} pieces`);
    for (const [index, area] of states.entries())
      if (
        !isAround(index, source) &&
        !isAround(index, target) &&
        points.some((point) => isIn(point, area, -0.7))
      )
        problems.push(`${name} runs behind ${nameOf(index)}`);
    for (const text of texts)
      if (points.some((point) => isIn(point, text, 0))) problems.push(`${name} runs through “${text.text}”`);
  }
  return problems;
}

function isOuter({ states }: Machine, index: number): boolean {
  return states.some(({ parent }) => parent === index);
}

function contains(outer: Area, inner: Area): boolean {
  return (
    outer.left <= inner.left &&
    outer.top <= inner.top &&
    outer.right >= inner.right &&
    outer.bottom >= inner.bottom
  );
}

/** Whether two areas overlap, or are nearer than that. */
function overlap(one: Area, other: Area, distance: number): boolean {
  return (
    one.left < other.right + distance &&
    other.left < one.right + distance &&
    one.top < other.bottom + distance &&
    other.top < one.bottom + distance
  );
}

function isIn({ x, y }: Point, area: Area, margin: number): boolean {
  return (
    x > area.left - margin && x < area.right + margin && y > area.top - margin && y < area.bottom + margin
  );
}

/** Arrows into a container also begin at the line below its head, which is below the last text of the head. */
function isOnBorder(
  point: Point,
  area: Area,
  state: number,
  machine: Machine,
  texts: readonly Text[],
): boolean {
  if (!isIn(point, area, 0.3)) return false;
  if (!isIn(point, area, -0.3)) return true;
  if (!isOuter(machine, state)) return false;
  const bottom = Math.max(...texts.filter((text) => text.state === state).map((text) => text.bottom));
  return point.y > bottom && point.y < bottom + 12;
}

/** Counts how often two arrows cross: points where their lines meet, but for shared ends. */
export function countCrossings({ paths }: Pick<Measured, 'paths'>): number {
  const all = paths.map(({ strokes }) => strokes.map(segmentsOf));
  let crossings = 0;
  for (const [index, one] of all.entries())
    for (const other of all.slice(index + 1))
      for (const first of one) for (const second of other) crossings += meetings(first, second);
  return crossings;
}

interface Segment extends Area {
  readonly from: Point;
  readonly to: Point;
}

interface Segments extends Area {
  readonly list: readonly Segment[];
}

/** The lines of a stroke; points in the middle of a level or upright line are left out. */
function segmentsOf(stroke: readonly Point[]): Segments {
  const corners = stroke.filter((point, index) => {
    const [before, after] = [stroke[index - 1], stroke[index + 1]];
    if (before === undefined || after === undefined) return true;
    return !(before.x === point.x && point.x === after.x) && !(before.y === point.y && point.y === after.y);
  });
  const list = corners.slice(1).map((to, index): Segment => {
    const from = corners[index] as Point;
    return { from, to, ...around([from, to]) };
  });
  return { list, ...around(stroke) };
}

function around(points: readonly Point[]): Area {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

function meetings(one: Segments, other: Segments): number {
  if (!touch(one, other)) return 0;
  const near = other.list.filter((each) => touch(each, one));
  let count = 0;
  for (const { from: a, to: b, ...first } of one.list) {
    if (!touch(first, other)) continue;
    for (const second of near) {
      if (!touch(first, second)) continue;
      const { from: c, to: d } = second;
      if (turns(a, b, c) * turns(a, b, d) < 0 && turns(c, d, a) * turns(c, d, b) < 0) count++;
    }
  }
  return count;
}

function touch(one: Area, other: Area): boolean {
  return (
    one.left <= other.right && other.left <= one.right && one.top <= other.bottom && other.top <= one.bottom
  );
}

function turns(a: Point, b: Point, c: Point): number {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}
