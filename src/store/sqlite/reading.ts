import type { SettledRunStatus } from '../../model/status.ts';
import type { RunFilter, RunSummary } from '../../model/summary.ts';
import { lastSeqSql } from './appender.ts';
import type { Connection } from './connection.ts';
import type { JournalPart } from './protocol.ts';
import type { Row } from './row.ts';

/** A part of a journal ends behind the row that reaches this length: it is parsed in one go. */
const partLength = 2 ** 15;
/** The most runs in one answer. */
export const pageSize = 1_000;

/** Rows of a run's journal after a `seq`. */
export function readPart(db: Connection, runId: string, afterSeq: number): JournalPart {
  const run = db.get<{ n: number; seq: number }>(
    `SELECT n, ${lastSeqSql} AS seq FROM runs WHERE id = ?`,
    runId,
  );
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
  const { flow, settled, newestFirst = false, before, limit = pageSize } = filter;
  const conditions = ['n > ?', 'n < ?'];
  const values: (string | number)[] = [after, before ?? Number.MAX_SAFE_INTEGER];
  let index = '';
  if (flow !== undefined) {
    conditions.push('flow = ?');
    values.push(flow);
    index = 'INDEXED BY runs_by_flow';
  }
  if (settled === true) conditions.push('ended_at IS NOT NULL');
  if (settled === false) {
    conditions.push('ended_at IS NULL');
    index = `INDEXED BY ${flow === undefined ? 'unsettled_runs' : 'unsettled_runs_by_flow'}`;
  }
  const rows = db.all<ListedRow>(
    `SELECT n, id, flow, started_at, ended_at, ending, set_aside, ${lastSeqSql} AS seq
     FROM runs ${index} WHERE ${conditions.join(' AND ')}
     ORDER BY n ${newestFirst ? 'DESC' : 'ASC'} LIMIT ?`,
    ...[...values, Math.max(1, Math.min(limit, pageSize))],
  );
  return rows.map(summaryOf);
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
