import { StoreConflictError } from '../../model/error.ts';
import { conflictOf } from '../../model/summary.ts';
import { type Append, inPart, insert, insertLast, isOneRow, noteEnd, noteStart } from './append.ts';
import type { Connection } from './connection.ts';
import { lastSeqOf } from './find-run.ts';
import type { HeldRun, Holdings } from './holdings.ts';

/** A root as its row has it. */
export interface RootRow {
  readonly [column: string]: unknown;
  readonly n: number;
  readonly owner: number | null;
  readonly epoch: number;
  readonly losses: number;
  readonly set_aside: number;
  readonly ended_at: number | null;
  /** `seq` of its last entry. */
  readonly seq: number;
}

const rootSql = `SELECT n, owner, epoch, losses, set_aside, ended_at, ${lastSeqOf('runs')} AS seq FROM runs WHERE id = ?`;

/** Keeps appends to roots. */
export class RootAppends {
  readonly #db: Connection;
  readonly #holdings: Holdings;

  constructor(db: Connection, holdings: Holdings) {
    this.#db = db;
    this.#holdings = holdings;
  }

  keep(engine: number, append: Append, isCareful: boolean): void {
    const { runId, expectedSeq, seq, settles, ending } = append;
    const held = this.#holdings.held(runId);
    if (held === undefined) {
      const run = inPart(this.#db, isCareful, () => this.#keepFirst(engine, append));
      this.#holdings.hold(runId, run);
    } else {
      if (held.seq !== expectedSeq) throw conflictOf(runId, held.seq, expectedSeq);
      if (isOneRow(append) && !(settles && held.losses > 0)) insertLast(this.#db, held.n, held.epoch, append);
      else {
        inPart(this.#db, isCareful, () => {
          noteStart(this.#db, 'runs', held.n, append);
          this.#insert(held, append);
        });
      }
      held.seq = seq;
      if (settles) held.losses = 0;
    }
    if (ending !== undefined) this.#holdings.doubt([runId]);
  }

  /** The row of a root; `undefined` if it is unknown. */
  find(rootId: string): RootRow | undefined {
    return this.#db.get<RootRow>(rootSql, rootId);
  }

  /** Throws `StoreConflictError` if this engine may not append to an unsettled root, for the sake of a run of its tree. */
  checkOwner(engine: number, { owner, losses, set_aside }: RootRow, runId: string): void {
    if (owner !== null && owner !== engine)
      throw new StoreConflictError(runId, `Run ${runId} belongs to another engine, which continues it`);
    if (set_aside === 0) return;
    throw new StoreConflictError(
      runId,
      `Run ${runId} was set aside, because its process was lost ${losses} times: it continues when it is recovered by its id`,
    );
  }

  /** Makes this engine the owner of a root, which is unsettled from now on. */
  own(engine: number, row: RootRow): HeldRun {
    const { n, epoch, losses, seq } = row;
    if (row.ended_at === null && row.owner === engine) return heldOf(row);
    this.#db.run(
      `UPDATE runs SET owner = ?, epoch = ?, claimed_at = NULL, ended_at = NULL, ending = NULL, set_aside = 0 WHERE n = ?`,
      ...[engine, epoch + 1, n],
    );
    return { n, epoch: epoch + 1, seq, losses, below: undefined };
  }

  /** A task has settled in the tree: what its process has lost before counts no more. */
  clearLosses({ n, losses }: HeldRun): void {
    if (losses > 0) this.#db.run('UPDATE runs SET losses = 0, claimed_at = NULL WHERE n = ?', n);
  }

  /** For a run whose row is not known: makes it, or makes this engine its owner if that may be. */
  #keepFirst(engine: number, append: Append): HeldRun {
    const { seq, settles } = append;
    let run = this.#create(engine, append);
    if (run === undefined) {
      run = this.#acquire(engine, append);
      noteStart(this.#db, 'runs', run.n, append);
    }
    this.#insert(run, append);
    return { ...run, seq, losses: settles ? 0 : run.losses };
  }

  /** `undefined` if the run exists, or should. */
  #create(engine: number, { runId, expectedSeq, flow = '', startedAt }: Append): HeldRun | undefined {
    if (expectedSeq > 0) return undefined;
    const n = this.#db.insertNew(
      'INSERT OR IGNORE INTO runs (id, flow, started_at, owner) VALUES (?, ?, ?, ?)',
      ...[runId, flow, startedAt, engine],
    );
    return n === undefined ? undefined : { n, epoch: 1, seq: 0, losses: 0, below: undefined };
  }

  #acquire(engine: number, { runId, expectedSeq }: Append): HeldRun {
    const row = this.find(runId);
    const lastSeq = row?.seq ?? 0;
    if (row === undefined || lastSeq !== expectedSeq) throw conflictOf(runId, lastSeq, expectedSeq);
    if (row.ended_at === null) this.checkOwner(engine, row, runId);
    return this.own(engine, row);
  }

  #insert(run: HeldRun, append: Append): void {
    insert(this.#db, run.n, run.epoch, append);
    if (append.settles) this.clearLosses(run);
    noteEnd(this.#db, 'runs', run.n, append);
  }
}

/** What is remembered of a root that is as its row says. */
export function heldOf({ n, epoch, seq, losses }: RootRow): HeldRun {
  return { n, epoch, seq, losses, below: undefined };
}
