import { isChildId } from '../../model/child-id.ts';
import type { Connection } from './connection.ts';
import { type FoundRun, findRun, idsBelow } from './find-run.ts';
import type { ThreadSettings } from './protocol.ts';

/** Rows of journals deleted in one step, for which others have to wait. */
const stepRows = 500;
/** Runs that one step may remove. */
const stepRuns = 50;
/** A search for old runs may take this part of the time. */
const searchShare = 0.02;

interface Settled {
  readonly [column: string]: unknown;
  readonly n: number;
  readonly owner: number | null;
}

/** Removes runs, and their journals in small steps, so that nobody waits long for one. */
export class Sweeper {
  readonly #db: Connection;
  readonly #keepCount: number;
  readonly #keepMs: number;
  #timer: NodeJS.Immediate | undefined;
  #isIndexed = false;
  #hasGarbage = true;
  /** Number of settled runs at the last search for old ones. */
  #searchedFor = -1;
  #searchAt = 0;

  constructor(db: Connection, { keepCount, keepMs }: ThreadSettings) {
    this.#db = db;
    this.#keepCount = keepCount;
    this.#keepMs = keepMs;
  }

  /** The run is unknown at once, with all below it; their journals go bit by bit. */
  remove(runId: string): void {
    this.#db.write(() => {
      const run = findRun(this.#db, runId);
      if (run === undefined) return;
      if (isChildId(runId)) this.#removeChild(runId, run);
      else this.#removeRoot(run);
    });
    this.#schedule();
  }

  /** @param settled how many runs have settled so far, which tells whether there may be more to remove */
  tick(now: number, settled: number): void {
    // Perhaps the last process ended before all was deleted.
    if (this.#hasGarbage) this.#hasGarbage = this.#db.get('SELECT 1 FROM removed_runs LIMIT 1') !== undefined;
    this.#schedule();
    if (this.#keepCount === Number.POSITIVE_INFINITY && this.#keepMs === Number.POSITIVE_INFINITY) return;
    const isNew = settled !== this.#searchedFor || this.#keepMs < Number.POSITIVE_INFINITY;
    if (!isNew || now < this.#searchAt) return;
    this.#index();
    const isMore = this.#removeOld();
    if (!isMore) this.#searchedFor = settled;
    this.#searchAt = now + (performance.now() - now) / searchShare;
    this.#schedule();
  }

  stop(): void {
    clearImmediate(this.#timer);
  }

  /** A child whose root is gone is unknown: its row goes with its journal. */
  #removeRoot({ n, owner }: Settled): void {
    this.#hasGarbage = true;
    this.#db.run('DELETE FROM runs WHERE n = ?', n);
    this.#db.run('INSERT INTO removed_runs (n) VALUES (?)', n);
    this.#noteRemoval(owner);
  }

  #removeChild(runId: string, { root, owner }: FoundRun): void {
    this.#hasGarbage = true;
    for (const [which, ...values] of [
      ['id = ?', runId],
      ['id >= ? AND id < ?', ...idsBelow(runId)],
    ] as const) {
      const rows = `FROM children INDEXED BY children_by_id WHERE root = ? AND ${which}`;
      this.#db.run(`INSERT INTO removed_runs (n) SELECT n ${rows}`, root, ...values);
      this.#db.run(`DELETE ${rows}`, root, ...values);
    }
    this.#noteRemoval(owner);
  }

  /** Has the owner read its rows again before it uses them. */
  #noteRemoval(owner: number | null): void {
    if (owner !== null) this.#db.run('UPDATE engines SET removals = removals + 1 WHERE n = ?', owner);
  }

  /** Only who removes runs by age or number pays for it. */
  #index(): void {
    if (this.#isIndexed) return;
    this.#db.exec('CREATE INDEX IF NOT EXISTS settled_runs ON runs (ended_at, n) WHERE ended_at IS NOT NULL');
    this.#isIndexed = true;
  }

  /** Returns whether there may be more. */
  #removeOld(): boolean {
    const old = this.#findOld();
    if (old.length > 0) {
      this.#db.write(() => {
        for (const root of old) this.#removeRoot(root);
      });
    }
    return old.length === stepRuns;
  }

  #findOld(): Settled[] {
    const settled = 'FROM runs INDEXED BY settled_runs WHERE ended_at IS NOT NULL';
    const cuts: (readonly [endedAt: number, n: number])[] = [];
    if (this.#keepMs < Number.POSITIVE_INFINITY) cuts.push([Date.now() - this.#keepMs, 0]);
    if (this.#keepCount < Number.POSITIVE_INFINITY) {
      const newest = this.#db.get<{ ended_at: number; n: number }>(
        `SELECT ended_at, n ${settled} ORDER BY ended_at DESC, n DESC LIMIT 1 OFFSET ?`,
        this.#keepCount,
      );
      if (newest !== undefined) cuts.push([newest.ended_at, newest.n]);
    }
    const [cut] = cuts.sort(([a, m], [b, n]) => b - a || n - m);
    if (cut === undefined) return [];
    return this.#db.all<Settled>(
      `SELECT n, owner ${settled} AND (ended_at, n) <= (?, ?) ORDER BY ended_at, n LIMIT ${stepRuns}`,
      ...cut,
    );
  }

  #schedule(): void {
    if (this.#hasGarbage) this.#timer ??= setImmediate(() => this.#step());
  }

  #step(): void {
    this.#timer = undefined;
    try {
      this.#hasGarbage = this.#db.write(() => this.#deleteSome());
    } catch {
      // Another process holds the lock, or the file cannot be written: it stays for the next time.
      return;
    }
    this.#schedule();
  }

  /** Returns whether there is more to delete. */
  #deleteSome(): boolean {
    for (let left = stepRows; left > 0; ) {
      const run = this.#db.get<Numbered>('SELECT n FROM removed_runs LIMIT 1');
      if (run === undefined) return false;
      const child = this.#db.get<Numbered>('SELECT n FROM children WHERE root = ? LIMIT 1', run.n);
      const { n } = child ?? run;
      const deleted = this.#db.run(
        `DELETE FROM journal WHERE place IN (SELECT place FROM journal
         WHERE place BETWEEN ? << 32 AND (? << 32) + 4294967295 LIMIT ?)`,
        ...[n, n, left],
      );
      if (deleted < left) {
        if (child === undefined) this.#db.run('DELETE FROM removed_runs WHERE n = ?', n);
        else this.#db.run('DELETE FROM children WHERE n = ?', n);
      }
      left -= Math.max(1, deleted);
    }
    return true;
  }
}

interface Numbered {
  readonly [column: string]: unknown;
  readonly n: number;
}
