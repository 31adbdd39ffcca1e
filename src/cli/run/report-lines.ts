import type { Io } from '../io.ts';
import { logLine, stackOf } from '../show/happening.ts';
import type { RunProgress } from '../show/progress.ts';
import { drawSummary } from '../show/summary.ts';
import { tell } from '../tell.ts';
import { paintFor } from '../terminal/paint.ts';
import { escapeControls } from '../terminal/text.ts';
import { loggerTo, type Reporter } from './reporter.ts';

/** Logs are searched rather than read, so lists may be long. */
const maxLines = 200;

/**
 * Writes a line for each event, with its instant, and the summary. Reports that a task is ready only with `isVerbose`.
 */
export function reportLines(io: Io, progress: RunProgress, isVerbose: boolean): Reporter {
  const write = (line: string): unknown => io.stderr.write(`${line}\n`);
  // Standard output is for the run's output.
  const stop = io.onForeignOutput((text) => io.stderr.write(text));
  return {
    logger: loggerTo(progress, (line) => write(`${new Date().toISOString()} log ${escapeControls(line)}`)),
    event: (entry) => {
      // Each task has one, nearly always followed at once by its start.
      if (entry.type === 'task.ready' && !isVerbose) return;
      write(logLine(progress, entry));
      if (isVerbose) for (const line of stackOf(entry)) write(line);
    },
    below: (_, line) => line !== undefined && write(`${new Date().toISOString()} ${line}`),
    note: (text) => tell(io, text),
    end: () => write(drawSummary(progress, { paint: paintFor(io.stderr, io.env), maxLines }).join('\n')),
    close: stop,
  };
}
