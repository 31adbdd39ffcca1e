import { StoreConflictError } from '../../model/error.ts';
import type { Connection } from './connection.ts';
import { type AppendFields, appendWidth } from './protocol.ts';
import type { Row } from './row.ts';

/** One append of a group. */
export interface Append {
  readonly runId: string;
  readonly expectedSeq: number;
  readonly seq: number;
  readonly at: number;
  readonly text: string;
  /** Rows before the last. */
  readonly before: readonly Row[];
  readonly settles: boolean;
  /** Of a run that starts. */
  readonly flow: string | undefined;
  readonly startedAt: number | null;
  /** Of a run that ends. */
  readonly ending: string | undefined;
  readonly endedAt: number | null;
}

export function groupOf(fields: AppendFields): Append[] {
  const group: Append[] = [];
  for (let at = 0; at < fields.length; at += appendWidth) {
    group.push({
      runId: fields[at] as string,
      expectedSeq: fields[at + 1] as number,
      seq: fields[at + 2] as number,
      at: fields[at + 3] as number,
      text: fields[at + 4] as string,
      before: fields[at + 5] as readonly Row[],
      settles: fields[at + 6] as boolean,
      flow: fields[at + 7] as string | undefined,
      startedAt: (fields[at + 8] as number | undefined) ?? null,
      ending: fields[at + 9] as string | undefined,
      endedAt: (fields[at + 10] as number | undefined) ?? null,
    });
  }
  return group;
}

/** Whether it says nothing of its run but its entries. */
export function isOneRow({ before, flow, ending }: Append): boolean {
  return before.length === 0 && flow === undefined && ending === undefined;
}

/** Node binds a number as a real one, and a sum with it is real too, which rounds a place beyond 2^53; `|` is exact. */
const insertRow = 'INSERT INTO journal (place, epoch, at, text) VALUES (? << 32 | ?, ?, ?, ?)';

/** Adds the rows of an append to the journal of the run with that number. */
export function insert(db: Connection, n: number, epoch: number, append: Append): void {
  for (const { seq, at, text } of append.before) db.run(insertRow, n, seq, epoch, at, text);
  insertLast(db, n, epoch, append);
}

/** Adds the last row of an append, which most have alone. */
export function insertLast(db: Connection, n: number, epoch: number, { seq, at, text }: Append): void {
  db.run(insertRow, n, seq, epoch, at, text);
}

type RunTable = 'runs' | 'children';

/** Notes what an append says of the start of its run, which its row does not have yet. */
export function noteStart(db: Connection, table: RunTable, n: number, { flow, startedAt }: Append): void {
  if (flow !== undefined)
    db.run(`UPDATE ${table} SET flow = ?, started_at = ? WHERE n = ?`, flow, startedAt, n);
}

/** Notes what an append says of the end of its run. */
export function noteEnd(db: Connection, table: RunTable, n: number, { ending, endedAt }: Append): void {
  if (ending !== undefined)
    db.run(`UPDATE ${table} SET ended_at = ?, ending = ? WHERE n = ?`, endedAt, ending, n);
}

/** The whole transaction is to be undone for the sake of one append, and made again. */
export class Undone extends Error {}

/**
 * Carries out the statements of one append. Conflicts are found before the first that changes something.
 *
 * @param isCareful whether it stands or falls alone; else its failure undoes the whole transaction
 */
export function inPart<T>(db: Connection, isCareful: boolean, work: () => T): T {
  if (isCareful) return db.part(work);
  try {
    return work();
  } catch (error) {
    throw error instanceof StoreConflictError ? error : new Undone();
  }
}
