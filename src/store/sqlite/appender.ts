import { StoreConflictError } from '../../model/error.ts';
import { conflictOf } from '../../model/summary.ts';
import type { Connection } from './connection.ts';
import { type Refusal, refusalOf } from './failure.ts';
import type { HeldRun, Holdings } from './holdings.ts';
import { type AppendFields, type AppendNews, appendWidth } from './protocol.ts';
import type { Row, RunEnd } from './row.ts';

/** One append of a group. */
interface Append {
  readonly runId: string;
  readonly expectedSeq: number;
  readonly seq: number;
  readonly at: number;
  readonly text: string;
  readonly news: AppendNews;
  /** Rows before the last. */
  readonly before: readonly Row[];
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

const insertRow = 'INSERT INTO journal (place, epoch, at, text) VALUES ((? << 32) + ?, ?, ?, ?)';

/** Appends in groups: one transaction, and so one sync of the disk, for all that wait. */
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
    for (;;) {
      try {
        this.#holdings.write((engine) => this.#keepAll(engine, group, refusals));
        this.#dropSettled(group, refusals);
        return refusals;
      } catch (error) {
        this.#holdings.doubt(group.map(({ runId }) => runId));
        if (error instanceof Undone) {
          // The others are tried again without the one that SQLite could not take. What is found taken may change.
          for (const [place, { code }] of refusals) if (code === 'conflict') refusals.delete(place);
          continue;
        }
        const refusal = refusalOf(error, this.#file);
        for (const place of group.keys()) if (!refusals.has(place)) refusals.set(place, refusal);
        return refusals;
      }
    }
  }

  #keepAll(engine: number, group: readonly Append[], refusals: Map<number, Refusal>): void {
    for (const [place, append] of group.entries()) {
      if (refusals.has(place)) continue;
      try {
        this.#keep(engine, append);
      } catch (error) {
        refusals.set(place, refusalOf(error, this.#file));
        if (!this.#db.isInTransaction) throw new Undone();
      }
    }
  }

  #keep(engine: number, append: Append): void {
    const { runId, expectedSeq, seq, at, text, news, before } = append;
    this.#holdings.checkTaken(runId);
    const held = this.#holdings.held(runId);
    if (held === undefined) {
      const run = this.#db.part(() => this.#keepFirst(engine, append));
      this.#holdings.hold(runId, run);
    } else {
      if (held.seq !== expectedSeq) throw conflictOf(runId, held.seq, expectedSeq);
      // A statement by itself is all or nothing as it is.
      if (before.length === 0 && (news === 0 || (news === 1 && held.losses === 0)))
        this.#db.run(insertRow, held.n, seq, held.epoch, at, text);
      else {
        this.#db.part(() => {
          this.#insert(held, append);
          this.#note(held, news);
        });
      }
      held.seq = seq;
      if (settles(news)) held.losses = 0;
    }
    if (endOf(news) !== undefined) this.#holdings.doubt([runId]);
  }

  /** For a run whose row is not known: makes it, or makes this engine its owner if that may be. */
  #keepFirst(engine: number, append: Append): HeldRun {
    const { runId, expectedSeq, seq, news } = append;
    const row = this.#db.get<RunRow>(
      `SELECT n, owner, epoch, losses, set_aside, ended_at, ${lastSeqSql} AS seq FROM runs WHERE id = ?`,
      runId,
    );
    const lastSeq = row?.seq ?? 0;
    if (lastSeq !== expectedSeq) throw conflictOf(runId, lastSeq, expectedSeq);
    const run = row === undefined ? this.#create(engine, runId) : this.#acquire(engine, runId, row);
    this.#insert(run, append);
    this.#note(run, news);
    return { ...run, seq, losses: settles(news) ? 0 : run.losses };
  }

  #create(engine: number, runId: string): HeldRun {
    const n = this.#db.insert('INSERT INTO runs (id, owner) VALUES (?, ?)', runId, engine);
    return { n, epoch: 1, seq: 0, losses: 0 };
  }

  #acquire(engine: number, runId: string, row: RunRow): HeldRun {
    const { n, owner, epoch, losses, seq } = row;
    const isUnsettled = row.ended_at === null;
    if (isUnsettled && row.owner !== null && owner !== engine)
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

  #insert({ n, epoch }: HeldRun, { before, seq, at, text }: Append): void {
    for (const row of before) this.#db.run(insertRow, n, row.seq, epoch, row.at, row.text);
    this.#db.run(insertRow, n, seq, epoch, at, text);
  }

  #note({ n, losses }: HeldRun, news: AppendNews): void {
    if (settles(news) && losses > 0)
      this.#db.run('UPDATE runs SET losses = 0, claimed_at = NULL WHERE n = ?', n);
    if (typeof news === 'number') return;
    const { start, end } = news;
    if (start !== undefined)
      this.#db.run('UPDATE runs SET flow = ?, started_at = ? WHERE n = ?', start.flow, start.at, n);
    if (end !== undefined)
      this.#db.run('UPDATE runs SET ended_at = ?, ending = ? WHERE n = ?', end.at, end.ending, n);
  }

  #dropSettled(group: readonly Append[], refusals: ReadonlyMap<number, Refusal>): void {
    for (const [place, { runId, news }] of group.entries()) {
      if (endOf(news) === undefined || refusals.has(place)) continue;
      this.settled++;
      if (this.#holdings.held(runId) !== undefined) continue;
      this.#holdings.drop(runId);
    }
  }
}

function settles(news: AppendNews): boolean {
  return news === 1 || (news !== 0 && news.settles);
}

function endOf(news: AppendNews): RunEnd | undefined {
  return typeof news === 'number' ? undefined : news.end;
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
      news: fields[at + 5] as AppendNews,
      before: fields[at + 6] as readonly Row[],
    });
  }
  return group;
}

/** SQLite undid the whole transaction for the sake of one append. */
class Undone extends Error {}
