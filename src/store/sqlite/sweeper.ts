import type { Connection } from './connection.ts';
import type { ThreadSettings } from './protocol.ts';

/** Rows of a journal deleted in one step, which others wait for. */
const stepRows = 200;

/** Deletes journals in small steps, so that nobody waits long for one. */
export class Sweeper {
  readonly #db: Connection;
  #timer: NodeJS.Immediate | undefined;

  constructor(db: Connection, _settings: ThreadSettings) {
    this.#db = db;
  }

  /** The run is unknown at once; its journal goes bit by bit. */
  remove(runId: string): void {
    const isFound = this.#db.write(() => {
      const run = this.#db.get<{ n: number; owner: number | null }>(
        'SELECT n, owner FROM runs WHERE id = ?',
        runId,
      );
      if (run === undefined) return false;
      this.#removeRun(run.n, run.owner);
      return true;
    });
    if (isFound) this.#schedule();
  }

  note(_settled: number): void {}

  stop(): void {
    clearImmediate(this.#timer);
    this.#timer = undefined;
  }

  #removeRun(n: number, owner: number | null): void {
    this.#db.run('DELETE FROM runs WHERE n = ?', n);
    this.#db.run('INSERT INTO removed_runs (n) VALUES (?)', n);
    if (owner !== null) this.#db.run('UPDATE engines SET removals = removals + 1 WHERE n = ?', owner);
  }

  #schedule(): void {
    this.#timer ??= setImmediate(() => {
      this.#timer = undefined;
      if (this.#step()) this.#schedule();
    });
  }

  /** Returns whether there is more to delete. */
  #step(): boolean {
    return this.#db.write(() => {
      const run = this.#db.get<{ n: number }>('SELECT n FROM removed_runs LIMIT 1');
      if (run === undefined) return false;
      const deleted = this.#db.run(
        `DELETE FROM journal WHERE place IN (SELECT place FROM journal
         WHERE place BETWEEN ?1 << 32 AND (?1 << 32) + 4294967295 LIMIT ?2)`,
        ...[run.n, stepRows],
      );
      if (deleted < stepRows) this.#db.run('DELETE FROM removed_runs WHERE n = ?', run.n);
      return true;
    });
  }
}
