import type { MachineState } from '../machine.ts';
import { at, escapeXml } from '../svg-text.ts';
import { dotSize } from './container.ts';
import type { Hop, Point } from './hops.ts';
import type { Area, ChartLayout, PlacedEdge, PlacedState } from './layout.ts';
import { lineHeight, type TextBlock, titleHeight } from './text.ts';

/** The rules for the classes of a painted chart. */
export const chartCss = `
.topple .edge{fill:none;stroke:var(--edge);stroke-width:1.2}
.topple .tip{fill:var(--edge)}
.topple .state rect{fill:var(--box);stroke:var(--ink)}
.topple .state.outer rect{fill:var(--paper);stroke:var(--soft)}
.topple .state.region rect{stroke-dasharray:5 3}
.topple .state .double{fill:none}
.topple .state.outer .name{font-weight:600}
.topple .event{font-size:10.5px;fill:var(--soft)}
.topple .note{font-size:10.5px;fill:var(--soft);opacity:.85}
.topple .line{font-size:10.5px}
.topple .head{stroke:var(--rim)}
.topple .start{fill:var(--ink)}
`;

/** Where a running machine is and how it came there, to be stressed by the classes `now` and `taken`. */
export interface Lit {
  /** The indexes of the states that are active. */
  readonly states: ReadonlySet<number>;
  /** Whether a transition was taken. */
  isTaken(source: number, target: number, event: string): boolean;
}

/** Paints a chart as elements of an SVG, from 0 to its width and height. */
export function paintChart(layout: ChartLayout, lit?: Lit): string[] {
  const { machine, states, edges, initials } = layout;
  const taken = edges.map(({ edge }) =>
    edge.lines.map(({ event }) => lit?.isTaken(edge.source, edge.target, event) ?? false),
  );
  const isTaken = (index: number): boolean => taken[index]?.includes(true) ?? false;
  // What was taken lies over the rest.
  const order = [...edges.keys()].sort((a, b) => Number(isTaken(a)) - Number(isTaken(b)));
  return [
    ...states.map((placed, index) => {
      const state = machine.states[index] as MachineState;
      const around = machine.states[state.parent];
      return paintState(placed, state, around?.kind === 'parallel', lit?.states.has(index) ?? false, index);
    }),
    ...initials.map(
      ({ dot, hops }) =>
        `<circle class="start" cx="${at(dot.x)}" cy="${at(dot.y)}" r="${dotSize / 2}"/><path class="edge" d="${pathOf(hops)}"/>${paintTip(hops, '')}`,
    ),
    ...order.map((index) => paintEdge(edges[index] as PlacedEdge, isTaken(index))),
    ...order.map((index) => paintLabel(edges[index] as PlacedEdge, taken[index] as boolean[])),
  ];
}

function paintState(
  placed: PlacedState,
  state: MachineState,
  isRegion: boolean,
  isNow: boolean,
  index: number,
): string {
  const { x, y, width, height, text, textLeft, hasInside } = placed;
  const { kind, description, hidden = 0 } = state;
  const classes = [
    'state',
    ...(kind === 'atomic' || kind === 'compound' ? [] : [kind]),
    ...(hasInside ? ['outer'] : []),
    ...(isRegion ? ['region'] : []),
    ...(isNow ? ['now'] : []),
  ];
  const title = description === undefined ? '' : `<title>${escapeXml(description)}</title>`;
  const isHistory = kind === 'shallow' || kind === 'deep';
  const round = isHistory ? Math.min(width, height) / 2 : 8;
  const parts = [rect(placed, round, '')];
  if (kind === 'final')
    parts.push(rect({ x: x + 3, y: y + 3, width: width - 6, height: height - 6 }, 5, 'double'));
  if (hidden > 0) parts.push(rect({ x: x + 3, y: y + 3, width: width - 6, height: height - 6 }, 5, 'double'));
  if (isHistory)
    parts.push(word('name', x + width / 2, y + height / 2 + 4, kind === 'deep' ? 'H*' : 'H', true));
  else if (hasInside) {
    const bottom = y + text.height + 4;
    parts.push(...words(text, x + textLeft, y + 1, false));
    parts.push(`<path class="head" d="M${at(x)} ${at(bottom)}H${at(x + width)}"/>`);
  } else if (text.lines.length === 1)
    parts.push(word('name', x + width / 2, y + height / 2 + 4, name(text), true));
  else parts.push(...words(text, x + textLeft, y + (height - text.height) / 2, false));
  return `<g class="${classes.join(' ')}" data-state="${index}">${title}${parts.join('')}</g>`;
}

function name({ lines }: TextBlock): string {
  return lines[0]?.text ?? '';
}

function rect({ x, y, width, height }: Area, round: number, look: string): string {
  const attribute = look === '' ? '' : ` class="${look}"`;
  return `<rect${attribute} x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" rx="${at(round)}"/>`;
}

/** Writes lines below each other. */
function words(
  { lines }: TextBlock,
  x: number,
  top: number,
  isCentred: boolean,
  isTaken?: readonly boolean[],
): string[] {
  let y = top;
  let event = -1;
  return lines.map(({ text, look }) => {
    if (look === 'plain') event++;
    y += look === 'title' ? titleHeight : lineHeight;
    const looks = { title: 'name', plain: isTaken === undefined ? 'line' : 'event', note: 'note' };
    const stress = isTaken?.[event] === true ? ' taken' : '';
    return word(looks[look] + stress, x, y - (look === 'title' ? 6 : 3.5), text, isCentred);
  });
}

function word(look: string, x: number, y: number, text: string, isCentred: boolean): string {
  const anchor = isCentred ? ' text-anchor="middle"' : '';
  return `<text class="${look}"${anchor} x="${at(x)}" y="${at(y)}">${escapeXml(text)}</text>`;
}

function paintEdge({ edge, hops }: PlacedEdge, isTaken: boolean): string {
  const stress = isTaken ? ' taken' : '';
  return `<path class="edge${stress}" data-edge="${edge.source} ${edge.target}" d="${pathOf(hops)}"/>${paintTip(hops, stress)}`;
}

function paintLabel({ label }: PlacedEdge, taken: readonly boolean[]): string {
  if (label === undefined || label.text.lines.length === 0) return '';
  return words(label.text, label.x + label.width / 2, label.y, true, taken).join('');
}

/** Joins hops that meet; coordinates are rounded to tenths. */
function pathOf(hops: readonly Hop[]): string {
  let last: Point | undefined;
  return hops
    .map(({ from, to, by }) => {
      const start = last !== undefined && near(last, from) ? '' : `M${pair(from)}`;
      last = to;
      return by === undefined ? `${start}L${pair(to)}` : `${start}C${pair(by[0])} ${pair(by[1])} ${pair(to)}`;
    })
    .join('');
}

function near(one: Point, other: Point): boolean {
  return Math.abs(one.x - other.x) + Math.abs(one.y - other.y) < 0.01;
}

function pair({ x, y }: Point): string {
  return `${at(x)} ${at(y)}`;
}

/** Paints the tip of an arrow, in the direction in which its last hop arrives. */
function paintTip(hops: readonly Hop[], stress: string): string {
  const last = hops.at(-1);
  if (last === undefined) return '';
  const { x, y } = last.to;
  const from = last.by?.[1] ?? last.from;
  const length = Math.hypot(x - from.x, y - from.y) || 1;
  const [dx, dy] = [(x - from.x) / length, (y - from.y) / length];
  const corner = (side: number): string =>
    pair({ x: x - 7 * dx - side * 4 * dy, y: y - 7 * dy + side * 4 * dx });
  return `<path class="tip${stress}" d="M${pair({ x, y })}L${corner(1)}L${corner(-1)}z"/>`;
}
