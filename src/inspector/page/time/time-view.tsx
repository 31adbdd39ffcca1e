import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { showDuration } from '../../../model/duration.ts';
import { isSettled } from '../../../model/status.ts';
import { criticalPath } from '../graph/critical.ts';
import { createTimeAxis } from '../run/time-axis.ts';
import { statusWords } from '../run/words.ts';
import { isTyping, useSize, useTheme } from '../view/hooks.ts';
import type { RunState } from '../view/run-state.ts';
import { TaskTable } from '../view/task-table.tsx';
import { rowHeight, type Window } from '../view/virtual.tsx';
import { type Bar, barsOf, busyTimes } from './bars.ts';
import { headHeight, paintTime, sideRoom, type TimePicture, type TimeRow } from './time-painter.ts';

/** The part of the time that is seen: both ends as shares of it; `undefined` for all, which follows the run. */
type Range = readonly [from: number, to: number] | undefined;

/** When each attempt was under way, and what it waited for: the table of tasks, and beside it a canvas. */
export function TimeView({ state }: { readonly state: RunState }) {
  const { recording, moment, now, address, tasks, selected } = state;
  const [box, size] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const [range, setRange] = useState<Range>();
  const [window, setWindow] = useState<Window<HTMLDivElement>>();
  const [pointed, setPointed] = useState<{ readonly text: string; readonly x: number; readonly y: number }>();

  const startedAt = recording.firstAt;
  const endedAt = recording.isSettled ? recording.lastAt : Math.max(recording.lastAt, now);
  const axis = useMemo(() => {
    if (Number.isNaN(startedAt)) return createTimeAxis(0, 1);
    return createTimeAxis(
      startedAt,
      Math.max(endedAt, startedAt + 1),
      address.idle ? busyTimes(recording, now, state.undoRun) : undefined,
    );
  }, [recording, startedAt, endedAt, address.idle, state.undoRun?.length]);
  const [from, to] =
    range === undefined ? [0, axis.length] : [range[0] * axis.length, range[1] * axis.length];
  const critical = address.critical ? new Set(criticalPath(state)) : undefined;
  const first = Math.max(0, Math.floor((window?.scrollTop ?? 0) / rowHeight) - 1);
  const end = Math.min(tasks.length, first + Math.ceil(size.height / rowHeight) + 2);
  const picture: TimePicture = {
    axis,
    from,
    to,
    startedAt,
    instant: moment.isLatest ? undefined : moment.at,
    scrollTop: window?.scrollTop ?? 0,
    selectedRow: selected < 0 ? -1 : tasks.indexOf(selected),
    rows: tasks.slice(first, end).map((task, index) => {
      return { ...rowOf(state, task), row: first + index, isCritical: critical?.has(task) === true };
    }),
  };
  useEffect(() => {
    if (canvas.current !== null && size.width > 0) paintTime(canvas.current, size, picture, theme);
  });

  const zoom = (factor: number, at = 0.5): void => {
    const [start, stop] = range ?? [0, 1];
    const middle = start + (stop - start) * at;
    const length = Math.min(1, Math.max(1e-6, (stop - start) / factor));
    const left = Math.min(1 - length, Math.max(0, middle - length * at));
    setRange(length >= 1 ? undefined : [left, left + length]);
  };
  const shift = (part: number): void => {
    if (range === undefined) return;
    const length = range[1] - range[0];
    const left = Math.min(1 - length, Math.max(0, range[0] + part * length));
    setRange([left, left + length]);
  };
  const act = useRef({ zoom, shift, window, width: size.width });
  act.current = { zoom, shift, window, width: size.width };
  useEffect(() => {
    const element = canvas.current;
    const listen = (event: WheelEvent): void => {
      const { width } = act.current;
      event.preventDefault();
      if (event.ctrlKey || event.metaKey)
        act.current.zoom(
          Math.exp(-event.deltaY * 0.002),
          (event.offsetX - sideRoom) / Math.max(1, width - 2 * sideRoom),
        );
      else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
        act.current.shift((event.deltaX || event.deltaY) / Math.max(1, width));
      else act.current.window?.ref.current?.scrollBy(0, event.deltaY);
    };
    element?.addEventListener('wheel', listen, { passive: false });
    return () => element?.removeEventListener('wheel', listen);
  }, []);

  const at = (event: MouseEvent): { readonly instant: number; readonly row: number } => {
    const x = (event.offsetX - sideRoom) / Math.max(1, size.width - 2 * sideRoom);
    return {
      instant: axis.instantAt(from + x * (to - from)),
      row: Math.floor((event.offsetY - headHeight + picture.scrollTop) / rowHeight),
    };
  };
  const drag = useRef<{ x: number; moved: number } | undefined>(undefined);
  return (
    <div class="time">
      <TaskTable state={state} isWide={false} onWindow={setWindow} />
      <div class="canvas" ref={box}>
        <canvas
          ref={canvas}
          tabIndex={0}
          role="img"
          aria-label="Attempts, waits and undo of each task over time; the table beside it lists the tasks, and each task's details its attempts."
          onPointerDown={(event) => {
            drag.current = { x: event.offsetX, moved: 0 };
            event.currentTarget.setPointerCapture(event.pointerId);
          }}
          onPointerMove={(event) => {
            const { current } = drag;
            if (current !== undefined) {
              current.moved += Math.abs(event.offsetX - current.x);
              shift(-(event.offsetX - current.x) / Math.max(1, size.width - 2 * sideRoom));
              current.x = event.offsetX;
            }
            const { instant, row } = at(event);
            const found = picture.rows.find((each) => each.row === row);
            const text = event.offsetY < headHeight ? undefined : wordsAt(state, found, instant);
            setPointed(text === undefined ? undefined : { text, x: event.offsetX, y: event.offsetY });
          }}
          onPointerUp={(event) => {
            const { current } = drag;
            drag.current = undefined;
            if (current === undefined || current.moved > 4) return;
            const { instant, row } = at(event);
            if (event.offsetY < headHeight) {
              const place = recording.placeAtInstant(instant);
              state.change({ seq: place >= recording.length ? undefined : recording.seqAt(place) });
            } else state.select(tasks[row] ?? -1);
          }}
          onPointerLeave={() => setPointed(undefined)}
          onKeyDown={(event) => {
            if (isTyping(event)) return;
            const { key } = event;
            const row = tasks.indexOf(state.selectedNow());
            if (key === '+' || key === '=') zoom(1.5);
            else if (key === '-') zoom(1 / 1.5);
            else if (key === '0') setRange(undefined);
            else if (key === 'ArrowLeft') shift(-0.2);
            else if (key === 'ArrowRight') shift(0.2);
            else if (key === 'ArrowDown') state.select(tasks[Math.min(tasks.length - 1, row + 1)] ?? -1);
            else if (key === 'ArrowUp') state.select(tasks[Math.max(0, row - 1)] ?? -1);
            else return;
            event.preventDefault();
          }}
        />
        {pointed !== undefined && (
          <p
            class="tip"
            ref={(tip) => {
              tip?.style.setProperty('left', `${Math.min(pointed.x + 12, Math.max(0, size.width - 240))}px`);
              tip?.style.setProperty('top', `${Math.min(pointed.y + 14, size.height - 40)}px`);
            }}
          >
            {pointed.text}
          </p>
        )}
        <div class="tools" role="toolbar" aria-label="Zoom of the time">
          <button type="button" onClick={() => zoom(1.5)} aria-label="Zoom in">
            +
          </button>
          <button type="button" onClick={() => zoom(1 / 1.5)} aria-label="Zoom out">
            −
          </button>
          <button
            type="button"
            onClick={() => setRange(undefined)}
            title="The whole time, and follow the run (0)"
          >
            {recording.isSettled ? 'All' : 'Follow'}
          </button>
        </div>
      </div>
    </div>
  );
}

function rowOf({ recording, now, undoRun }: RunState, task: number): Pick<TimeRow, 'bars' | 'verdict'> {
  const bars = barsOf(recording, task, now, undoRun);
  const { status, endedAt } = recording.fold.task(task);
  const hasRun = bars.some(({ kind }) => kind === 'attempt');
  const verdict = !hasRun && isSettled(status) && endedAt !== undefined ? { status, at: endedAt } : undefined;
  return { bars, verdict };
}

const waitWords: Readonly<Record<string, string>> = {
  slot: 'waits for a slot',
  backoff: 'waits for its next attempt',
  lost: 'lost attempt, until it began again',
};

function wordsAt(
  { recording, tasks }: RunState,
  row: TimeRow | undefined,
  instant: number,
): string | undefined {
  const bar =
    row?.bars.find(({ startedAt, endedAt }) => instant >= startedAt && instant <= endedAt) ??
    nearest(row, instant);
  if (bar === undefined) return undefined;
  const took = showDuration(Math.round(bar.endedAt - bar.startedAt));
  if (bar.kind === 'wait') {
    const { kind } = recording.structure.tasks[tasks[row?.row ?? -1] ?? -1] ?? {};
    return `${kind === 'sleep' ? 'sleeps' : 'waits for a value from outside'}: ${took}`;
  }
  if (bar.kind === 'undo') return `undo, attempt ${bar.attempt}, ${statusWords(bar.status)}: ${took}`;
  if (bar.kind !== 'attempt') return `${waitWords[bar.kind]}: ${took}`;
  return `attempt ${bar.attempt}, ${statusWords(bar.status)}: ${took}`;
}

/** A bar may be too thin to point at. */
function nearest(row: TimeRow | undefined, instant: number): Bar | undefined {
  const total = row?.bars.reduce((sum, { startedAt, endedAt }) => sum + endedAt - startedAt, 0) ?? 0;
  return row?.bars.find(({ startedAt, endedAt }) => {
    return Math.abs(startedAt - instant) < total * 0.05 || Math.abs(endedAt - instant) < total * 0.05;
  });
}
