/** Maps instants to places on an axis on which long idle times are short. */
export interface TimeAxis {
  /** The length of the axis, in ms of what is drawn to scale. */
  readonly length: number;
  /** The place of an instant, from 0 to `length`. */
  placeOf(at: number): number;
  /** The instant at a place. */
  instantAt(place: number): number;
  /** The times that were made short. */
  readonly breaks: readonly Break[];
}

export interface Break {
  readonly from: number;
  readonly to: number;
  /** Where it begins and ends on the axis. */
  readonly places: readonly [number, number];
}

/** A time in which something was under way. */
export interface Busy {
  readonly startedAt: number;
  readonly endedAt: number;
}

/** Makes an axis from one instant to another, epoch ms. Without `busy` it is all to scale. */
export function createTimeAxis(from: number, to: number, busy?: readonly Busy[]): TimeAxis {
  const breaks = busy === undefined ? [] : findBreaks(from, to, busy);
  const length = Math.max(1, placeOf(to));
  return { length, placeOf, instantAt, breaks };

  function placeOf(at: number): number {
    let saved = 0;
    for (const pause of breaks) {
      if (at <= pause.from) break;
      const [start, end] = pause.places;
      if (at < pause.to) return start + ((at - pause.from) / (pause.to - pause.from)) * (end - start);
      saved = pause.to - from - end;
    }
    return at - from - saved;
  }

  function instantAt(place: number): number {
    let saved = 0;
    for (const pause of breaks) {
      const [start, end] = pause.places;
      if (place <= start) break;
      if (place < end) return pause.from + ((place - start) / (end - start)) * (pause.to - pause.from);
      saved = pause.to - from - end;
    }
    return from + place + saved;
  }
}

/** The times in which nothing was under way and that take more than a fifth of the busy time. */
function findBreaks(from: number, to: number, busy: readonly Busy[]): Break[] {
  const sorted = busy.toSorted((a, b) => a.startedAt - b.startedAt);
  const idle: [number, number][] = [];
  let end = from;
  for (const { startedAt, endedAt } of sorted) {
    if (startedAt > end) idle.push([end, startedAt]);
    end = Math.max(end, endedAt);
  }
  if (to > end) idle.push([end, to]);
  const idleMs = idle.reduce((sum, [start, stop]) => sum + stop - start, 0);
  const short = Math.max(1, (to - from - idleMs) * 0.04);
  const breaks: Break[] = [];
  let saved = 0;
  for (const [start, stop] of idle) {
    if (stop - start <= 5 * short) continue;
    const place = start - from - saved;
    breaks.push({ from: start, to: stop, places: [place, place + short] });
    saved += stop - start - short;
  }
  return breaks;
}

/** The round step, in ms, that gives at most so many ticks. */
export function tickStep(lengthMs: number, most: number): number {
  const round = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3,
    1_800e3, 3_600e3, 7_200e3, 10_800e3, 21_600e3, 43_200e3, 86_400e3,
  ];
  const found = round.find((step) => lengthMs / step <= most);
  if (found !== undefined) return found;
  return 86_400e3 * 10 ** Math.ceil(Math.log10(lengthMs / 86_400e3 / most));
}
