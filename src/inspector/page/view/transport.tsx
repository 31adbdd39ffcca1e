import { useEffect, useRef, useState } from 'preact/hooks';
import { showDuration } from '../../../model/duration.ts';
import { showCount } from '../run/words.ts';
import { isTyping, useKeys } from './hooks.ts';
import { Instant } from './marks.tsx';
import type { RunState } from './run-state.ts';

/** How long it takes to play a whole run, in ms. */
const playMs = 20_000;

/** The slider over the run's events, with steps and play. */
export function Transport({ state }: { readonly state: RunState }) {
  const { recording, moment, change } = state;
  const [isPlaying, setPlaying] = useState(false);
  const current = useRef(state);
  current.current = state;
  const go = (place: number): void => {
    const { recording: latest } = current.current;
    const to = Math.min(latest.length, Math.max(0, place));
    change({ seq: to >= latest.length ? undefined : latest.seqAt(to) });
  };
  const toggle = (): void => {
    if (!isPlaying && current.current.moment.isLatest) go(0);
    setPlaying(!isPlaying);
  };
  usePlay(isPlaying, current, () => setPlaying(false));
  useKeys((event) => {
    const isOnControl =
      event.target instanceof Element && event.target.closest('button, a, summary, [role=slider]');
    if (event.key !== ' ' || isTyping(event) || isOnControl) return;
    event.preventDefault();
    toggle();
  });
  const entry = moment.place > 0 ? recording.entry(moment.place) : undefined;
  const label = entry === undefined ? 'before the first event' : entry.type;
  const task = entry !== undefined && 'taskId' in entry ? entry.taskId : undefined;
  const since = Number.isNaN(moment.at) ? undefined : moment.at - recording.firstAt;
  return (
    <section class="transport" aria-label="Time travel">
      <button
        type="button"
        onClick={() => go(moment.place - 1)}
        disabled={moment.place === 0}
        aria-label="One event back"
      >
        ◂
      </button>
      <button type="button" class="play" onClick={toggle} aria-label={isPlaying ? 'Stop' : 'Play'}>
        {isPlaying ? '‖' : '▶'}
      </button>
      <button
        type="button"
        onClick={() => go(moment.place + 1)}
        disabled={moment.isLatest}
        aria-label="One event on"
      >
        ▸
      </button>
      <input
        type="range"
        min={0}
        max={recording.length}
        value={moment.place}
        aria-label="Event"
        aria-valuetext={`${moment.place} of ${recording.length}: ${label} ${task ?? ''}`}
        onInput={(event) => go(Number(event.currentTarget.value))}
      />
      <p class="where">
        <span class="figure">
          {showCount(moment.place)} / {showCount(recording.length)}
        </span>
        <span class="figure">{since === undefined ? '' : `+${showDuration(Math.round(since))}`}</span>
        <Instant at={moment.at} />
        <span class="what">
          {label} {task !== undefined && <span class="mono">{task}</span>}
        </span>
      </p>
      <button
        type="button"
        class="latest"
        aria-pressed={moment.isLatest}
        onClick={() => {
          setPlaying(false);
          change({ seq: undefined });
        }}
      >
        {recording.isSettled ? 'End' : 'Live'}
      </button>
    </section>
  );
}

/** Goes on from event to event while it plays: as they came in time, a whole run in 20 s. */
function usePlay(isPlaying: boolean, current: { current: RunState }, end: () => void): void {
  useEffect(() => {
    if (!isPlaying) return;
    const { recording } = current.current;
    const start = current.current.moment;
    const from = Number.isNaN(start.at) ? recording.firstAt : start.at;
    const speed = Math.max(1, recording.lastAt - recording.firstAt) / playMs;
    const startedAt = performance.now();
    // A picture that jumps is no animation: those who asked for less motion get a step twice a second.
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const timer = setInterval(
      () => {
        const { recording: latest, change } = current.current;
        const place = latest.placeAtInstant(from + (performance.now() - startedAt) * speed);
        if (place >= latest.length) {
          change({ seq: undefined });
          return end();
        }
        change({ seq: latest.seqAt(Math.max(place, 0)) });
      },
      isStill ? 500 : 50,
    );
    return () => clearInterval(timer);
  }, [isPlaying]);
}
