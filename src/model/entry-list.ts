import type { Entry, FlowChange, RunFact, TaskDelivered, TaskFact, TaskRerun } from './journal.ts';

/** A fact before it has a place in a journal. */
export type Fact = RunFact | TaskFact | TaskDelivered | TaskRerun | FlowChange;

/** The three facts that nearly every task has. */
export type Step = 'task.ready' | 'task.started' | 'task.done';

/** Receives entries in `seq` order. */
export interface EntryVisitor {
  /**
   * A step of a task, without an object for it.
   *
   * @param task the place of the task in definition order
   * @param attempt 0 for `task.ready`
   * @param output `undefined` except for `task.done`
   */
  step(type: Step, at: number, task: number, attempt: number, output: unknown): void;
  /** Any other entry, or a step that is stored as an object. */
  entry(entry: Entry): void;
}

/** The fields that turn a fact into an entry. */
interface Stamp {
  seq?: number;
  runId?: string;
  taskId?: string;
}

// Kinds of entries. Steps are stored as numbers and an output, all others as whole objects.
const AS_IT_IS = 0;
const READY = 1;
const STARTED = 2;
const DONE = 3;
const stepOf: readonly Step[] = ['task.ready', 'task.ready', 'task.started', 'task.done'];
const kindOf = { 'task.ready': READY, 'task.started': STARTED, 'task.done': DONE } as const;
const KIND_BITS = 2;
const KIND_MASK = 3;

/** Entries whose attempt or instant is no small integer are stored as whole objects. */
const MOST_ATTEMPTS = 2 ** 28;
const MOST_MS = 2 ** 30;

/** Entries are stored in pieces of 2^`PIECE_BITS`, since growing one large array would copy it. */
const PIECE_BITS = 8;
const PIECE_SIZE = 1 << PIECE_BITS;
const PIECE_MASK = PIECE_SIZE - 1;

/** Consecutive entries: three small integers for each, and one value. */
interface Piece {
  /** Kind and attempt; task; milliseconds since the first entry. */
  readonly numbers: number[];
  /** An output, or the whole entry. */
  readonly rest: unknown[];
}

/**
 * The entries of a run in `seq` order, stored in columns. An entry that nobody reads never becomes an object, so a run
 * of many tasks takes a few arrays instead of several objects for each task.
 */
export class EntryList {
  readonly #runId: string;
  /** Task ids in definition order. */
  readonly #ids: readonly string[];
  readonly #pieces: Piece[] = [];
  #length = 0;
  /** Instant of the first entry. */
  #firstAt = 0;

  constructor(runId: string, ids: readonly string[]) {
    this.#runId = runId;
    this.#ids = ids;
  }

  /** Task ids in definition order. */
  get ids(): readonly string[] {
    return this.#ids;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Adds a fact as the next entry. The fact must be made for this call, since it may become the entry.
   *
   * @param task the place of the task in definition order; -1 for a fact of the run, or for an entry of a task that the
   * flow no longer has, which names its task itself
   */
  push(fact: Fact, task: number): void {
    if (task < 0) return this.#pushWhole(this.#stamp(fact, task), task);
    switch (fact.type) {
      case 'task.ready':
        return this.pushStep(fact.type, fact.at, task);
      case 'task.started':
        return this.pushStep(fact.type, fact.at, task, fact.attempt);
      case 'task.done':
        if (fact.child === undefined)
          return this.pushStep(fact.type, fact.at, task, fact.attempt, fact.output);
        return this.#pushWhole(this.#stamp(fact, task), task);
      default:
        this.#pushWhole(this.#stamp(fact, task), task);
    }
  }

  /** Adds a step without making an object; `attempt` and `output` if its fact has them. */
  pushStep(type: Step, at: number, task: number, attempt = 0, output?: unknown): void {
    const kind = kindOf[type];
    const ms = at - this.#firstAt;
    const fits = ms >= 0 && ms < MOST_MS && Number.isInteger(ms) && attempt < MOST_ATTEMPTS;
    if (fits && this.#length > 0) this.#add((attempt << KIND_BITS) | kind, task, ms, output);
    else this.#pushWhole(this.#stepEntry(kind, this.#length + 1, at, task, attempt, output), task);
  }

  /** The entry with this `seq`, from 1 to the length. */
  get(seq: number): Entry {
    const index = seq - 1;
    const { numbers, rest } = this.#pieces[index >> PIECE_BITS] as Piece;
    const place = index & PIECE_MASK;
    const kind = numbers[3 * place] as number;
    if ((kind & KIND_MASK) === AS_IT_IS) return rest[place] as Entry;
    const task = numbers[3 * place + 1] as number;
    const at = this.#firstAt + (numbers[3 * place + 2] as number);
    return this.#stepEntry(kind & KIND_MASK, seq, at, task, kind >> KIND_BITS, rest[place]);
  }

  /** The entries with a `seq` above `from`, up to `to`. */
  slice(from: number, to = this.length): Entry[] {
    // A plain loop: for the few entries of a turn `Array.from` took several times as long.
    const entries = new Array<Entry>(to - from);
    for (let index = 0; index < entries.length; index++) entries[index] = this.get(from + index + 1);
    return entries;
  }

  /** Shows a visitor the entries with a `seq` above `from`, up to `to`. */
  visit(from: number, to: number, visitor: EntryVisitor): void {
    for (let index = from; index < to; index++) {
      const { numbers, rest } = this.#pieces[index >> PIECE_BITS] as Piece;
      const place = index & PIECE_MASK;
      const kind = numbers[3 * place] as number;
      if ((kind & KIND_MASK) === AS_IT_IS) visitor.entry(rest[place] as Entry);
      else {
        const task = numbers[3 * place + 1] as number;
        const at = this.#firstAt + (numbers[3 * place + 2] as number);
        const type = stepOf[kind & KIND_MASK] as Step;
        visitor.step(type, at, task, kind >> KIND_BITS, rest[place]);
      }
    }
  }

  #pushWhole(entry: Entry, task: number): void {
    if (this.#length === 0) this.#firstAt = entry.at;
    this.#add(AS_IT_IS, task, 0, entry);
  }

  #stamp(fact: Fact, task: number): Entry {
    const entry = fact as Fact & Stamp;
    entry.seq = this.#length + 1;
    entry.runId = this.#runId;
    if (task >= 0) entry.taskId = this.#ids[task] as string;
    return entry as Entry;
  }

  #stepEntry(kind: number, seq: number, at: number, task: number, attempt: number, output: unknown): Entry {
    const runId = this.#runId;
    const taskId = this.#ids[task] as string;
    switch (kind) {
      case READY:
        return { type: 'task.ready', at, seq, runId, taskId };
      case STARTED:
        return { type: 'task.started', at, attempt, seq, runId, taskId };
      default:
        return { type: 'task.done', at, attempt, output, seq, runId, taskId };
    }
  }

  #add(kind: number, task: number, ms: number, rest: unknown): void {
    const place = this.#length & PIECE_MASK;
    const piece = place === 0 ? this.#nextPiece() : (this.#pieces.at(-1) as Piece);
    piece.numbers[3 * place] = kind;
    piece.numbers[3 * place + 1] = task;
    piece.numbers[3 * place + 2] = ms;
    piece.rest[place] = rest;
    this.#length++;
  }

  /** Starts with the expected size: most runs are small, and end with three entries for each task. */
  #nextPiece(): Piece {
    const size = Math.min(3 * this.#ids.length + 2, PIECE_SIZE);
    const piece = { numbers: new Array<number>(3 * size), rest: new Array<unknown>(size) };
    this.#pieces.push(piece);
    return piece;
  }
}
