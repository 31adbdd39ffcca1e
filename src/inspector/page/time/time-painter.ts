import { showDuration } from '../../../model/duration.ts';
import type { TaskStatus } from '../../../model/status.ts';
import type { Size } from '../graph/camera.ts';
import type { Theme } from '../look/theme.ts';
import { type TimeAxis, tickStep } from '../run/time-axis.ts';
import { rowHeight } from '../view/virtual.tsx';
import type { Bar } from './bars.ts';

/** What a picture of the time shows. */
export interface TimePicture {
  readonly axis: TimeAxis;
  /** The part of the axis that is seen. */
  readonly from: number;
  readonly to: number;
  /** When the run started, epoch ms. */
  readonly startedAt: number;
  /** The instant to mark, epoch ms; `undefined` for none. */
  readonly instant: number | undefined;
  readonly scrollTop: number;
  readonly rows: readonly TimeRow[];
  readonly selectedRow: number;
}

export interface TimeRow {
  /** Its place in the list, from 0. */
  readonly row: number;
  readonly bars: readonly Bar[];
  /** Of a task without an attempt that has ended: its status and when. */
  readonly verdict: { readonly status: TaskStatus; readonly at: number } | undefined;
  readonly isCritical: boolean;
}

/** The height of the heading, as tall as the one of the table beside it. */
export const headHeight = rowHeight;
const barHeight = 14;

/** Draws the time of the rows that can be seen. */
export function paintTime(canvas: HTMLCanvasElement, size: Size, picture: TimePicture, theme: Theme): void {
  const ratio = Math.min(2, devicePixelRatio || 1);
  const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = theme.paper;
  context.fillRect(0, 0, size.width, size.height);
  context.font = '11px system-ui, sans-serif';
  context.textBaseline = 'middle';
  const x = xOf(picture, size.width);
  paintGrid(context, size, picture, theme, x);
  context.save();
  context.beginPath();
  context.rect(0, headHeight, size.width, size.height - headHeight);
  context.clip();
  for (const row of picture.rows) paintRow(context, size, picture, row, theme, x);
  context.restore();
  paintInstant(context, size, picture, theme, x);
}

/** Maps instants to pixels. */
export function xOf({ axis, from, to }: TimePicture, width: number): (at: number) => number {
  const scale = (width - 2 * sideRoom) / Math.max(1e-6, to - from);
  return (at) => sideRoom + (axis.placeOf(at) - from) * scale;
}

export const sideRoom = 10;

function paintGrid(
  context: CanvasRenderingContext2D,
  size: Size,
  picture: TimePicture,
  theme: Theme,
  x: (at: number) => number,
): void {
  const { axis, from, to, startedAt } = picture;
  const step = tickStep(to - from, Math.max(2, size.width / 90));
  context.fillStyle = theme.isDark ? '#161b22' : '#f6f8fa';
  context.fillRect(0, 0, size.width, headHeight);
  context.strokeStyle = theme.grid;
  context.lineWidth = 1;
  context.textAlign = 'center';
  const first = Math.ceil((axis.instantAt(from) - startedAt) / step) * step;
  let lastX = Number.NEGATIVE_INFINITY;
  for (let ms = first, count = 0; count < 400; ms += step, count++) {
    const at = startedAt + ms;
    const place = axis.placeOf(at);
    if (place > to) break;
    // Within a time made short, ticks would lie on one another.
    const pause = axis.breaks.find((each) => at > each.from && at < each.to);
    if (pause !== undefined) {
      ms = Math.ceil((pause.to - startedAt) / step) * step - step;
      continue;
    }
    const px = Math.round(x(at)) + 0.5;
    context.beginPath();
    context.moveTo(px, headHeight);
    context.lineTo(px, size.height);
    context.stroke();
    if (px - lastX < 56) continue;
    lastX = px;
    context.fillStyle = theme.soft;
    if (px > 8 && px < size.width - 24)
      context.fillText(ms === 0 ? '0' : showDuration(ms).replace('.0 ', ' '), px, headHeight / 2 + 1);
  }
  for (const pause of axis.breaks)
    paintBreak(context, size, theme, x(pause.from), x(pause.to), pause.to - pause.from);
}

function paintBreak(
  context: CanvasRenderingContext2D,
  size: Size,
  theme: Theme,
  left: number,
  right: number,
  ms: number,
): void {
  if (right < 0 || left > size.width) return;
  context.fillStyle = theme.grid;
  context.globalAlpha = 0.6;
  context.fillRect(left, headHeight, Math.max(2, right - left), size.height - headHeight);
  context.globalAlpha = 1;
  context.save();
  context.translate((left + right) / 2, Math.min(size.height - 10, headHeight + 90));
  context.rotate(-Math.PI / 2);
  context.fillStyle = theme.soft;
  context.textAlign = 'center';
  context.fillText(`idle ${showDuration(ms)}`, 0, 0);
  context.restore();
}

function paintRow(
  context: CanvasRenderingContext2D,
  size: Size,
  picture: TimePicture,
  { row, bars, verdict, isCritical }: TimeRow,
  theme: Theme,
  x: (at: number) => number,
): void {
  const top = headHeight + row * rowHeight - picture.scrollTop;
  const middle = top + rowHeight / 2;
  if (row === picture.selectedRow) {
    context.fillStyle = theme.accent;
    context.globalAlpha = 0.13;
    context.fillRect(0, top, size.width, rowHeight);
    context.globalAlpha = 1;
  }
  for (const bar of bars) {
    const [left, right] = [x(bar.startedAt), x(bar.endedAt)];
    if (right < 0 || left > size.width) continue;
    if (bar.kind === 'attempt') paintAttempt(context, theme, bar, left, right, middle, isCritical);
    else if (bar.kind === 'wait' || bar.kind === 'undo')
      paintHollow(context, theme, bar, left, right, middle);
    else paintWait(context, theme, bar, left, right, middle);
  }
  if (verdict === undefined) return;
  const { glyph } = theme.status[verdict.status];
  context.fillStyle = theme.soft;
  const px = x(verdict.at);
  const isLate = px > size.width * 0.8;
  context.textAlign = isLate ? 'right' : 'left';
  const words = verdict.status.replace('_', ' ');
  context.fillText(isLate ? `${words} ${glyph}` : `${glyph} ${words}`, px + (isLate ? -3 : 3), middle);
}

function paintAttempt(
  context: CanvasRenderingContext2D,
  theme: Theme,
  bar: Bar,
  left: number,
  right: number,
  middle: number,
  isCritical: boolean,
): void {
  const { fill, ink, glyph, rim } = theme.status[bar.status as TaskStatus];
  const width = Math.max(1.5, right - left);
  context.fillStyle = fill;
  context.beginPath();
  context.roundRect(left, middle - barHeight / 2, width, barHeight, width > 6 ? 3 : 0);
  context.fill();
  context.strokeStyle = isCritical ? theme.ink : rim;
  context.lineWidth = isCritical ? 2 : 1;
  if (width > 3) context.stroke();
  if (width < 18) return;
  context.fillStyle = ink;
  context.textAlign = 'left';
  const took = showDuration(Math.round(bar.endedAt - bar.startedAt));
  const text = bar.attempt > 1 ? `${glyph} ${bar.attempt}: ${took}` : `${glyph} ${took}`;
  const start = Math.max(left, 0) + 4;
  const words = width > 12 + context.measureText(text).width ? text : glyph;
  context.fillText(words, start, middle + 0.5);
}

/** A sleep, a wait for a value and an attempt to undo are bars with a rim alone: nothing of the task itself runs in them. */
function paintHollow(
  context: CanvasRenderingContext2D,
  theme: Theme,
  bar: Bar,
  left: number,
  right: number,
  middle: number,
): void {
  const isWait = bar.kind === 'wait';
  const { fill, glyph } = theme.status[isWait ? 'waiting' : (bar.status as TaskStatus)];
  const width = Math.max(2, right - left);
  const height = isWait ? barHeight - 4 : barHeight;
  context.beginPath();
  context.roundRect(left, middle - height / 2, width, height, width > 6 ? 3 : 0);
  context.fillStyle = theme.paper;
  context.fill();
  if (isWait) {
    context.globalAlpha = 0.3;
    context.fillStyle = fill;
    context.fill();
    context.globalAlpha = 1;
  }
  context.strokeStyle = fill;
  context.lineWidth = 2;
  context.stroke();
  if (width < 18) return;
  const sign = isWait ? glyph : `↶${bar.status === 'failed' ? ` ${glyph}` : ''}`;
  const text = `${sign} ${showDuration(Math.round(bar.endedAt - bar.startedAt))}`;
  context.fillStyle = theme.ink;
  context.textAlign = 'left';
  const words = width > 12 + context.measureText(text).width ? text : sign;
  context.fillText(words, Math.max(left, 0) + 5, middle + 0.5);
}

/** A wait for a slot is a line, one for a retry dotted, one after a lost attempt dashed. */
function paintWait(
  context: CanvasRenderingContext2D,
  theme: Theme,
  bar: Bar,
  left: number,
  right: number,
  middle: number,
): void {
  context.strokeStyle = theme.rim;
  context.lineWidth = bar.kind === 'slot' ? 3 : 1.5;
  context.setLineDash(bar.kind === 'slot' ? [] : bar.kind === 'backoff' ? [2, 3] : [6, 4]);
  context.globalAlpha = bar.kind === 'slot' ? 0.55 : 1;
  context.beginPath();
  context.moveTo(left, middle);
  context.lineTo(Math.max(left + 1, right), middle);
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
  if (bar.kind !== 'backoff' || right - left < 46) return;
  context.fillStyle = theme.soft;
  context.textAlign = 'center';
  const text = `↻ ${showDuration(Math.round(bar.endedAt - bar.startedAt))}`;
  const { width } = context.measureText(text);
  if (width + 10 > right - left) return;
  context.fillStyle = theme.paper;
  context.fillRect((left + right) / 2 - width / 2 - 3, middle - 6, width + 6, 12);
  context.fillStyle = theme.soft;
  context.fillText(text, (left + right) / 2, middle);
}

function paintInstant(
  context: CanvasRenderingContext2D,
  size: Size,
  { instant }: TimePicture,
  theme: Theme,
  x: (at: number) => number,
): void {
  if (instant === undefined || Number.isNaN(instant)) return;
  const px = Math.round(x(instant)) + 0.5;
  context.fillStyle = theme.paper;
  context.globalAlpha = 0.5;
  context.fillRect(px, headHeight, Math.max(0, size.width - px), size.height - headHeight);
  context.globalAlpha = 1;
  context.strokeStyle = theme.accent;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(px, 0);
  context.lineTo(px, size.height);
  context.stroke();
}
