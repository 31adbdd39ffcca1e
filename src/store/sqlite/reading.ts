import { isChildId, rootIdOf } from '../../model/child-id.ts';
import type { SettledRunStatus } from '../../model/status.ts';
import type { RunFilter, RunSummary } from '../../model/summary.ts';
import type { Connection } from './connection.ts';
import { findRun, idsBelow, lastSeqOf } from './find-run.ts';
import type { JournalPart } from './protocol.ts';
import type { Row } from './row.ts';

/** A part of a journal ends behind the row that reaches this length: it is parsed in one go. */
const partLength = 2 ** 15;
/** The most runs in one answer. */
export const pageSize = 1_000;

/** Rows of a run's journal after a `seq`. */
export function readPart(db: Connection, runId: string, afterSeq: number): JournalPart {
  const run = findRun(db, runId);
  if (run === undefined) return { run: 0, seq: 0, rows: [] };
  const rows: Row[] = [];
  let length = 0;
  for (const { seq, at, text } of db.iterate<Row & { readonly [column: string]: unknown }>(
    `SELECT seq, at, text FROM journal WHERE place > (? << 32 | ?) AND place <= (? << 32) + 4294967295
     ORDER BY place`,
    ...[run.n, afterSeq, run.n],
  )) {
    rows.push({ seq, at, text });
    length += text.length;
    if (length >= partLength) break;
  }
  return { run: run.n, seq: run.seq, rows };
}

interface ListedRow {
  readonly [column: string]: unknown;
  readonly n: number;
  readonly id: string;
  readonly flow: string;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly ending: SettledRunStatus | null;
  readonly set_aside: number;
  readonly seq: number;
}

/** A page of runs, which ends sooner than the filter says if that would be very long. */
export function listPage(db: Connection, filter: RunFilter, after: number): RunSummary[] {
  const { under, newestFirst = false, before, limit = pageSize } = filter;
  const query = under === undefined ? rootsOf(filter) : childrenOf(db, under, filter);
  if (query === undefined) return [];
  const rows = db.all<ListedRow>(
    `${query.sql} AND n > ? AND n < ? ORDER BY n ${newestFirst ? 'DESC' : 'ASC'} LIMIT ?`,
    ...query.values,
    ...[after, before ?? Number.MAX_SAFE_INTEGER],
    Math.max(1, Math.min(limit, pageSize)),
  );
  return rows.map(summaryOf);
}

interface Query {
  /** Up to its conditions, one at the least. */
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

function rootsOf({ flow, settled }: RunFilter): Query {
  let index = flow === undefined ? '' : 'INDEXED BY runs_by_flow';
  if (settled === false)
    index = `INDEXED BY ${flow === undefined ? 'unsettled_runs' : 'unsettled_runs_by_flow'}`;
  return {
    sql: `SELECT n, id, flow, started_at, ended_at, ending, set_aside, ${lastSeqOf('runs')} AS seq
      FROM runs ${index} WHERE ${conditionsOf(flow, settled)}`,
    values: flow === undefined ? [] : [flow],
  };
}

/** So many runs below a child are sorted for each page, rather than found among all of the tree. */
const fewRuns = 2_000;

/** `undefined` if the root is unknown. */
function childrenOf(db: Connection, under: string, { flow, settled }: RunFilter): Query | undefined {
  const root = db.get<{ n: number }>('SELECT n FROM runs WHERE id = ?', rootIdOf(under))?.n;
  if (root === undefined) return undefined;
  const [from, to] = idsBelow(under);
  const ofFlow = flow === undefined ? [] : [flow];
  const columns = `SELECT n, id, flow, started_at, ended_at, ending, 0 AS set_aside, ${lastSeqOf('children')} AS seq`;
  const conditions = conditionsOf(flow, settled);
  if (!isChildId(under)) {
    const sql = `${columns} FROM children INDEXED BY children_by_root WHERE ${conditions} AND root = ?`;
    return { sql, values: [...ofFlow, root] };
  }
  const found = db.get<{ n: number }>(
    `SELECT count(*) AS n FROM (SELECT 1 FROM children INDEXED BY children_by_id WHERE id >= ? AND id < ? LIMIT ${fewRuns + 1})`,
    ...[from, to],
  );
  const index = (found?.n ?? 0) > fewRuns ? 'children_by_root' : 'children_by_id';
  const sql = `${columns} FROM children INDEXED BY ${index} WHERE ${conditions} AND root = ? AND id >= ? AND id < ?`;
  return { sql, values: [...ofFlow, root, from, to] };
}

function conditionsOf(flow: string | undefined, settled: boolean | undefined): string {
  const conditions = [flow === undefined ? 'TRUE' : 'flow = ?'];
  if (settled !== undefined) conditions.push(`ended_at IS ${settled ? 'NOT NULL' : 'NULL'}`);
  return conditions.join(' AND ');
}

function summaryOf(row: ListedRow): RunSummary {
  const { n, id, flow, started_at, ended_at, ending, set_aside, seq } = row;
  const summary: RunSummary = {
    id,
    flow,
    startedAt: started_at,
    endedAt: ended_at,
    ending: ending ?? undefined,
    seq,
    order: n,
  };
  return set_aside === 1 && ended_at === null ? { ...summary, status: 'lost' } : summary;
}
