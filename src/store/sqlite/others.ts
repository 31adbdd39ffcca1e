import type { Connection } from './connection.ts';
import type { Holdings } from './holdings.ts';
import { isGone } from './process-mark.ts';

interface EngineRow {
  readonly [column: string]: unknown;
  readonly n: number;
  readonly beat: number;
  readonly lease_ms: number;
  readonly host: string | null;
  readonly pid: number;
  readonly process_start: string | null;
}

interface Seen {
  readonly beat: number;
  /** How long the beat has been seen to stand still. */
  readonly stillMs: number;
}

/** The other engines that share the file, as far as this one can see. */
export class Others {
  readonly #db: Connection;
  readonly #holdings: Holdings;
  readonly #tickMs: number;
  #seen: ReadonlyMap<number, Seen> = new Map();
  #dead: ReadonlyMap<number, EngineRow> = new Map();
  #lookedAt: number;
  /** Changes with each commit of another connection. */
  #version: unknown;

  constructor(db: Connection, holdings: Holdings, tickMs: number, now: number) {
    this.#db = db;
    this.#holdings = holdings;
    this.#tickMs = tickMs;
    this.#lookedAt = now;
  }

  /**
   * Looks at all beats, in no transaction. An engine is dead if its process is gone, or if its beat stood still for its
   * lease.
   *
   * @param now of a monotonic clock. Only time in which this thread looked counts: it may have been frozen itself. Nor
   *   does time in which nobody could beat, since a process that is frozen within a transaction has the lock.
   */
  look(now: number): void {
    const passedMs = this.#isFrozen() ? 0 : Math.min(now - this.#lookedAt, 2 * this.#tickMs);
    this.#lookedAt = now;
    const seen = new Map<number, Seen>();
    const dead = new Map<number, EngineRow>();
    for (const engine of this.#living()) {
      const before = this.#seen.get(engine.n);
      const stillMs = before?.beat === engine.beat ? before.stillMs + passedMs : 0;
      seen.set(engine.n, { beat: engine.beat, stillMs });
      if (stillMs >= engine.lease_ms || this.#isGone(engine)) dead.set(engine.n, engine);
    }
    this.#seen = seen;
    this.#dead = dead;
  }

  /** Whether an engine was dead at the last look. */
  isDead(engine: number): boolean {
    return this.#dead.has(engine);
  }

  /** Engines that were dead at the last look. */
  get dead(): Iterable<number> {
    return this.#dead.keys();
  }

  get isAnyDead(): boolean {
    return this.#dead.size > 0;
  }

  /** In a transaction: marks an engine as ended, unless it has shown life since the last look. */
  end(engine: number): boolean {
    const row = this.#dead.get(engine);
    if (row === undefined) return false;
    const sql = 'UPDATE engines SET ended_at = ?, ended_by = ? WHERE n = ? AND beat = ? AND ended_at IS NULL';
    return this.#db.run(sql, Date.now(), this.#holdings.engine ?? null, engine, row.beat) === 1;
  }

  /** Whether somebody has the lock, and has committed nothing since the last look. */
  #isFrozen(): boolean {
    const before = this.#version;
    this.#version = this.#db.pragma('data_version');
    return this.#version === before && this.#seen.size > 0 && this.#db.isLocked;
  }

  #living(): EngineRow[] {
    return this.#db.all<EngineRow>(
      `SELECT n, beat, lease_ms, host, pid, process_start FROM engines WHERE ended_at IS NULL AND n IS NOT ?`,
      this.#holdings.engine ?? null,
    );
  }

  #isGone({ host, pid, process_start: start }: EngineRow): boolean {
    return isGone({ host, pid, start }, this.#holdings.mark);
  }
}
