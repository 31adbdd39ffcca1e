import type { Io } from '../io.ts';
import { drawFrame } from '../show/frame.ts';
import { keptLines, stackOf } from '../show/happening.ts';
import type { RunProgress } from '../show/progress.ts';
import { drawSummary } from '../show/summary.ts';
import { LiveArea } from '../terminal/live-area.ts';
import { paintFor } from '../terminal/paint.ts';
import { loggerTo, type Reporter } from './reporter.ts';
import type { SteadyClock } from './steady-clock.ts';

/** Twelve pictures a second at most. */
export const frameMs = 84;

/** Of a list of the summary: it should still be seen whole. */
const maxLines = 20;

/** A picture that is drawn over and over, with failures, retries and what bodies write kept above it, and the summary. */
export function reportLive(io: Io, progress: RunProgress, clock: SteadyClock, hasStacks: boolean): Reporter {
  const paint = paintFor(io.stderr, io.env);
  const area = new LiveArea(io.stderr);
  /** Lines that wait for the next picture, to go above it. */
  let kept: string[] = [];
  /** What was written of a line that has not ended. */
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

  /** Whoever has the terminal next gets it as it was. */
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
