import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { BUSY, primaryCodeOf } from './failure.ts';

/** A row of a query; its columns by name. */
export type Columns = Readonly<Record<string, unknown>>;

/**
 * A connection to a file, with its statements prepared once. Their parameters are all `?`: Node 22 binds no `?1` by its place.
 */
export class Connection {
  readonly #db: DatabaseSync;
  readonly #timeoutMs: number;
  readonly #statements = new Map<string, StatementSync>();

  /** @param timeoutMs how long it waits for a lock */
  constructor(file: string | URL, timeoutMs: number) {
    this.#db = new DatabaseSync(file, { timeout: timeoutMs });
    this.#timeoutMs = timeoutMs;
  }

  /** Whether another connection has the lock for writing at this instant. Not within a transaction. */
  get isLocked(): boolean {
    this.exec('PRAGMA busy_timeout = 0');
    try {
      this.write(() => {});
      return false;
    } catch (error) {
      return primaryCodeOf(error) === BUSY;
    } finally {
      this.exec(`PRAGMA busy_timeout = ${this.#timeoutMs}`);
    }
  }

  /** Whether a transaction is open. SQLite itself may have ended it after an error. */
  get isInTransaction(): boolean {
    return this.#db.isTransaction;
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  /** Returns the number of rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  /** Returns the key of the row. */
  insert(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).lastInsertRowid);
  }

  /** Returns the key of the row; `undefined` if the statement ignored it. */
  insertNew(sql: string, ...values: SQLInputValue[]): number | undefined {
    const { changes, lastInsertRowid } = this.#prepare(sql).run(...values);
    return Number(changes) === 0 ? undefined : Number(lastInsertRowid);
  }

  get<Row extends Columns>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  all<Row extends Columns>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  iterate<Row extends Columns>(sql: string, ...values: SQLInputValue[]): Iterable<Row> {
    return this.#prepare(sql).iterate(...values) as Iterable<Row>;
  }

  /** The value of a pragma. */
  pragma(name: string): unknown {
    return Object.values(this.#db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  }

  /** All of it, or nothing. `BEGIN` alone would fail at the first write if another process had written since. */
  write<T>(work: () => T): T {
    this.#run('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#run('COMMIT');
      return result;
    } catch (error) {
      if (this.isInTransaction) this.#run('ROLLBACK');
      throw error;
    }
  }

  /** Part of a transaction: all of it, or nothing. */
  part<T>(work: () => T): T {
    this.#run('SAVEPOINT part');
    try {
      const result = work();
      this.#run('RELEASE part');
      return result;
    } catch (error) {
      if (this.isInTransaction) {
        this.#run('ROLLBACK TO part');
        this.#run('RELEASE part');
      }
      throw error;
    }
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #run(sql: string): void {
    this.#prepare(sql).run();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
