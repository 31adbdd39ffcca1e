import type { Io } from '../io.ts';
import { drawFrame } from '../show/frame.ts';
import { keptLines, stackOf } from '../show/happening.ts';
import type { RunProgress } from '../show/progress.ts';
import { drawSummary } from '../show/summary.ts';
import { LiveArea } from '../terminal/live-area.ts';
import { paintFor } from '../terminal/paint.ts';
import { loggerTo, type Reporter } from './reporter.ts';
import type { SteadyClock } from './steady-clock.ts';

/** At most twelve pictures a second. */
export const frameMs = 84;

/** Maximum length of a list in the summary, which should fit on the screen. */
const maxLines = 20;

/** Redraws a live picture, keeps failures, retries and the output of bodies above it, and ends with the summary. */
export function reportLive(io: Io, progress: RunProgress, clock: SteadyClock, hasStacks: boolean): Reporter {
  const paint = paintFor(io.stderr, io.env);
  const area = new LiveArea(io.stderr);
  /** Lines that will be put above the next picture. */
  let kept: string[] = [];
  /** The beginning of a line that has not ended. */
  let unended = '';
  let timer: unknown;
  const cleanUps = [
    io.onExit(close),
    io.onForeignOutput(keepForeign),
    io.onSignal('SIGTSTP', suspend),
    io.onSignal('SIGCONT', resume),
  ];
  let isSuspended = false;
  draw();

  return {
    logger: loggerTo(progress, (line) => kept.push(...line.split('\n'))),
    event: (entry) => {
      kept.push(...keptLines(progress, entry, paint, area.columns));
      if (hasStacks) kept.push(...stackOf(entry).map((line) => paint('dim', `            ${line}`)));
    },
    below: (_, line) => line !== undefined && kept.push(paint('dim', `            ${line}`)),
    note: () => {},
    end: () => {
      close();
      const summary = drawSummary(progress, { columns: area.columns, paint, maxLines });
      io.stderr.write(`${summary.join('\n')}\n`);
    },
    close,
  };

  function draw(): void {
    area.draw(
      takeKept(),
      drawFrame(progress, { now: clock.now(), columns: area.columns, rows: area.rows, paint }),
    );
    timer = clock.setTimeout(draw, frameMs);
  }

  /** Restores the terminal for its next user. */
  function suspend(): void {
    clock.clearTimeout(timer);
    area.close(takeKept());
    isSuspended = true;
  }

  function resume(): void {
    if (isSuspended) draw();
    isSuspended = false;
  }

  function takeKept(): string[] {
    const taken = kept;
    kept = [];
    return taken;
  }

  function keepForeign(text: string): void {
    const lines = (unended + text).split('\n');
    unended = lines.pop() ?? '';
    kept.push(...lines);
  }

  function close(): undefined {
    clock.clearTimeout(timer);
    if (unended !== '') kept.push(unended);
    unended = '';
    area.close(takeKept());
    for (const cleanUp of cleanUps.splice(0)) cleanUp();
  }
}
