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
  /** A piece is made when it is first needed. */
  #pieces: (Row[] | undefined)[];
  readonly #size: number;
  readonly #make: RowsAt;
  /** The number of times that rows were given out; a row or piece of an earlier round is shared. */
  #round = 0;
  readonly #roundOf: Int32Array;
  readonly #roundOfPiece: Int32Array;
  /** Rows changed in this round. */
  #changed: Row[] = [];
  #isGiven = false;

  /** @param make makes the first row of a task, an object of its own */
  constructor(size: number, make: RowsAt) {
    this.#size = size;
    this.#make = make;
    this.#pieces = new Array((size + PIECE_MASK) >> PIECE_BITS).fill(undefined);
    this.#roundOf = new Int32Array(size);
    this.#roundOfPiece = new Int32Array(this.#pieces.length);
  }

  get(task: number): TaskView {
    return this.#piece(task >> PIECE_BITS)[task & PIECE_MASK] as Row;
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
    const fresh = this.#round === 0 ? this.#all() : this.#changed;
    for (const row of fresh) Object.freeze(row);
    this.#changed = [];
    this.#round++;
    this.#isGiven = true;
    const pieces = this.#pieces;
    return (task) => (pieces[task >> PIECE_BITS] as Row[])[task & PIECE_MASK] as Row;
  }

  #piece(at: number): Row[] {
    const piece = this.#pieces[at];
    if (piece !== undefined) return piece;
    const start = at << PIECE_BITS;
    const length = Math.min(this.#size - start, 1 << PIECE_BITS);
    const made = Array.from({ length }, (_, place) => this.#make(start + place) as Row);
    this.#pieces[at] = made;
    return made;
  }

  #all(): Row[] {
    return this.#pieces.flatMap((_, at) => this.#piece(at));
  }

  #put(task: number, row: Row): Row {
    const at = task >> PIECE_BITS;
    if (this.#isGiven) this.#pieces = this.#pieces.slice();
    this.#isGiven = false;
    if (this.#roundOfPiece[at] !== this.#round) {
      this.#pieces[at] = this.#piece(at).slice();
      this.#roundOfPiece[at] = this.#round;
    }
    (this.#pieces[at] as Row[])[task & PIECE_MASK] = row;
    this.#roundOf[task] = this.#round;
    if (this.#round > 0) this.#changed.push(row);
    return row;
  }
}
