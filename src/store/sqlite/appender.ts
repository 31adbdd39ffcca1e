import { StoreConflictError } from '../../model/error.ts';
import { conflictOf } from '../../model/summary.ts';
import type { Connection } from './connection.ts';
import { type Refusal, refusalOf } from './failure.ts';
import type { HeldRun, Holdings } from './holdings.ts';
import { type AppendFields, appendWidth } from './protocol.ts';
import type { Row } from './row.ts';

/** One append of a group. */
interface Append {
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

interface RunRow {
  readonly [column: string]: unknown;
  readonly n: number;
  readonly owner: number | null;
  readonly epoch: number;
  readonly losses: number;
  readonly set_aside: number;
  readonly ended_at: number | null;
  readonly seq: number;
}

/** The last `seq` of the run in the row. */
export const lastSeqSql = `coalesce((SELECT seq FROM journal
  WHERE place BETWEEN runs.n << 32 AND (runs.n << 32) + 4294967295 ORDER BY place DESC LIMIT 1), 0)`;

/** Node binds a number as a real one, and a sum with it is real too, which rounds a place beyond 2^53; `|` is exact. */
const insertRow = 'INSERT INTO journal (place, epoch, at, text) VALUES (? << 32 | ?, ?, ?, ?)';

/**
 * Appends in groups: one transaction, and so one sync of the disk, for all that wait.
 *
 * Each append stands or falls alone. One that is a single statement does so by itself. Of one that is several, the
 * first to fail undoes the whole transaction, which is made again with a savepoint for each: in the usual case, where
 * none fails, savepoints would cost as much as the statements.
 */
export class Appender {
  readonly #db: Connection;
  readonly #holdings: Holdings;
  readonly #file: string;
  /** Counts the runs that have settled. */
  settled = 0;

  constructor(db: Connection, holdings: Holdings, file: string) {
    this.#db = db;
    this.#holdings = holdings;
    this.#file = file;
  }

  /** Returns the refusals by place; the other appends are durable. */
  commit(fields: AppendFields): Map<number, Refusal> {
    const group = groupOf(fields);
    const refusals = new Map<number, Refusal>();
    for (let isCareful = false; ; isCareful = true) {
      try {
        this.#holdings.write((engine) => this.#keepAll(engine, group, refusals, isCareful));
        this.#dropSettled(group, refusals);
        return refusals;
      } catch (error) {
        this.#holdings.doubt(group.map(({ runId }) => runId));
        if (error instanceof Undone) {
          // What was found taken may be so no more.
          for (const [place, { code }] of refusals) if (code === 'conflict') refusals.delete(place);
          continue;
        }
        const refusal = refusalOf(error, this.#file);
        for (const place of group.keys()) if (!refusals.has(place)) refusals.set(place, refusal);
        return refusals;
      }
    }
  }

  #keepAll(
    engine: number,
    group: readonly Append[],
    refusals: Map<number, Refusal>,
    isCareful: boolean,
  ): void {
    for (const [place, append] of group.entries()) {
      if (refusals.has(place)) continue;
      try {
        this.#keep(engine, append, isCareful);
      } catch (error) {
        if (error instanceof Undone) throw error;
        refusals.set(place, refusalOf(error, this.#file));
        // SQLite itself may have undone the transaction: then the others are tried again without this one.
        if (!this.#db.isInTransaction) throw new Undone();
      }
    }
  }

  #keep(engine: number, append: Append, isCareful: boolean): void {
    const { runId, expectedSeq, seq, settles, ending } = append;
    this.#holdings.checkTaken(runId);
    const held = this.#holdings.held(runId);
    if (held === undefined) {
      const run = this.#part(isCareful, () => this.#keepFirst(engine, append));
      this.#holdings.hold(runId, run);
    } else {
      if (held.seq !== expectedSeq) throw conflictOf(runId, held.seq, expectedSeq);
      if (isOneRow(append) && !(settles && held.losses > 0)) this.#insertLast(held, append);
      else {
        this.#part(isCareful, () => {
          this.#noteStart(held, append);
          this.#insert(held, append);
          this.#note(held, append);
        });
      }
      held.seq = seq;
      if (settles) held.losses = 0;
    }
    if (ending !== undefined) this.#holdings.doubt([runId]);
  }

  /** Carries out the statements of one append. Conflicts are found before the first of them. */
  #part<T>(isCareful: boolean, work: () => T): T {
    if (isCareful) return this.#db.part(work);
    try {
      return work();
    } catch (error) {
      throw error instanceof StoreConflictError ? error : new Undone();
    }
  }

  /** For a run whose row is not known: makes it, or makes this engine its owner if that may be. */
  #keepFirst(engine: number, append: Append): HeldRun {
    const { seq, settles } = append;
    let run = this.#create(engine, append);
    if (run === undefined) {
      run = this.#acquire(engine, append);
      this.#noteStart(run, append);
    }
    this.#insert(run, append);
    this.#note(run, append);
    return { ...run, seq, losses: settles ? 0 : run.losses };
  }

  /** `undefined` if the run exists, or should. */
  #create(engine: number, { runId, expectedSeq, flow = '', startedAt }: Append): HeldRun | undefined {
    if (expectedSeq > 0) return undefined;
    const n = this.#db.insertNew(
      'INSERT OR IGNORE INTO runs (id, flow, started_at, owner) VALUES (?, ?, ?, ?)',
      ...[runId, flow, startedAt, engine],
    );
    return n === undefined ? undefined : { n, epoch: 1, seq: 0, losses: 0 };
  }

  #acquire(engine: number, { runId, expectedSeq }: Append): HeldRun {
    const row = this.#db.get<RunRow>(
      `SELECT n, owner, epoch, losses, set_aside, ended_at, ${lastSeqSql} AS seq FROM runs WHERE id = ?`,
      runId,
    );
    const lastSeq = row?.seq ?? 0;
    if (row === undefined || lastSeq !== expectedSeq) throw conflictOf(runId, lastSeq, expectedSeq);
    const { n, owner, epoch, losses, seq } = row;
    const isUnsettled = row.ended_at === null;
    if (isUnsettled && owner !== null && owner !== engine)
      throw new StoreConflictError(runId, `Run ${runId} belongs to another engine, which continues it`);
    if (isUnsettled && row.set_aside === 1) {
      throw new StoreConflictError(
        runId,
        `Run ${runId} was set aside, because its process was lost ${losses} times: it continues when it is recovered by its id`,
      );
    }
    if (isUnsettled && owner === engine) return { n, epoch, seq, losses };
    this.#db.run(
      `UPDATE runs SET owner = ?, epoch = ?, claimed_at = NULL, ended_at = NULL, ending = NULL, set_aside = 0 WHERE n = ?`,
      ...[engine, epoch + 1, n],
    );
    return { n, epoch: epoch + 1, seq, losses };
  }

  #insert(run: HeldRun, append: Append): void {
    for (const { seq, at, text } of append.before) this.#db.run(insertRow, run.n, seq, run.epoch, at, text);
    this.#insertLast(run, append);
  }

  #insertLast({ n, epoch }: HeldRun, { seq, at, text }: Append): void {
    this.#db.run(insertRow, n, seq, epoch, at, text);
  }

  #noteStart({ n }: HeldRun, { flow, startedAt }: Append): void {
    if (flow !== undefined)
      this.#db.run('UPDATE runs SET flow = ?, started_at = ? WHERE n = ?', flow, startedAt, n);
  }

  #note({ n, losses }: HeldRun, { settles, ending, endedAt }: Append): void {
    if (settles && losses > 0) this.#db.run('UPDATE runs SET losses = 0, claimed_at = NULL WHERE n = ?', n);
    if (ending !== undefined)
      this.#db.run('UPDATE runs SET ended_at = ?, ending = ? WHERE n = ?', endedAt, ending, n);
  }

  #dropSettled(group: readonly Append[], refusals: ReadonlyMap<number, Refusal>): void {
    for (const [place, { runId, ending }] of group.entries()) {
      if (ending === undefined || refusals.has(place)) continue;
      this.settled++;
      if (this.#holdings.held(runId) !== undefined) continue;
      this.#holdings.drop(runId);
    }
  }
}

/** Whether it says nothing of its run but its entries. */
function isOneRow({ before, flow, ending }: Append): boolean {
  return before.length === 0 && flow === undefined && ending === undefined;
}

function groupOf(fields: AppendFields): Append[] {
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

/** The whole transaction is to be undone for the sake of one append, and made again. */
class Undone extends Error {}
