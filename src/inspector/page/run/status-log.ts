import type { TaskStatus } from '../../../model/status.ts';

/** Every status of a task, in the order of legends; a status's number is its place here. */
export const statuses = [
  'pending',
  'waiting',
  'running',
  'retrying',
  'done',
  'failed',
  'skipped',
  'upstream_failed',
  'cancelled',
] as const satisfies readonly TaskStatus[];

/** The number of the last status of a task that has not settled. */
export const lastUnsettled: number = statuses.indexOf('retrying');

/** The number of a status. */
export function codeOf(status: TaskStatus): number {
  return statuses.indexOf(status);
}

/** A task that changed its status, and the numbers of the two statuses. */
export interface Change {
  readonly task: number;
  readonly before: number;
  readonly after: number;
}

/** How far apart the copies of all statuses are, in entries. */
const every = 4_096;

/**
 * The statuses of all tasks after each entry of a journal.
 *
 * It is told of each entry's changes, and keeps a few bytes for them. A jump to any place costs at most 4,096 steps, and
 * one to a place nearby as many steps as it is away.
 */
export class StatusLog {
  #tasks = new Int32Array(1_024);
  #codes = new Uint8Array(1_024);
  #length = 0;
  /** The changes of the entries that have several: a flow that changed. */
  readonly #several = new Map<number, readonly Change[]>();
  readonly #copies: Uint8Array[];
  readonly #current: Uint8Array;
  #place = 0;
  readonly #latest: Uint8Array;
  /** How many tasks have each status, after the last entry. */
  readonly #counts: Int32Array;

  constructor(size: number) {
    this.#copies = [new Uint8Array(size)];
    this.#current = new Uint8Array(size);
    this.#latest = new Uint8Array(size);
    this.#counts = new Int32Array(statuses.length);
    this.#counts[0] = size;
  }

  /** The number of entries told. */
  get length(): number {
    return this.#length;
  }

  /** The status of each task after the last entry. It changes with the next one. */
  get latest(): Uint8Array {
    return this.#latest;
  }

  /** How many tasks have each status after the last entry. */
  get counts(): Int32Array {
    return this.#counts;
  }

  /** Adds an entry by the tasks that it changed. */
  push(changes: readonly Change[]): void {
    if (this.#length === this.#tasks.length) this.#grow();
    const [only] = changes;
    this.#tasks[this.#length] = changes.length === 1 ? (only as Change).task : changes.length === 0 ? -1 : -2;
    if (changes.length === 1) {
      const { before, after } = only as Change;
      this.#codes[this.#length] = (before << 4) | after;
    } else if (changes.length > 1) this.#several.set(this.#length, changes);
    this.change(changes);
    this.#length++;
    if (this.#length % every === 0) this.#copies.push(this.#latest.slice());
  }

  /** Changes the latest statuses alone, by an entry that is not kept. */
  change(changes: readonly Change[]): void {
    for (const { task, before, after } of changes) {
      this.#latest[task] = after;
      this.#counts[before] = (this.#counts[before] as number) - 1;
      this.#counts[after] = (this.#counts[after] as number) + 1;
    }
  }

  /** The status of each task after so many entries. The array is valid until the next call. */
  at(place: number): Uint8Array {
    const copy = Math.floor(place / every);
    if (Math.abs(place - this.#place) > place - copy * every) {
      this.#current.set(this.#copies[copy] as Uint8Array);
      this.#place = copy * every;
    }
    while (this.#place < place) this.#step(this.#place++, 'after');
    while (this.#place > place) this.#step(--this.#place, 'before');
    return this.#current;
  }

  #step(index: number, side: 'before' | 'after'): void {
    const task = this.#tasks[index] as number;
    const code = this.#codes[index] as number;
    if (task >= 0) this.#current[task] = side === 'after' ? code & 15 : code >> 4;
    if (task === -2) {
      const changes = this.#several.get(index) ?? [];
      for (const change of side === 'after' ? changes : changes.toReversed())
        this.#current[change.task] = change[side];
    }
  }

  #grow(): void {
    const tasks = new Int32Array(2 * this.#length);
    tasks.set(this.#tasks);
    this.#tasks = tasks;
    const codes = new Uint8Array(2 * this.#length);
    codes.set(this.#codes);
    this.#codes = codes;
  }
}

/** Counts the tasks of each status. */
export function countStatuses(codes: Uint8Array): Int32Array {
  const counts = new Int32Array(statuses.length);
  for (let task = 0; task < codes.length; task++) {
    const code = codes[task] as number;
    counts[code] = (counts[code] as number) + 1;
  }
  return counts;
}
