import type { DeepEntry, Entry, Logger, RunView } from '../../index.ts';
import { toJson } from '../../model/json.ts';
import { nameTask } from '../show/body-log.ts';
import type { RunProgress } from '../show/progress.ts';
import { escapeLines } from '../terminal/text.ts';

/** Shows a run to the user. */
export interface Reporter {
  /** Takes the log output of bodies. */
  readonly logger: Logger;
  /** Shows the next event of the run; progress has already taken it. */
  event(entry: Entry): void;
  /** Shows the next event of a run below. @param line says what happened, if that is worth a line */
  below(event: DeepEntry, line: string | undefined): void;
  /** Shows a message that is not an event. */
  note(text: string): void;
  /** Shows that the run has settled. */
  end(view: RunView): void;
  /** Stops showing, and restores the terminal. May be called again. */
  close(): void;
}

/**
 * Makes a logger of one function, which gets each log message of a body with its task. Messages keep their lines;
 * control characters are escaped.
 */
export function loggerTo(progress: RunProgress, write: (text: string) => void): Logger {
  const log = (logged: string, data?: unknown): void => {
    const message = nameTask(progress, logged);
    const text = data === undefined ? message : `${message} ${show(data)}`;
    write(escapeLines(text));
  };
  return { info: log, warn: log, error: log };
}

function show(data: unknown): string {
  return data instanceof Error ? data.message : toJson(data);
}
