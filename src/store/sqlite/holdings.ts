import { isChildId, rootIdOf } from '../../model/child-id.ts';
import { StoreConflictError } from '../../model/error.ts';
import type { Connection } from './connection.ts';
import { markOfThis, type ProcessMark } from './process-mark.ts';
import type { ThreadSettings } from './protocol.ts';

/** A root as the journal has it, to append to. */
export interface HeldRun {
  readonly n: number;
  readonly epoch: number;
  seq: number;
  losses: number;
  /** The unsettled runs below it that are known, by id, once there are any. */
  below: Map<string, HeldChild> | undefined;
}

/** A run below a root, as its journal has it. It belongs to whoever has the root. */
export interface HeldChild {
  readonly n: number;
  seq: number;
}

/** For how long an engine that was ended is remembered, for people to see. */
const rememberedMs = 30 * 86_400_000;

/** The number of runs that are remembered after they have left. */
const mostLeft = 10_000;

/**
 * This store as an engine among those that share the file, and the unsettled roots that it owns. A child's id stands for
 * its root where this asks about owners.
 *
 * What is remembered of a root and the runs below it (row, epoch, last `seq`, losses) is true within `write`, for SQLite has one writer at a
 * time, and besides this thread only two can change it, each in one transaction that leaves a trace in this engine's
 * row, which `write` reads first. A takeover moves the runs and marks the engine as ended. A removal adds to
 * `removals`: then all rows are read again. A run that settles is no longer remembered, since others may run it again;
 * nor is one whose transaction was undone.
 */
export class Holdings {
  readonly mark: ProcessMark = markOfThis();
  readonly #db: Connection;
  readonly #leaseMs: number;
  readonly #tellTaken: (runIds: readonly string[]) => void;
  /** By id; `undefined` for a root whose row, and those of the runs below it, must be read again. */
  readonly #held = new Map<string, HeldRun | undefined>();
  /** Runs that have left, with the engine that this was then; the oldest go first. */
  readonly #left = new Map<string, number>();
  /** Runs that others have taken over. */
  readonly #taken = new Set<string>();
  #engine: number | undefined;
  #removals = 0;

  constructor(db: Connection, { leaseMs }: ThreadSettings, tellTaken: (runIds: readonly string[]) => void) {
    this.#db = db;
    this.#leaseMs = leaseMs;
    this.#tellTaken = tellTaken;
  }

  /** Number of this engine; `undefined` until it first owns something. */
  get engine(): number | undefined {
    return this.#engine;
  }

  /** A transaction as an engine that nobody has ended: if somebody has, it goes on as a new engine without runs. */
  write<T>(work: (engine: number) => T): T {
    for (;;) {
      const engine = this.#engine ?? this.#register();
      try {
        return this.#db.write(() => {
          this.#check(engine);
          return work(engine);
        });
      } catch (error) {
        if (!(error instanceof EngineEnded)) throw error;
        this.retire();
      }
    }
  }

  /** Shows that this engine lives. */
  beat(): void {
    const sql = 'UPDATE engines SET beat = beat + 1 WHERE n = ? AND ended_at IS NULL';
    if (this.#engine !== undefined && this.#db.run(sql, this.#engine) === 0) this.retire();
  }

  /** Finds out whether this engine has been ended. Changes nothing in the file. */
  look(): void {
    if (this.#engine === undefined) return;
    const sql = 'SELECT 1 AS found FROM engines WHERE n = ? AND ended_at IS NULL';
    if (this.#db.get(sql, this.#engine) === undefined) this.retire();
  }

  /** Counts all runs as taken over, and this engine as ended. */
  retire(): void {
    const runIds = [...this.#held.keys()];
    for (const runId of runIds) this.#taken.add(runId);
    this.#held.clear();
    this.#engine = undefined;
    if (runIds.length > 0) this.#tellTaken(runIds);
  }

  /** Throws `StoreConflictError` if others have taken the run over. */
  checkTaken(runId: string): void {
    if (this.#taken.size === 0 || !this.#taken.has(rootIdOf(runId))) return;
    throw new StoreConflictError(
      runId,
      `Run ${runId} has been taken over by another engine, which held this one dead`,
    );
  }

  holds(runId: string): boolean {
    return this.#held.has(rootIdOf(runId));
  }

  held(rootId: string): HeldRun | undefined {
    return this.#held.get(rootId);
  }

  hold(rootId: string, run: HeldRun): void {
    this.#taken.delete(rootId);
    this.#left.delete(rootId);
    this.#held.set(rootId, run);
  }

  /** Has the rows of trees read again before they are used, since a transaction was undone. */
  doubt(runIds: Iterable<string>): void {
    for (const runId of runIds) {
      const rootId = rootIdOf(runId);
      if (this.#held.has(rootId)) this.#held.set(rootId, undefined);
    }
  }

  /** Of a root that has settled, or was released. */
  drop(runId: string): void {
    if (this.#held.delete(runId) && this.#engine !== undefined) this.#left.set(runId, this.#engine);
    if (this.#left.size > mostLeft) this.#left.delete(this.#left.keys().next().value as string);
  }

  /** Throws `StoreConflictError` if a run that has settled here, or was released, has had another owner since. */
  checkLeft(runId: string, owner: number | null): void {
    const left = this.#left.get(rootIdOf(runId));
    if (left === undefined || owner === null || owner === left || owner === this.#engine) return;
    throw new StoreConflictError(runId, `Run ${runId} goes on at another engine since it was left here`);
  }

  /** Of a run that was removed, with all below it. */
  forget(runId: string): void {
    if (isChildId(runId)) return this.doubt([runId]);
    this.#held.delete(runId);
    this.#taken.delete(runId);
    this.#left.delete(runId);
  }

  /** Gives all runs up, and leaves. */
  leave(): void {
    const engine = this.#engine;
    if (engine === undefined) return;
    this.#db.write(() => {
      this.#db.run(
        'UPDATE runs SET owner = NULL, epoch = epoch + 1 WHERE owner = ? AND ended_at IS NULL',
        engine,
      );
      this.#db.run('DELETE FROM engines WHERE n = ? AND ended_at IS NULL', engine);
    });
    this.#held.clear();
    this.#engine = undefined;
  }

  #register(): number {
    const { host, pid, start } = this.mark;
    this.#removals = 0;
    // Whose row is gone has ended too.
    this.#db.run('DELETE FROM engines WHERE ended_at < ?', Date.now() - rememberedMs);
    this.#engine = this.#db.insert(
      'INSERT INTO engines (lease_ms, host, pid, process_start, began_at) VALUES (?, ?, ?, ?, ?)',
      ...[this.#leaseMs, host, pid, start, Date.now()],
    );
    return this.#engine;
  }

  #check(engine: number): void {
    const row = this.#db.get<{ removals: number; ended_at: number | null }>(
      'SELECT removals, ended_at FROM engines WHERE n = ?',
      engine,
    );
    if (row === undefined || row.ended_at !== null) throw new EngineEnded();
    if (row.removals === this.#removals) return;
    this.#removals = row.removals;
    this.doubt(this.#held.keys());
  }
}

/** Another engine has held this one dead. */
class EngineEnded extends Error {}
