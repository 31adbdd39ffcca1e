import { parentIdOf, rootIdOf } from '../../model/child-id.ts';
import { StoreConflictError } from '../../model/error.ts';
import { conflictOf, orphanOf } from '../../model/summary.ts';
import { type Append, inPart, insert, insertLast, isOneRow, noteEnd, noteStart } from './append.ts';
import type { Connection } from './connection.ts';
import { lastSeqOf } from './find-run.ts';
import type { HeldRun, Holdings } from './holdings.ts';
import { heldOf, type RootAppends, type RootRow } from './root-appends.ts';

/** Keeps appends to child runs, as the owner of their root. */
export class ChildAppends {
  readonly #db: Connection;
  readonly #holdings: Holdings;
  readonly #roots: RootAppends;

  constructor(db: Connection, holdings: Holdings, roots: RootAppends) {
    this.#db = db;
    this.#holdings = holdings;
    this.#roots = roots;
  }

  keep(engine: number, append: Append, isCareful: boolean): void {
    const { runId, expectedSeq, seq, settles, ending } = append;
    const root = this.#holdings.held(rootIdOf(runId));
    const child = root?.below?.get(runId);
    if (root === undefined || child === undefined) {
      const first = inPart(this.#db, isCareful, () => this.#keepFirst(engine, append, root));
      this.#remember(append, first);
      return;
    }
    if (child.seq !== expectedSeq) throw conflictOf(runId, child.seq, expectedSeq);
    if (isOneRow(append) && !(settles && root.losses > 0)) insertLast(this.#db, child.n, root.epoch, append);
    else {
      inPart(this.#db, isCareful, () => {
        noteStart(this.#db, 'children', child.n, append);
        this.#insert(root, child.n, append);
      });
    }
    child.seq = seq;
    if (settles) root.losses = 0;
    if (ending !== undefined) root.below?.delete(runId);
  }

  /** For a run whose row is not known, or whose root's is not. A root that has settled stays so. */
  #keepFirst(engine: number, append: Append, held: HeldRun | undefined): First {
    const above = held ?? this.#rowAbove(engine, append.runId);
    let n = this.#create(append, above.n, held);
    if (n === undefined) {
      n = this.#reopen(append, above.n);
      noteStart(this.#db, 'children', n, append);
    }
    const isOver = 'ended_at' in above && above.ended_at !== null;
    let root = above as HeldRun;
    if ('ended_at' in above) root = isOver ? heldOf(above) : this.#roots.own(engine, above);
    this.#insert(root, n, append);
    return { n, root, isOver };
  }

  /** Once it is kept. */
  #remember({ runId, seq, settles, ending }: Append, { n, root, isOver }: First): void {
    if (isOver) return;
    const rootId = rootIdOf(runId);
    if (this.#holdings.held(rootId) !== root) this.#holdings.hold(rootId, root);
    if (settles) root.losses = 0;
    if (ending !== undefined) return;
    root.below ??= new Map();
    root.below.set(runId, { n, seq });
  }

  /** The row of a child's root. Throws `StoreConflictError` if this engine may not append below it. */
  #rowAbove(engine: number, runId: string): RootRow {
    const rootId = rootIdOf(runId);
    const row = this.#roots.find(rootId);
    if (row === undefined) throw orphanOf(runId, rootId);
    if (row.ended_at === null) this.#roots.checkOwner(engine, row, runId);
    else if (row.owner !== engine) {
      throw new StoreConflictError(
        runId,
        `Run ${runId} is below run ${rootId}, which has settled at another engine: it goes on when that is rerun`,
      );
    }
    return row;
  }

  /** `undefined` if the run exists, or should. */
  #create(append: Append, root: number, held: HeldRun | undefined): number | undefined {
    const { runId, expectedSeq, flow = '', startedAt } = append;
    if (expectedSeq > 0) return undefined;
    const parentId = parentIdOf(runId);
    const isKnown = parentId === rootIdOf(runId) || held?.below?.has(parentId);
    if (!isKnown && this.#numberOf(parentId, root) === undefined) throw orphanOf(runId, parentId);
    return this.#db.insertNew(
      'INSERT OR IGNORE INTO children (id, root, flow, started_at) VALUES (?, ?, ?, ?)',
      ...[runId, root, flow, startedAt],
    );
  }

  /** A run that is there, which is unsettled from now on. */
  #reopen({ runId, expectedSeq }: Append, root: number): number {
    const row = this.#db.get<{ n: number; ended_at: number | null; seq: number }>(
      `SELECT n, ended_at, ${lastSeqOf('children')} AS seq FROM children WHERE id = ? AND root = ?`,
      ...[runId, root],
    );
    const lastSeq = row?.seq ?? 0;
    if (row === undefined || lastSeq !== expectedSeq) throw conflictOf(runId, lastSeq, expectedSeq);
    if (row.ended_at !== null)
      this.#db.run('UPDATE children SET ended_at = NULL, ending = NULL WHERE n = ?', row.n);
    return row.n;
  }

  #numberOf(runId: string, root: number): number | undefined {
    return this.#db.get<{ n: number }>('SELECT n FROM children WHERE id = ? AND root = ?', runId, root)?.n;
  }

  #insert(root: HeldRun, n: number, append: Append): void {
    insert(this.#db, n, root.epoch, append);
    if (append.settles) this.#roots.clearLosses(root);
    noteEnd(this.#db, 'children', n, append);
  }
}

/** A child whose row is known now, and its root. */
interface First {
  readonly n: number;
  readonly root: HeldRun;
  /** Whether the root has settled. */
  readonly isOver: boolean;
}
