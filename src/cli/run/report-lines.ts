import type { Io } from '../io.ts';
import { logLine, stackOf } from '../show/happening.ts';
import type { RunProgress } from '../show/progress.ts';
import { drawSummary } from '../show/summary.ts';
import { tell } from '../tell.ts';
import { paintFor } from '../terminal/paint.ts';
import { escapeControls } from '../terminal/text.ts';
import { loggerTo, type Reporter } from './reporter.ts';

/** A log is searched, so its lists are longer than a person reads. */
const maxLines = 200;

/** One line for each event, with its instant, and the summary. */
export function reportLines(io: Io, progress: RunProgress, hasStacks: boolean): Reporter {
  const write = (line: string): unknown => io.stdout.write(`${line}\n`);
  return {
    logger: loggerTo((line) => write(`${new Date().toISOString()} log ${escapeControls(line)}`)),
    event: (entry) => {
      write(logLine(progress, entry));
      if (hasStacks) for (const line of stackOf(entry)) io.stderr.write(`${line}\n`);
    },
    note: (text) => tell(io, text),
    end: () => write(drawSummary(progress, { paint: paintFor(io.stdout, io.env), maxLines }).join('\n')),
    close: () => {},
  };
}
