import type { RunView } from '../../index.ts';
import { escapeJson } from '../../model/escape.ts';
import { toJson } from '../../model/json.ts';
import type { Io } from '../io.ts';
import type { RunProgress } from '../show/progress.ts';
import { tell } from '../tell.ts';
import { loggerTo, type Reporter } from './reporter.ts';

/** Maximum number of characters held back. */
const maxHeld = 64 * 1_024;

/** Writes the raw events of the run and all below it, a line each, and the view as the last line. Output of others goes to standard error. */
export function reportJson(io: Io, progress: RunProgress): Reporter {
  let held = '';
  let isScheduled = false;
  const cleanUps = [io.onForeignOutput((text) => io.stderr.write(text)), io.onExit(flush)];

  return {
    logger: loggerTo(progress, (line) => io.stderr.write(`${line}\n`)),
    event: (entry) => write(entry),
    below: (event) => write(event),
    note: (text) => tell(io, text),
    end: (view: RunView) => write({ type: 'view', view }),
    close: () => {
      flush();
      for (const cleanUp of cleanUps.splice(0)) cleanUp();
    },
  };

  /** Collects the lines of one turn into one write. */
  function write(value: object): void {
    held += `${escapeJson(toJson(value))}
`;
    if (held.length > maxHeld) flush();
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(flush);
  }

  function flush(): undefined {
    isScheduled = false;
    if (held !== '') io.stdout.write(held);
    held = '';
  }
}
