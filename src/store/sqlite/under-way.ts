import type { Connection } from './connection.ts';

type StoredEntry =
  | readonly [kind: string, taskId: string]
  | { readonly type: string; readonly taskId?: string };

const underWay: ReadonlySet<string> = new Set(['ready', 'started', 'progress']);

/** Whether a task of a run is ready or running: the last entry of a task tells. */
export function isUnderWay(db: Connection, run: number): boolean {
  const known = new Set<string>();
  const rows = db.iterate<{ text: string }>(
    `SELECT text FROM journal WHERE place BETWEEN ? << 32 AND (? << 32) + 4294967295 ORDER BY place DESC`,
    ...[run, run],
  );
  for (const { text } of rows) {
    for (const entry of (JSON.parse(text) as StoredEntry[]).reverse()) {
      const [kind, taskId] = 'type' in entry ? [entry.type.replace('task.', ''), entry.taskId] : entry;
      if (taskId === undefined || known.has(taskId)) continue;
      if (underWay.has(kind)) return true;
      known.add(taskId);
    }
  }
  return false;
}
