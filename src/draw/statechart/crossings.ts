import type { Graph, Item, Link } from './graph.ts';

/** Whether containers inside show where on their sides arrows come out, or are points. */
export type Ends = 'ports' | 'points';

/** Counts how often arrows cross in one graph. */
export function countCrossings({ layers }: Graph, ends: Ends): number {
  let crossings = 0;
  for (const layer of layers) {
    const links = layer.flatMap(({ after }) => after);
    if (links.length < 2) continue;
    const sorted = links
      .map((link): [number, number] => [fromPlace(link, ends), toPlace(link, ends)])
      .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    crossings += countInversions(sorted.map(([, to]) => to));
  }
  return crossings;
}

/** The place of a link's start in its layer, with fractions for ports. */
export function fromPlace({ from, fromPort }: Link, ends: Ends): number {
  return from.order + (ends === 'ports' ? fraction(fromPort) : 0);
}

export function toPlace({ to, toPort }: Link, ends: Ends): number {
  return to.order + (ends === 'ports' ? fraction(toPort) : 0);
}

/** Counts the crossings between the links of two neighbours in a layer, the first of which stands before the second. */
export function crossingsOf(first: Item, second: Item, ends: Ends): number {
  let crossings = 0;
  for (const one of first.before)
    for (const other of second.before) if (fromPlace(one, ends) > fromPlace(other, ends)) crossings++;
  for (const one of first.after)
    for (const other of second.after) if (toPlace(one, ends) > toPlace(other, ends)) crossings++;
  return crossings;
}

/** Ports of one side have orders from 0 up; there are fewer than this. */
const mostPorts = 1 << 20;

function fraction(port: Item | undefined): number {
  return port === undefined ? 0 : (port.order + 1) / mostPorts;
}

/** Counts pairs in the wrong order, by merging. */
function countInversions(values: number[]): number {
  let inversions = 0;
  let from = values;
  let to: number[] = [];
  for (let width = 1; width < values.length; width *= 2) {
    to = [];
    for (let start = 0; start < from.length; start += 2 * width) {
      const middle = Math.min(start + width, from.length);
      const end = Math.min(start + 2 * width, from.length);
      let [left, right] = [start, middle];
      while (left < middle || right < end) {
        if (right >= end || (left < middle && (from[left] as number) <= (from[right] as number)))
          to.push(from[left++] as number);
        else {
          inversions += middle - left;
          to.push(from[right++] as number);
        }
      }
    }
    from = to;
  }
  return inversions;
}
