import type { Connection } from './connection.ts';

type StoredEntry =
  | readonly [kind: string, taskId: string]
  | {
      readonly type: string;
      readonly taskId?: string;
      readonly dropped?: readonly string[];
      readonly waiting?: readonly string[];
    };

/** The last entries of tasks that may be under way. A start may be kept after its body was called. */
const perhaps: ReadonlySet<string> = new Set(['ready', 'started', 'progress']);
/** Those of tasks that are, where starts are kept before bodies are called. */
const certainly: ReadonlySet<string> = new Set(['started', 'progress']);

/**
 * Whether a body of a run may have been under way: the last entry of a task tells.
 *
 * @param areStartsKept whether its engine kept the start of an attempt before it called the body
 */
export function isUnderWay(db: Connection, run: number, areStartsKept: boolean): boolean {
  const underWay = areStartsKept ? certainly : perhaps;
  const known = new Set<string>();
  const rows = db.iterate<{ text: string }>(
    `SELECT text FROM journal WHERE place BETWEEN ? << 32 AND (? << 32) + 4294967295 ORDER BY place DESC`,
    ...[run, run],
  );
  for (const { text } of rows) {
    for (const entry of (JSON.parse(text) as StoredEntry[]).reverse()) {
      // By a change of the flow these have begun anew.
      if ('type' in entry)
        for (const taskId of [...(entry.dropped ?? []), ...(entry.waiting ?? [])]) known.add(taskId);
      const [kind, taskId] = 'type' in entry ? [entry.type.replace('task.', ''), entry.taskId] : entry;
      if (taskId === undefined || known.has(taskId)) continue;
      if (underWay.has(kind)) return true;
      known.add(taskId);
    }
  }
  return false;
}
