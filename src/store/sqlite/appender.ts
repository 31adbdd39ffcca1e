import { isChildId } from '../../model/child-id.ts';
import { type Append, groupOf, Undone } from './append.ts';
import { ChildAppends } from './child-appends.ts';
import type { Connection } from './connection.ts';
import { type Refusal, refusalOf } from './failure.ts';
import type { Holdings } from './holdings.ts';
import type { AppendFields } from './protocol.ts';
import { RootAppends } from './root-appends.ts';

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
  readonly #roots: RootAppends;
  readonly #children: ChildAppends;
  /** Counts the roots that have settled. */
  settled = 0;

  constructor(db: Connection, holdings: Holdings, file: string) {
    this.#db = db;
    this.#holdings = holdings;
    this.#file = file;
    this.#roots = new RootAppends(db, holdings);
    this.#children = new ChildAppends(db, holdings, this.#roots);
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

  /** Keeps a tree that the store does not know, or nothing of it. */
  commitTree(fields: AppendFields): void {
    const group = groupOf(fields);
    const runIds = group.map(({ runId }) => runId);
    let kept = 0;
    try {
      this.#holdings.write((engine) => {
        kept = 0;
        for (const append of group) {
          this.#keep(engine, append, true);
          kept++;
        }
      });
    } catch (error) {
      if (kept === 0) this.#holdings.doubt(runIds);
      else this.#holdings.forget(runIds[0] as string);
      throw error;
    }
    this.#dropSettled(group, new Map());
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
    this.#holdings.checkTaken(append.runId);
    const appends = isChildId(append.runId) ? this.#children : this.#roots;
    appends.keep(engine, append, isCareful);
  }

  #dropSettled(group: readonly Append[], refusals: ReadonlyMap<number, Refusal>): void {
    for (const [place, { runId, ending }] of group.entries()) {
      if (ending === undefined || refusals.has(place) || isChildId(runId)) continue;
      this.settled++;
      if (this.#holdings.held(runId) !== undefined) continue;
      this.#holdings.drop(runId);
    }
  }
}
