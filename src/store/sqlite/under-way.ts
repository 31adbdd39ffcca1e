import { childIdOf, undoIdOf } from '../../model/child-id.ts';
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

/** A run whose journal is looked at. */
interface Run {
  readonly n: number;
  readonly id: string;
}

/**
 * Whether a body of a tree may have been under way: the last entry of a task tells. The body of a task that has had child
 * runs is such a run, so the tasks of that tell; so do those of the run that undoes one.
 *
 * @param areStartsKept whether its engine kept the start of an attempt before it called the body
 */
export function isUnderWay(db: Connection, root: Run, areStartsKept: boolean): boolean {
  const left: Run[] = [root];
  for (let run = left.pop(); run !== undefined; run = left.pop()) {
    for (const taskId of tasksUnderWay(db, run.n, areStartsKept)) {
      const children = childrenOf(db, root.n, childIdOf(run.id, taskId, 0));
      if (children.length === 0) return true;
      for (const child of children) if (child.ended_at === null) left.push(child);
    }
    for (const undo of childrenOf(db, root.n, undoIdOf(run.id, 0)))
      if (undo.ended_at === null) left.push(undo);
  }
  return false;
}

/** Ids of tasks whose last entry says that they may be under way. */
function* tasksUnderWay(db: Connection, run: number, areStartsKept: boolean): Generator<string> {
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
      known.add(taskId);
      if (underWay.has(kind)) yield taskId;
    }
  }
}

interface Child extends Run {
  readonly [column: string]: unknown;
  readonly ended_at: number | null;
}

/**
 * The child runs of a task, one for each of its lives, or those that undo a run: what is below them is skipped, not read.
 *
 * @param zeroth the id of the one before the first
 */
function childrenOf(db: Connection, root: number, zeroth: string): Child[] {
  const children: Child[] = [];
  const start = zeroth.slice(0, -1);
  // `$` follows `#`, and `0` follows `/`.
  const end = `${start.slice(0, -1)}$`;
  for (let from = start; ; ) {
    const row = db.get<Child>(
      `SELECT n, id, ended_at FROM children INDEXED BY children_by_id
       WHERE id >= ? AND id < ? AND root = ? ORDER BY id LIMIT 1`,
      ...[from, end, root],
    );
    if (row === undefined) return children;
    const [id] = row.id.slice(start.length).split('/', 1);
    if (row.id === start + id) children.push(row);
    from = `${start}${id}0`;
  }
}
