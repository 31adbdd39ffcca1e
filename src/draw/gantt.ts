import { showCounts } from '../model/child-counts.ts';
import { showCount, showDuration } from '../model/duration.ts';
import { Heap, type HeapItem } from '../model/heap.ts';
import { type AttemptSpan, isAttempt, type Span, type WaitSpan } from '../model/task-times.ts';
import type { RunView } from '../model/view.ts';
import { statusStyles } from './status-style.ts';
import { frame, statusLegend } from './svg-style.ts';
import { at, escapeXml, measure, shorten } from './svg-text.ts';

/** A run to be drawn, and its texts. Instants are in ms, on any scale that begins with the run at 0. */
export interface Chart {
  readonly title: string;
  readonly ids: readonly string[];
  readonly view: RunView;
  /** In the order of their ends. Tasks are numbered as in `ids`. */
  readonly spans: readonly Span[];
  readonly makespanMs: number;
  /** The numbers of the marked tasks: the critical path. */
  readonly marked: ReadonlySet<number>;
}

/** The most tasks that have rows; above, rows are workers. */
const mostTaskRows = 80;
const plotWidth = 960;
const rowHeight = 22;
const barHeight = 16;

const css = `
.topple .grid{stroke:var(--grid)}
.topple .wait{stroke:var(--edge);stroke-width:1.5}
.topple .due{stroke:var(--edge);stroke-width:1.5;stroke-dasharray:2 3}
.topple .rest{stroke:var(--accent);stroke-width:3;stroke-opacity:.45}
.topple .undone{fill:var(--accent);font-size:13px;font-weight:600}
.topple .bar{stroke:var(--paper);stroke-width:.6}
.topple .marked{stroke:var(--accent);stroke-width:2}
.topple .in{font-size:10.5px;pointer-events:none}
`;

/**
 * Draws when each attempt was under way. Few tasks have a row each, with the wait for a slot as a line before the bar,
 * the wait for a retry as a dotted one, and the wait for a value or an instant as a broad one; what was undone has an arrow
 * at the instant of that; with many tasks, each row is a worker.
 */
export function ganttOf(chart: Chart): string {
  const byTask = chart.ids.length <= mostTaskRows;
  const rows = byTask ? taskRows(chart) : workerRows(chart);
  const labelWidth = rows.labels.reduce((most, label) => Math.max(most, measure(label) * 12), 0) + 14;
  const scale = chart.makespanMs > 0 ? plotWidth / chart.makespanMs : 0;
  const x = (ms: number): number => labelWidth + ms * scale;
  const height = Math.max(1, rows.labels.length) * rowHeight;
  const labels = rows.labels.map(
    (label, row) => `<text x="0" y="${row * rowHeight + 15}">${escapeXml(label)}</text>`,
  );
  const statuses = chart.ids.map((id) => chart.view.tasks[id]?.status ?? 'pending');
  return frame({
    title: chart.title,
    subtitle: `${chart.view.status} in ${showDuration(chart.makespanMs)}, ${showCount(chart.ids.length)} tasks; a row is a ${byTask ? 'task' : 'worker'}`,
    width: labelWidth + plotWidth + 8,
    height: height + 24,
    css,
    body: [...drawAxis(chart.makespanMs, x, height), ...labels, ...rows.draw(x)],
    legend: [
      ...statusLegend(statuses),
      ...(chart.marked.size === 0
        ? []
        : [{ text: 'critical path', fill: 'var(--accent)', ink: 'var(--paper)', glyph: '▬' }]),
    ],
  });
}

interface Rows {
  readonly labels: readonly string[];
  draw(x: (ms: number) => number): string[];
}

function taskRows(chart: Chart): Rows {
  const { ids, spans } = chart;
  const spansOf = Map.groupBy(spans, ({ task }) => task);
  const attempts = countAttempts(spans);
  // Tasks stand in the order of their starts; one that never ran stands at its verdict.
  const order = [...ids.keys()].sort((a, b) => whenOf(chart, a) - whenOf(chart, b) || a - b);
  return {
    labels: order.map((task) => labelOf(chart, task)),
    draw: (x) =>
      order.flatMap((task, row) => {
        const own = spansOf.get(task) ?? [];
        const bars = own.filter(isAttempt);
        return [
          ...own.filter((span) => !isAttempt(span)).map((wait) => drawWait(wait, row, x)),
          ...bars.map((bar) => drawBar(chart, bar, attempts(bar), row, x, '')),
          ...(bars.length === 0 ? [drawVerdict(chart, task, row, x)] : []),
          ...drawUndone(chart, task, row, x),
        ];
      }),
  };
}

/** A task's id; of one that is a run, with how many of its tasks have settled. */
function labelOf({ ids, view }: Chart, task: number): string {
  const id = ids[task] as string;
  const counts = view.tasks[id]?.child?.counts;
  return counts === undefined ? shorten(id, 22) : `${shorten(id, 16)} ${showCounts(counts)}`;
}

function workerRows(chart: Chart): Rows {
  const bars = chart.spans.filter(isAttempt);
  const lanes = assignWorkers(bars);
  const workers = lanes.reduce((most, lane) => Math.max(most, lane + 1), 0);
  const attempts = countAttempts(bars);
  return {
    labels: Array.from({ length: workers }, (_, lane) => String(lane + 1)),
    draw: (x) =>
      bars.map((bar, index) =>
        drawBar(chart, bar, attempts(bar), lanes[index] as number, x, chart.ids[bar.task] as string),
      ),
  };
}

/** Returns the number of attempts in the life of its task that a span is of. */
function countAttempts(spans: readonly Span[]): (span: Span) => number {
  const keyOf = ({ task, life }: Span): string => `${task} ${life}`;
  // The last one has the highest number.
  const counts = new Map(spans.filter(isAttempt).map((span) => [keyOf(span), span.attempt]));
  return (span) => counts.get(keyOf(span)) ?? 0;
}

interface Worker extends HeapItem {
  readonly number: number;
  freeAt: number;
}

/** Assigns each attempt the first free worker. It uses as many workers as attempts overlap. */
export function assignWorkers(bars: readonly Pick<Span, 'startedAt' | 'endedAt'>[]): Int32Array {
  const workers = new Int32Array(bars.length);
  const order = [...bars.keys()].sort((a, b) => {
    const [first, second] = [bars[a] as Span, bars[b] as Span];
    return first.startedAt - second.startedAt || first.endedAt - second.endedAt;
  });
  // The busy workers by when they get free, and the free ones by number.
  const busy = new Heap<Worker>((a, b) => a.freeAt < b.freeAt);
  const idle = new Heap<Worker>((a, b) => a.number < b.number);
  for (const index of order) {
    const { startedAt, endedAt } = bars[index] as Span;
    for (let next = busy.first; next !== undefined && next.freeAt <= startedAt; next = busy.first) {
      busy.remove(next);
      idle.push(next);
    }
    const worker = idle.first ?? { number: busy.size, freeAt: 0, place: -1 };
    idle.remove(worker);
    worker.freeAt = endedAt;
    busy.push(worker);
    workers[index] = worker.number;
  }
  return workers;
}

const waitClasses = { slot: 'wait', backoff: 'due', lost: 'due', wait: 'rest' } as const;

/** Draws what a task waits for: for a slot as a line, for a value or an instant as a broad one, else as a dotted one. */
function drawWait({ kind, startedAt, endedAt }: WaitSpan, row: number, x: (ms: number) => number): string {
  const y = row * rowHeight + rowHeight / 2;
  return `<path class="${waitClasses[kind]}" d="M${at(x(startedAt))} ${y}H${at(x(endedAt))}"/>`;
}

function drawBar(
  chart: Chart,
  bar: AttemptSpan,
  attempts: number,
  row: number,
  x: (ms: number) => number,
  label: string,
): string {
  const id = chart.ids[bar.task] as string;
  const { ending: status } = bar;
  const { fill, ink } = statusStyles[status];
  const [left, right] = [x(bar.startedAt), x(bar.endedAt)];
  const width = Math.max(right - left, 1.2);
  const top = row * rowHeight + (rowHeight - barHeight) / 2;
  const took = showDuration(bar.endedAt - bar.startedAt);
  const tries = attempts > 1 ? `, attempt ${bar.attempt} of ${attempts}` : '';
  const room = (width - 8) / 10.5;
  const inside = label !== '' ? (room >= 3 ? shorten(label, room) : '') : room >= measure(took) ? took : '';
  const text =
    inside === ''
      ? ''
      : `<text class="in" x="${at(left + 4)}" y="${top + 12}" style="fill:${ink}">${escapeXml(inside)}</text>`;
  const marked = chart.marked.has(bar.task) ? ' marked' : '';
  return (
    `<g><title>${escapeXml(`${id}: ${status}${tries}, ${took}, from ${showDuration(bar.startedAt)} on`)}</title>` +
    `<rect class="bar${marked}" x="${at(left)}" y="${top}" width="${at(width)}" height="${barHeight}" rx="${width > 6 ? 3 : 0}" fill="${fill}"/>${text}</g>`
  );
}

/** Draws a task that never ran: its glyph at the instant of its verdict. */
function drawVerdict(chart: Chart, task: number, row: number, x: (ms: number) => number): string {
  const id = chart.ids[task] as string;
  const { status = 'pending' } = chart.view.tasks[id] ?? {};
  const instant = whenOf(chart, task);
  // Towards the end of the time there is more room before it.
  const anchor = instant > chart.makespanMs * 0.8 ? ' text-anchor="end"' : '';
  const words = status.replace('_', ' ');
  const label =
    anchor === '' ? `${statusStyles[status].glyph} ${words}` : `${words} ${statusStyles[status].glyph}`;
  return `<text x="${at(x(instant))}" y="${row * rowHeight + 15}"${anchor}><title>${escapeXml(`${id}: ${status}`)}</title>${label}</text>`;
}

/** Draws an arrow back where what a task did was undone. */
function drawUndone(
  { ids, view, makespanMs }: Chart,
  task: number,
  row: number,
  x: (ms: number) => number,
): string[] {
  const id = ids[task] as string;
  const { undoneAt } = view.tasks[id] ?? {};
  if (undoneAt === undefined) return [];
  const title = escapeXml(`${id}: undone after ${showDuration(undoneAt)}`);
  return [
    `<text class="undone" x="${at(x(Math.min(undoneAt, makespanMs)))}" y="${row * rowHeight + 15}" text-anchor="middle"><title>${title}</title>↶</text>`,
  ];
}

function whenOf({ ids, view }: Chart, task: number): number {
  const { startedAt, endedAt } = view.tasks[ids[task] as string] ?? {};
  return startedAt ?? endedAt ?? 0;
}

function drawAxis(makespanMs: number, x: (ms: number) => number, height: number): string[] {
  const stepMs = tickOf(makespanMs);
  const lines: string[] = [];
  for (let ms = 0; ms <= makespanMs; ms += stepMs) {
    lines.push(
      `<path class="grid" d="M${at(x(ms))} 0V${height}"/>`,
      `<text class="soft" x="${at(x(ms))}" y="${height + 16}" text-anchor="middle">${ms === 0 ? '0' : showDuration(ms).replace('.0 ', ' ')}</text>`,
    );
  }
  return lines;
}

/** Finds a round step that gives four to ten ticks: seconds, minutes and hours do not go by tens. */
function tickOf(makespanMs: number): number {
  const most = 8;
  const round = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3,
    1_800e3, 3_600e3, 7_200e3, 10_800e3, 21_600e3, 43_200e3, 86_400e3,
  ];
  const found = round.find((step) => makespanMs / step <= most);
  if (found !== undefined) return makespanMs / found < 1 ? Math.max(makespanMs / 4, Number.MIN_VALUE) : found;
  const days = makespanMs / 86_400e3 / most;
  return 86_400e3 * 10 ** Math.ceil(Math.log10(days));
}
