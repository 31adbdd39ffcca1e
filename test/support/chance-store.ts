import { type Append, createMemoryStore, type Entry, type MemoryStore, type Store, StoreError } from 'topple';
import * as assert from 'uvu/assert';

/** Numbers from 0, below 1, the same for the same seed. */
export function chance(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * A store over memory that answers after random numbers of turns. Appends fail at random, before or after the entries
 * were kept; what is tried again does not fail again unless it was kept. It checks what an engine may do to it.
 */
export class ChanceStore implements Store {
  readonly isAsync = true;
  readonly memory: MemoryStore;
  /** Runs that have an append under way. */
  readonly underWay = new Map<string, Append>();
  failures = 0;
  count = 0;
  readonly #random: () => number;
  readonly #failureRate: number;
  readonly #hasFailed = new Set<string>();
  /** Called in each append, with its number from 1. */
  onAppend: (number: number) => void = () => {};
  #isDead = false;

  constructor(random: () => number, { memory = createMemoryStore(), failureRate = 0 } = {}) {
    this.memory = memory;
    this.#random = random;
    this.#failureRate = failureRate;
  }

  /** Whether the process has died: nothing is kept after that. */
  get isDead(): boolean {
    return this.#isDead;
  }

  append(given: Append): Promise<void> {
    const { runId, expectedSeq, seq, entries } = given;
    if (this.#isDead) return never;
    assert.is(this.underWay.has(runId), false, `two appends of run ${runId} are under way`);
    assert.is(this.memory.lastSeq(runId), expectedSeq);
    assert.equal(
      entries.map((entry) => entry.seq),
      Array.from({ length: seq - expectedSeq }, (_, index) => expectedSeq + index + 1),
    );
    this.underWay.set(runId, given);
    this.onAppend(++this.count);
    return this.#isDead ? never : this.#answer(given);
  }

  async appendTree(runs: readonly Append[]): Promise<void> {
    this.onAppend(++this.count);
    await this.#turns();
    if (this.#isDead) return never;
    this.memory.appendTree(runs);
    await this.#turns();
    if (this.#isDead) return never;
  }

  async lastSeq(runId: string): Promise<number> {
    await this.#turns();
    return this.memory.lastSeq(runId);
  }

  async read(runId: string): Promise<readonly Entry[]> {
    await this.#turns();
    return this.memory.read(runId);
  }

  async list(): Promise<never[]> {
    await this.#turns();
    return [];
  }

  async remove(runId: string): Promise<void> {
    await this.#turns();
    this.memory.remove(runId);
  }

  async #answer(given: Append): Promise<void> {
    const { runId, expectedSeq } = given;
    await this.#turns();
    if (this.#isDead) return never;
    const name = `${runId} ${expectedSeq}`;
    const fails = this.#random() < this.#failureRate;
    const isKept = this.#random() < 0.5;
    // A second failure that keeps nothing would end the run.
    if (!fails || isKept || this.#hasFailed.has(name)) this.memory.append(given);
    await this.#turns();
    if (this.#isDead) return never;
    this.underWay.delete(runId);
    if (!fails) return;
    this.failures++;
    this.#hasFailed.add(name);
    throw new StoreError('failed', 'by chance');
  }

  /** Dies: of the appends under way some were kept, which nobody hears. */
  crash(): void {
    this.#isDead = true;
    for (const given of this.underWay.values()) {
      const isNew = this.memory.lastSeq(given.runId) === given.expectedSeq;
      if (isNew && this.#random() < 0.5) this.memory.append(given);
    }
  }

  async #turns(): Promise<void> {
    const count = Math.floor(this.#random() * 4);
    const isShort = this.#random() < 0.5;
    for (let turn = 0; turn < count; turn++)
      await (isShort ? undefined : new Promise<void>((resolve) => setImmediate(resolve)));
  }
}

const never = new Promise<never>(() => {});
