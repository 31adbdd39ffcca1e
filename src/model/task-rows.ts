import type { TaskView } from './view.ts';

type Row = { -readonly [K in keyof TaskView]: TaskView[K] };

/** Rows are stored in pieces of 2^`PIECE_BITS`: a change copies one piece and the list of pieces, not all rows. */
const PIECE_BITS = 7;
const PIECE_MASK = (1 << PIECE_BITS) - 1;

/** The rows of all tasks at one moment, by place in definition order. */
export type RowsAt = (task: number) => TaskView;

/**
 * The rows of a run's tasks, changed in place until they are given out. Rows given out stay unchanged, and are shared
 * with later ones as far as those do not change.
 */
export class TaskRows {
  #pieces: Row[][] = [];
  /** The number of times that rows were given out; a row or piece of an earlier round is shared. */
  #round = 0;
  readonly #roundOf: Int32Array;
  readonly #roundOfPiece: Int32Array;
  /** Rows changed in this round. */
  #changed: Row[] = [];
  #isGiven = false;

  constructor(rows: readonly TaskView[]) {
    for (let start = 0; start < rows.length; start += 1 << PIECE_BITS)
      this.#pieces.push(rows.slice(start, start + (1 << PIECE_BITS)));
    this.#roundOf = new Int32Array(rows.length);
    this.#roundOfPiece = new Int32Array(this.#pieces.length);
  }

  get(task: number): TaskView {
    return (this.#pieces[task >> PIECE_BITS] as Row[])[task & PIECE_MASK] as Row;
  }

  /** Returns a row that can be changed until rows are given out again. */
  edit(task: number): Row {
    const row = this.get(task) as Row;
    return this.#roundOf[task] === this.#round ? row : this.#put(task, { ...row });
  }

  /** Replaces a row. The new one must be made for this call. */
  set(task: number, row: TaskView): void {
    this.#put(task, row);
  }

  /** The current rows, which will not change. The first call examines each row. */
  give(): RowsAt {
    const fresh = this.#round === 0 ? this.#pieces.flat() : this.#changed;
    for (const row of fresh) Object.freeze(row);
    this.#changed = [];
    this.#round++;
    this.#isGiven = true;
    const pieces = this.#pieces;
    return (task) => (pieces[task >> PIECE_BITS] as Row[])[task & PIECE_MASK] as Row;
  }

  #put(task: number, row: Row): Row {
    const at = task >> PIECE_BITS;
    if (this.#isGiven) this.#pieces = this.#pieces.slice();
    this.#isGiven = false;
    if (this.#roundOfPiece[at] !== this.#round) {
      this.#pieces[at] = (this.#pieces[at] as Row[]).slice();
      this.#roundOfPiece[at] = this.#round;
    }
    (this.#pieces[at] as Row[])[task & PIECE_MASK] = row;
    this.#roundOf[task] = this.#round;
    if (this.#round > 0) this.#changed.push(row);
    return row;
  }
}
