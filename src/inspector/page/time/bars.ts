import type { Span } from '../../../model/task-times.ts';
import type { Recording } from '../run/recording.ts';
import type { Busy } from '../run/time-axis.ts';

/** A piece of a task's time to draw. Instants are epoch milliseconds. */
export interface Bar {
  /** `undo`: an attempt to undo. */
  readonly kind: Span['kind'] | 'undo';
  readonly startedAt: number;
  readonly endedAt: number;
  /** From 1. */
  readonly attempt: number;
  /** How an attempt ended; `running` if it has not. */
  readonly status: string;
  readonly isOpen: boolean;
}

/** The pieces of a task's time, those under way up to now, and those of its undo where that is known. */
export function barsOf(recording: Recording, task: number, now: number, undoRun?: Recording): Bar[] {
  const bars = ownBars(recording, task, now);
  const undo = undoRun?.graph.indexOf(recording.graph.ids[task] as string) ?? -1;
  if (undoRun === undefined || undo < 0) return bars;
  const undoing = ownBars(undoRun, undo, now).map((bar): Bar => {
    return bar.kind === 'attempt' ? { ...bar, kind: 'undo' } : bar;
  });
  return [...bars, ...undoing];
}

function ownBars(recording: Recording, task: number, now: number): Bar[] {
  const bars = recording.spansOf(task).map((span): Bar => {
    const { kind, startedAt, endedAt, attempt } = span;
    return {
      kind,
      startedAt,
      endedAt,
      attempt,
      status: kind === 'attempt' ? span.ending : kind,
      isOpen: false,
    };
  });
  const view = recording.fold.task(task);
  const since = recording.times.since(task);
  if (since === undefined || recording.isSettled) return bars;
  const attempt = view.attempts + (view.status === 'running' ? 0 : 1);
  const open = (kind: Bar['kind'], startedAt: number, endedAt: number): void => {
    if (endedAt > startedAt) bars.push({ kind, startedAt, endedAt, attempt, status: kind, isOpen: true });
  };
  if (view.status === 'running') {
    bars.push({
      kind: 'attempt',
      startedAt: since,
      endedAt: Math.max(now, since),
      attempt,
      status: 'running',
      isOpen: true,
    });
  } else if (view.status === 'retrying') {
    const { retryAt = now } = view;
    open('backoff', since, Math.max(since, retryAt));
    if (retryAt < now) open('slot', retryAt, now);
  } else if (view.status === 'waiting') open('wait', since, now);
  else if (view.status === 'pending' && view.readyAt !== undefined) open('slot', since, now);
  return bars;
}

let kept:
  | {
      readonly recording: Recording;
      readonly undoRun: Recording | undefined;
      readonly length: number;
      readonly at: number;
      readonly busy: readonly Busy[];
    }
  | undefined;

/** The times in which any attempt, to undo too, was under way, joined where they overlap; found again at most once a second. */
export function busyTimes(recording: Recording, now: number, undoRun?: Recording): readonly Busy[] {
  const isKept =
    kept?.recording === recording &&
    kept.undoRun === undoRun &&
    (kept.length === recording.length || Math.abs(now - kept.at) < 1_000);
  if (isKept) return (kept as NonNullable<typeof kept>).busy;
  const all: Busy[] = [];
  for (let task = 0; task < recording.graph.size; task++) {
    for (const { kind, startedAt, endedAt } of barsOf(recording, task, now, undoRun))
      if (kind === 'attempt' || kind === 'undo') all.push({ startedAt, endedAt });
  }
  all.sort((a, b) => a.startedAt - b.startedAt);
  const joined: { startedAt: number; endedAt: number }[] = [];
  for (const { startedAt, endedAt } of all) {
    const last = joined.at(-1);
    if (last !== undefined && startedAt <= last.endedAt) last.endedAt = Math.max(last.endedAt, endedAt);
    else joined.push({ startedAt, endedAt });
  }
  kept = { recording, undoRun, length: recording.length, at: now, busy: joined };
  return joined;
}
