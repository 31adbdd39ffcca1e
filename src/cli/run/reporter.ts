import type { Entry, Logger, RunView } from '../../index.ts';
import { toJson } from '../../model/json.ts';
import { nameTask } from '../show/body-log.ts';
import type { RunProgress } from '../show/progress.ts';
import { escapeLines } from '../terminal/text.ts';

/** Shows a run to whoever started it. */
export interface Reporter {
  /** Takes what bodies log. */
  readonly logger: Logger;
  /** The next event of the run; its progress has taken it already. */
  event(entry: Entry): void;
  /** Something that the person should know and that is no event. */
  note(text: string): void;
  /** The run has settled. */
  end(view: RunView): void;
  /** Nothing more is shown; what was changed of the terminal is as it was. May be called again. */
  close(): void;
}

/**
 * Makes a logger of one function, which is given the task with what its body logs. That comes from anywhere: it keeps
 * its lines, and nothing that a terminal would obey.
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
