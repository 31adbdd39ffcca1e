import { isChildId, rootIdOf } from '../../model/child-id.ts';
import type { Connection } from './connection.ts';

/** The last `seq` of the run in the row of a table. */
export function lastSeqOf(table: 'runs' | 'children'): string {
  return `coalesce((SELECT seq FROM journal
    WHERE place BETWEEN ${table}.n << 32 AND (${table}.n << 32) + 4294967295 ORDER BY place DESC LIMIT 1), 0)`;
}

/** A root, or a run below one. */
export interface FoundRun {
  readonly [column: string]: unknown;
  readonly n: number;
  /** `seq` of its last entry. */
  readonly seq: number;
  /** Number of its root: its own, if it is one. */
  readonly root: number;
  /** The root's owner, if it has one. */
  readonly owner: number | null;
  /** When the root settled, if it has. */
  readonly ended_at: number | null;
}

const rootSql = `SELECT n, ${lastSeqOf('runs')} AS seq, n AS root, owner, ended_at FROM runs WHERE id = ?`;
const childSql = `SELECT children.n, ${lastSeqOf('children')} AS seq, children.root, runs.owner, runs.ended_at
  FROM runs JOIN children ON children.root = runs.n AND children.id = ? WHERE runs.id = ?`;

/** The run with an id. A child whose root is gone is unknown, though its row may still be there. */
export function findRun(db: Connection, runId: string): FoundRun | undefined {
  return isChildId(runId)
    ? db.get<FoundRun>(childSql, runId, rootIdOf(runId))
    : db.get<FoundRun>(rootSql, runId);
}

/** The ids below a run are those between these two. */
export function idsBelow(runId: string): readonly [from: string, to: string] {
  // `0` follows `/`.
  return [`${runId}/`, `${runId}0`];
}
