import { StoreConflictError } from '../../model/error.ts';
import type { ClaimedRun } from '../shared.ts';
import type { Connection } from './connection.ts';
import { findRun, lastSeqOf } from './find-run.ts';
import type { Holdings } from './holdings.ts';
import type { Others } from './others.ts';
import type { ThreadSettings } from './protocol.ts';
import { isUnderWay } from './under-way.ts';

/** From this number of losses on a run is a suspect: its bodies may kill their process. */
const suspectLosses = 2;
/** The next suspect may be claimed once the last one has run this long. */
const trialMs = 1_000;

/** The number of runs that are remembered as refused; the oldest go first. */
const mostRefused = 100_000;

interface ClaimRow {
  readonly [column: string]: unknown;
  readonly n: number;
  readonly id: string;
  readonly flow: string;
  readonly owner: number | null;
  readonly epoch: number;
  readonly losses: number;
  readonly set_aside: number;
  readonly ended_at: number | null;
  readonly seq: number;
}

/** A run with the instant at which it was claimed, if it has settled no task since. */
interface ClaimedRow {
  readonly [column: string]: unknown;
  readonly n: number;
  readonly id: string;
  readonly claimed_at: number | null;
}

const columns = `n, id, flow, owner, epoch, losses, set_aside, ended_at, ${lastSeqOf('runs')} AS seq`;
const unowned = `runs INDEXED BY unowned_runs WHERE ended_at IS NULL AND owner IS NULL AND set_aside = 0
  AND flow IN (SELECT value FROM json_each(?))`;

/** Takes runs up and gives them up. */
export class Claims {
  readonly #db: Connection;
  readonly #holdings: Holdings;
  readonly #others: Others;
  readonly #maxLosses: number;
  /** Whether runs of this engine may be on trial. */
  #hasSuspects = false;
  /** Runs that this engine cannot continue, by number; each until it has another epoch. */
  readonly #refused = new Map<number, { readonly flow: string; readonly epoch: number }>();

  constructor(db: Connection, holdings: Holdings, others: Others, { maxLosses }: ThreadSettings) {
    this.#db = db;
    this.#holdings = holdings;
    this.#others = others;
    this.#maxLosses = maxLosses;
  }

  /** @param afresh whether what was refused of these flows comes again */
  claim(flows: readonly string[], limit: number, afresh: boolean): ClaimedRun[] {
    if (afresh) this.#forgetRefused(flows);
    const rows = this.#change((engine) => {
      const found = this.#find(flows, limit);
      for (const { n } of found) this.#take(engine, n);
      return found;
    });
    return rows.map((row) => this.#hold(row, row.losses));
  }

  /** @param goesOn whether a run that was set aside is so no more */
  claimRun(runId: string, goesOn: boolean): ClaimedRun | undefined {
    const found = this.#change((engine) => {
      const n = findRun(this.#db, runId)?.root;
      const row = n === undefined ? undefined : this.#rowOf(n);
      if (row === undefined || row.ended_at !== null || row.owner === engine) return { row };
      if (row.owner !== null) {
        throw new StoreConflictError(
          runId,
          `Run ${runId} belongs to another engine, which is alive and continues it`,
        );
      }
      const losses = row.set_aside === 1 ? Math.min(row.losses, this.#maxLosses - 1) : row.losses;
      this.#take(engine, row.n);
      if (goesOn) this.#db.run('UPDATE runs SET set_aside = 0, losses = ? WHERE n = ?', losses, row.n);
      return { row, losses };
    });
    const { row, losses } = found;
    if (row === undefined) return undefined;
    if (losses !== undefined) return this.#hold(row, losses);
    const { id, flow, seq, epoch } = row;
    return { id, flow, seq, epoch, losses: row.losses };
  }

  /** @param areRefused whether this engine leaves them out until another has had them */
  release(runIds: readonly string[], areRefused: boolean): void {
    this.#holdings.write((engine) => {
      for (const runId of runIds) {
        this.#db.run(
          `UPDATE runs SET owner = NULL, epoch = epoch + 1
           WHERE id = ? AND owner = ? AND ended_at IS NULL`,
          ...[runId, engine],
        );
      }
    });
    for (const runId of runIds) this.#holdings.drop(runId);
    if (areRefused) for (const runId of runIds) this.#noteRefused(runId);
  }

  /** Whether a claim would find a run. */
  isAnyClaimable(flows: readonly string[]): boolean {
    return this.#others.isAnyDead || this.#find(flows, 1).length > 0;
  }

  /** A transaction that first moves the runs of dead engines to nobody. */
  #change<T>(work: (engine: number) => T): T {
    this.#others.look(performance.now());
    return this.#holdings.write((engine) => {
      for (const dead of this.#others.dead) if (this.#others.end(dead)) this.#disown(dead);
      return work(engine);
    });
  }

  #disown(dead: number): void {
    const sql =
      'SELECT n, id, losses, claimed_at FROM runs INDEXED BY unsettled_runs WHERE ended_at IS NULL AND owner = ?';
    const rows = this.#db.all<ClaimedRow & { readonly losses: number }>(sql, dead);
    const isTried = (row: (typeof rows)[number]): boolean =>
      row.losses >= suspectLosses && row.claimed_at !== null && isUnderWay(this.#db, row, true);
    const tried = new Set(rows.filter(isTried).map(({ n }) => n));
    for (const row of rows) {
      const { n, losses } = row;
      const isSuspect = losses >= suspectLosses;
      // Who is tried is alone to blame, and those that have been tried are not.
      const isCounted = !(isSuspect && tried.size > 0) || tried.has(n);
      const counted = isCounted && isUnderWay(this.#db, row, losses > 0) ? losses + 1 : losses;
      this.#db.run(
        `UPDATE runs SET owner = NULL, epoch = epoch + 1, losses = ?, set_aside = max(set_aside, ?) WHERE n = ?`,
        ...[counted, counted >= this.#maxLosses ? 1 : 0, n],
      );
    }
  }

  #find(flows: readonly string[], limit: number): ClaimRow[] {
    const list = JSON.stringify(flows);
    const rows = this.#first(
      `SELECT n, epoch FROM ${unowned} AND losses < ${suspectLosses} ORDER BY n`,
      list,
      limit,
    );
    if (rows.length < limit && !this.#isTrialOn()) {
      const suspects = `SELECT n, epoch FROM ${unowned} AND losses >= ${suspectLosses} ORDER BY claimed_at, n`;
      rows.push(...this.#first(suspects, list, 1));
    }
    return rows;
  }

  /** The first runs of a query that this engine has not refused. */
  #first(sql: string, flows: string, limit: number): ClaimRow[] {
    const found: number[] = [];
    for (const { n, epoch } of this.#db.iterate<{ n: number; epoch: number }>(sql, flows)) {
      if (this.#refused.get(n)?.epoch === epoch) continue;
      if (found.push(n) >= limit) break;
    }
    return found.map((n) => this.#rowOf(n) as ClaimRow);
  }

  #rowOf(n: number): ClaimRow | undefined {
    return this.#db.get<ClaimRow>(`SELECT ${columns} FROM runs WHERE n = ?`, n);
  }

  #noteRefused(runId: string): void {
    const sql = 'SELECT n, flow, epoch FROM runs WHERE id = ? AND owner IS NULL AND ended_at IS NULL';
    const row = this.#db.get<{ n: number; flow: string; epoch: number }>(sql, runId);
    if (row !== undefined) this.#refused.set(row.n, row);
    // More are claimed and refused again, which costs time and nothing else.
    if (this.#refused.size > mostRefused) this.#refused.delete(this.#refused.keys().next().value as number);
  }

  #forgetRefused(flows: readonly string[]): void {
    for (const [n, { flow }] of this.#refused) if (flows.includes(flow)) this.#refused.delete(n);
  }

  /** Ends the trials of this engine's runs that are over. */
  endTrials(): void {
    const { engine } = this.#holdings;
    if (engine === undefined || !this.#hasSuspects) return;
    this.#hasSuspects = false;
    for (const row of this.#trials()) {
      if (this.#isOver(row))
        this.#db.run('UPDATE runs SET claimed_at = NULL WHERE n = ? AND owner = ?', row.n, engine);
      else this.#hasSuspects = true;
    }
  }

  /** Whether a suspect was claimed a moment ago, and has neither settled a task, nor waits, nor been released. */
  #isTrialOn(): boolean {
    return this.#trials().some((row) => !this.#isOver(row));
  }

  /** Suspects that somebody has, and whose trial was not found to be over. */
  #trials(): ClaimedRow[] {
    return this.#db.all<ClaimedRow>(
      `SELECT n, id, claimed_at FROM runs INDEXED BY unsettled_runs WHERE ended_at IS NULL AND owner IS NOT NULL
       AND losses >= ${suspectLosses} AND claimed_at IS NOT NULL`,
    );
  }

  #isOver(row: ClaimedRow): boolean {
    const now = Date.now();
    const claimedAt = row.claimed_at ?? 0;
    const isYoung = claimedAt > now - trialMs && claimedAt <= now;
    return !isYoung || !isUnderWay(this.#db, row, false);
  }

  #take(engine: number, n: number): void {
    this.#db.run(
      'UPDATE runs SET owner = ?, epoch = epoch + 1, claimed_at = ? WHERE n = ?',
      ...[engine, Date.now(), n],
    );
  }

  /** Once it is committed. */
  #hold({ n, id, flow, epoch, seq }: ClaimRow, losses: number): ClaimedRun {
    if (losses >= suspectLosses) this.#hasSuspects = true;
    this.#holdings.hold(id, { n, epoch: epoch + 1, seq, losses, below: undefined });
    return { id, flow, seq, epoch: epoch + 1, losses };
  }
}
