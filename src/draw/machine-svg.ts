import { type Layout, layOut, routeOf, stepOf } from './layout.ts';
import type { Machine, MachineState } from './machine.ts';
import { arrowsOf } from './machine-ways.ts';
import { frame } from './svg-style.ts';
import { at, escapeXml, measure } from './svg-text.ts';

const css = `
.topple .edge{fill:none;stroke:var(--edge);stroke-width:1.2}
.topple .tip{fill:var(--edge)}
.topple .state rect{fill:var(--box);stroke:var(--ink)}
.topple .state.final rect{stroke-width:3}
.topple .event{font-size:10.5px;fill:var(--soft)}
.topple .start{fill:var(--ink)}
`;

const lineHeight = 14;

/** What a running machine has come to, to be stressed in its picture by the classes `now` and `taken`. */
export interface Lit {
  readonly state: string;
  readonly taken: readonly { readonly from: string; readonly to: string; readonly event: string }[];
}

/**
 * Draws a flat machine: states in columns, and between them the events that lead from one to the next.
 *
 * @param lit Default: nothing is stressed
 */
export function drawMachine(machine: Machine, lit?: Lit): { body: string[]; width: number; height: number } {
  const { states } = machine;
  const connections = connectionsOf(machine);
  // A connection's events are a node of their own, so that nothing is drawn over them.
  const dependsOn: number[][] = states.map(() => []);
  for (const [index, { left, right }] of connections.entries()) {
    dependsOn.push([left]);
    dependsOn[right]?.push(states.length + index);
  }
  const tallest = connections.reduce((most, { events }) => Math.max(most, events.length), 2);
  const layout = layOut(dependsOn, {
    widthOf: (node) =>
      node < states.length
        ? measure(states[node]?.name ?? '') * 12 + 24
        : widest(connections[node - states.length]?.events ?? []),
    nodeHeight: Math.max(30, tallest * lineHeight),
    gap: 10,
  });
  const taken = connections.map(({ from, to }) => {
    return new Set(
      lit?.taken.filter((each) => each.from === from && each.to === to).map(({ event }) => event),
    );
  });
  const lanes = lanesTaken(layout, connections, taken, states.length);
  const edges = layout.after.flatMap((after, place) =>
    after.map((next) => ({ isTaken: lanes.has(`${place} ${next}`), d: stepOf(layout, place, next) })),
  );
  const body = [
    // What was taken lies over the rest.
    ...[false, true].flatMap((isTaken) =>
      edges
        .filter((edge) => edge.isTaken === isTaken)
        .map(({ d }) => `<path class="edge${isTaken ? ' taken' : ''}" d="${d}"/>`),
    ),
    ...connections.flatMap((connection, index) =>
      drawConnection(layout, connection, states.length + index, taken[index] as ReadonlySet<string>),
    ),
    ...states.map((state, index) =>
      drawState(layout, state, state.name === machine.initial, index, state.name === lit?.state),
    ),
  ];
  return { body, width: layout.width, height: layout.height };
}

/** Draws several machines, one below the other. */
export function svgOfMachines(machines: readonly Machine[], heading: Heading): string {
  const body: string[] = [];
  let [width, height] = [0, 0];
  for (const machine of machines) {
    const drawn = drawMachine(machine);
    body.push(`<text class="title" x="0" y="${at(height + 14)}">${escapeXml(machine.name)}</text>`);
    body.push(`<g transform="translate(0 ${at(height + 30)})">`, ...drawn.body, '</g>');
    width = Math.max(width, drawn.width);
    height += drawn.height + 60;
  }
  return frame({ ...heading, width, height: height - 20, css, body, legend: [] });
}

/** The text above a picture. */
export interface Heading {
  readonly title: string;
  readonly subtitle: string;
}

/** Events that lead from one state to another; back to an earlier one where `isBack`. */
interface Connection {
  readonly from: string;
  readonly to: string;
  readonly left: number;
  readonly right: number;
  readonly isBack: boolean;
  readonly events: string[];
}

function connectionsOf(machine: Machine): Connection[] {
  const names = machine.states.map(({ name }) => name);
  const connections = new Map<string, Connection>();
  for (const { from, to, label } of arrowsOf(machine)) {
    const [start, end] = [names.indexOf(from), names.indexOf(to)];
    if (start === end) continue;
    // States stand in the order in which a run goes through them.
    const isBack = end < start;
    const [left, right] = isBack ? [end, start] : [start, end];
    const connection = connections.get(`${from} ${to}`) ?? { from, to, left, right, isBack, events: [] };
    connection.events.push(isBack ? `← ${label}` : label);
    connections.set(`${from} ${to}`, connection);
  }
  return [...connections.values()];
}

/** The pieces of edges that taken connections go over: from one place to the next. */
function lanesTaken(
  layout: Layout,
  connections: readonly Connection[],
  taken: readonly ReadonlySet<string>[],
  stateCount: number,
): Set<string> {
  const lanes = new Set<string>();
  for (const [index, { left, right }] of connections.entries()) {
    if (taken[index]?.size === 0) continue;
    const node = stateCount + index;
    for (const route of [routeOf(layout, left, node), routeOf(layout, node, right)])
      for (const [step, place] of route.slice(1).entries()) lanes.add(`${route[step]} ${place}`);
  }
  return lanes;
}

function widest(events: readonly string[]): number {
  return events.reduce((most, event) => Math.max(most, measure(event) * 10.5), 0) + 8;
}

function drawConnection(
  { left, widths, columnOf, y }: Layout,
  connection: Connection,
  node: number,
  taken: ReadonlySet<string>,
): string[] {
  const column = columnOf[node] as number;
  const width = widths[column] as number;
  const x = left[column] as number;
  const middle = y[node] as number;
  const top = middle - ((connection.events.length - 1) * lineHeight) / 2;
  const isTaken = (label: string): boolean => taken.has(label.replace('← ', '').replace(/ \[.*/, ''));
  const texts = connection.events.map(
    (event, line) =>
      `<text class="event${isTaken(event) ? ' taken' : ''}" text-anchor="middle" x="${at(x + width / 2)}" y="${at(top + line * lineHeight + 3.5)}">${escapeXml(event)}</text>`,
  );
  const target = connection.isBack ? connection.left : connection.right;
  const end = columnOf[target] as number;
  const height = at(y[target] as number);
  const tip = connection.isBack
    ? `M${at((left[end] as number) + (widths[end] as number))} ${height}l7 -4v8z`
    : `M${at(left[end] as number)} ${height}l-7 -4v8z`;
  return [...texts, `<path class="tip${taken.size > 0 ? ' taken' : ''}" d="${tip}"/>`];
}

function drawState(
  { left, widths, columnOf, y }: Layout,
  { name, isFinal }: MachineState,
  isInitial: boolean,
  index: number,
  isNow: boolean,
): string {
  const column = columnOf[index] as number;
  const width = widths[column] as number;
  const x = left[column] as number;
  const start = isInitial ? '<circle class="start" cx="-12" cy="15" r="5"/>' : '';
  return (
    `<g class="state${isFinal ? ' final' : ''}${isNow ? ' now' : ''}" transform="translate(${at(x)} ${at((y[index] as number) - 15)})">${start}` +
    `<rect width="${at(width)}" height="30" rx="8"/><text x="${at(width / 2)}" y="19" text-anchor="middle">${escapeXml(name)}</text></g>`
  );
}
