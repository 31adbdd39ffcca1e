import { Connection } from './connection.ts';
import { findRun } from './find-run.ts';

/** How long a call waits for another process's lock, in milliseconds. */
const busyTimeoutMs = 20_000;

/**
 * The type of the last entry of each of these runs that changed the run's status, such as `run.paused`; none for a run
 * that has none. Only rows with such an entry are parsed, from the end on. Changes nothing, and throws the errors of
 * SQLite.
 */
export function lastOfRuns(file: string | URL, runIds: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (runIds.length === 0) return found;
  const db = new Connection(file, busyTimeoutMs);
  try {
    for (const runId of runIds) {
      const type = lastOfRun(db, runId);
      if (type !== undefined) found.set(runId, type);
    }
  } finally {
    db.close();
  }
  return found;
}

function lastOfRun(db: Connection, runId: string): string | undefined {
  const run = findRun(db, runId);
  if (run === undefined) return undefined;
  // Values may have such a text too: a row that has it is only perhaps one with such an entry.
  const rows = db.iterate<{ text: string }>(
    `SELECT text FROM journal WHERE place BETWEEN ? << 32 AND (? << 32) + 4294967295
     AND instr(text, '"type":"run.') > 0 ORDER BY place DESC`,
    ...[run.n, run.n],
  );
  for (const { text } of rows) {
    const type = typesOf(text).findLast((type) => type.startsWith('run.') && type !== 'run.flow_changed');
    if (type !== undefined) return type;
  }
  return undefined;
}

/** The types of the entries of a row that are objects; none of a row that is damaged. */
function typesOf(text: string): string[] {
  try {
    const entries = JSON.parse(text) as readonly ({ readonly type?: unknown } | null)[];
    return entries.map((entry) => entry?.type).filter((type) => typeof type === 'string');
  } catch {
    return [];
  }
}
