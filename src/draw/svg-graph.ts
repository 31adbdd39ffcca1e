import { count, showDuration } from '../model/duration.ts';
import { type Layout, layOut, routeOf, stepOf } from './layout.ts';
import { isCritical, noteText, type Picture, type PictureTask } from './picture.ts';
import { statusStyles } from './status-style.ts';
import { frame, type LegendItem, statusLegend } from './svg-style.ts';
import { at, escapeXml, measure, shorten } from './svg-text.ts';

const fontSize = 12;
/** The greatest width of an id, in ems; a wider one is cut, and its tooltip has all of it. */
const mostEms = 22;
const padding = 11;

const css = `
.topple .edge{fill:none;stroke:var(--edge);stroke-width:1.2;stroke-opacity:.75}
.topple .edge:hover{stroke:var(--accent);stroke-width:2.2;stroke-opacity:1}
.topple .tip{fill:var(--edge)}
.topple .critical{fill:none;stroke:var(--accent);stroke-width:2.2}
.topple .critical.tip{fill:var(--accent);stroke:none}
.topple .task rect{fill:var(--box);stroke:var(--rim)}
.topple .task.critical rect{stroke:var(--accent);stroke-width:2}
.topple .task.critical{stroke:none}
.topple .task.focus rect{stroke:var(--ink);stroke-width:2.5}
.topple .task .note{font-size:10px;fill:var(--soft)}
`;

/** Draws a flow: columns of tasks from left to right, each after all that it depends on. */
export function svgOfGraph(picture: Picture): string {
  const drawn = drawGraph(picture);
  const focus = picture.tasks.find(({ isFocus }) => isFocus);
  const edges = picture.dependsOn.reduce((sum, upstream) => sum + upstream.length, 0);
  return frame({
    title: picture.name,
    subtitle: `${count(picture.tasks.length, 'task')}, ${count(edges, 'dependency', 'dependencies')}${focus === undefined ? '' : `, around ${shorten(focus.id, 40)}`}`,
    width: drawn.width,
    height: drawn.height,
    css: css + statusCss(picture),
    body: drawn.body,
    legend: legendOf(picture),
  });
}

/** A graph, without what is around it. */
interface Drawn {
  readonly width: number;
  readonly height: number;
  readonly body: readonly string[];
}

function drawGraph(picture: Picture): Drawn {
  const inner = picture.tasks.map((task) => (task.inner === undefined ? undefined : drawGraph(task.inner)));
  const labels = picture.tasks.map((task, index) => labelOf(task, inner[index]));
  const boxHeight = labels.some(({ note }) => note !== '') ? 38 : 28;
  const heightOf = (task: number): number => {
    const within = inner[task];
    return within === undefined ? boxHeight : boxHeight + within.height + padding;
  };
  const layout = layOut(picture.dependsOn, {
    widthOf: (task) => labels[task]?.width ?? 0,
    nodeHeight: boxHeight,
    heightOf,
    gap: picture.tasks.length > 2_000 ? 6 : 12,
  });
  return {
    width: layout.width,
    height: layout.height,
    body: [
      ...drawEdges(layout),
      ...drawCritical(picture, layout),
      ...drawTips(picture, layout),
      ...drawTasks(picture, layout, labels, { boxHeight, heightOf, inner }),
    ],
  };
}

/** What the boxes of tasks are made of. */
interface Boxes {
  /** The height of what is said of a task. */
  readonly boxHeight: number;
  readonly heightOf: (task: number) => number;
  /** The graphs of those that are expanded. */
  readonly inner: readonly (Drawn | undefined)[];
}

interface Label {
  readonly text: string;
  readonly note: string;
  readonly width: number;
}

function labelOf(task: PictureTask, inner: Drawn | undefined): Label {
  const { id, durationMs, triggerRule, optional, status } = task;
  const child = noteText(task);
  const notes = [
    ...(child === undefined ? [] : [shorten(child, mostEms)]),
    ...(durationMs === undefined ? [] : [showDuration(durationMs)]),
    ...(triggerRule === 'all_success' ? [] : [triggerRule]),
    ...(optional ? ['optional'] : []),
  ];
  const text = shorten(id, mostEms);
  const note = notes.join(' · ');
  const glyph = status === undefined ? 0 : 16;
  const width =
    Math.max(measure(text) * fontSize + glyph, measure(note) * 10 + glyph, inner?.width ?? 24) + 2 * padding;
  return { text, note, width };
}

/** Draws edges that share lanes as one path, so that pointing at one shows where the others go. */
function drawEdges(layout: Layout): string[] {
  const { after, owner, nodeCount, jumps } = layout;
  const paths: string[][] = Array.from({ length: nodeCount }, () => []);
  for (const [place, next] of after.entries()) {
    for (const other of next) {
      const lane = place >= nodeCount ? place : other >= nodeCount ? other : place;
      paths[owner[lane] as number]?.push(stepOf(layout, place, other));
    }
  }
  for (const [from, to] of jumps) paths[from]?.push(stepOf(layout, from, to));
  return paths
    .filter((steps) => steps.length > 0)
    .map((steps) => `<path class="edge" d="${steps.join('')}"/>`);
}

function drawCritical(picture: Picture, layout: Layout): string[] {
  return picture.dependsOn.flatMap((upstream, to) =>
    upstream
      .filter((from) => isCritical(picture, from, to))
      .map((from) => {
        const route = routeOf(layout, from, to);
        const steps = route.slice(1).map((place, index) => stepOf(layout, route[index] as number, place));
        return `<path class="critical" d="${steps.join('')}"/>`;
      }),
  );
}

/** Draws one arrow for each task: all its edges come in at the same point. */
function drawTips(picture: Picture, layout: Layout): string[] {
  return picture.dependsOn.flatMap((upstream, task) => {
    if (upstream.length === 0) return [];
    const [x, y] = [layout.left[layout.columnOf[task] as number] as number, layout.y[task] as number];
    const isOn = upstream.some((from) => isCritical(picture, from, task));
    return [`<path class="${isOn ? 'critical ' : ''}tip" d="M${at(x)} ${at(y)}l-7 -4v8z"/>`];
  });
}

function drawTasks(
  picture: Picture,
  layout: Layout,
  labels: readonly Label[],
  { boxHeight, heightOf, inner }: Boxes,
): string[] {
  return picture.tasks.map((task, index) => {
    const { text, note } = labels[index] as Label;
    const height = heightOf(index);
    const column = layout.columnOf[index] as number;
    const [x, y] = [layout.left[column] as number, (layout.y[index] as number) - height / 2];
    const classes = [
      'task',
      ...(picture.criticalPath.has(index) ? ['critical'] : []),
      ...(task.isFocus ? ['focus'] : []),
    ];
    if (task.status !== undefined) classes.push(task.status);
    const inset = padding + (task.status === undefined ? 0 : 16);
    const baseline = note === '' ? boxHeight / 2 + 4 : 16;
    const glyph =
      task.status === undefined
        ? ''
        : `<text x="${padding - 2}" y="${at(baseline)}">${statusStyles[task.status].glyph}</text>`;
    const second = note === '' ? '' : `<text class="note" x="${inset}" y="30">${escapeXml(note)}</text>`;
    return (
      `<g class="${classes.join(' ')}" transform="translate(${at(x)} ${at(y)})"><title>${escapeXml(tooltipOf(task))}</title>` +
      `${drawBox(layout.widths[column] as number, height, task.child !== undefined)}${glyph}` +
      `<text x="${inset}" y="${at(baseline)}">${escapeXml(text)}</text>${second}${drawInner(inner[index], boxHeight)}</g>`
    );
  });
}

function drawInner(inner: Drawn | undefined, top: number): string {
  if (inner === undefined) return '';
  return `<g transform="translate(${padding} ${top})">${inner.body.join('')}</g>`;
}

/** A task that is a run has a double border. */
function drawBox(width: number, height: number, isDouble: boolean): string {
  const outer = `<rect width="${at(width)}" height="${height}" rx="6"/>`;
  if (!isDouble) return outer;
  return `${outer}<rect class="inner" style="fill:none" x="2.5" y="2.5" width="${at(width - 5)}" height="${height - 5}" rx="4"/>`;
}

function tooltipOf(task: PictureTask): string {
  const { id, status, durationMs, triggerRule, optional, pool, priority } = task;
  const facts = [
    ...(status === undefined ? [] : [status]),
    ...[noteText(task)].filter((text) => text !== undefined),
    ...(durationMs === undefined ? [] : [`takes ${showDuration(durationMs)}`]),
    ...(triggerRule === 'all_success' ? [] : [triggerRule]),
    ...(optional ? ['optional'] : []),
    ...(priority === 0 ? [] : [`priority ${priority}`]),
    ...(pool === undefined ? [] : [`pool ${pool}`]),
  ];
  return facts.length === 0 ? id : `${id}: ${facts.join(', ')}`;
}

function statusCss({ tasks }: Picture): string {
  const shown = new Set(tasks.flatMap(({ status }) => status ?? []));
  return Array.from(shown, (status) => {
    const { fill, ink } = statusStyles[status];
    return `.topple .task.${status} rect{fill:${fill}}.topple .task.${status} text{fill:${ink}}\n`;
  }).join('');
}

function legendOf({ tasks, criticalPath }: Picture): LegendItem[] {
  const statuses = statusLegend(tasks.flatMap(({ status }) => status ?? []));
  if (criticalPath.size === 0) return statuses;
  return [...statuses, { text: 'critical path', fill: 'var(--accent)', ink: 'var(--paper)', glyph: '→' }];
}
