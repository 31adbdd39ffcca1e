/** A sequence of small integers of fixed length. Indexes must be within it. */
export interface Integers {
  readonly size: number;
  get(index: number): number;
  /** Starts a set of changes. */
  edit(): IntegersEdit;
}

/** Changes to a sequence that nobody else has seen. */
export interface IntegersEdit {
  get(index: number): number;
  set(index: number, value: number): void;
  /** The changed sequence. */
  done(): Integers;
}

/** A sequence that keeps only its newest version: each edit changes it in place. */
export class IntegersInPlace implements Integers, IntegersEdit {
  readonly size: number;
  readonly #values: Int32Array;

  constructor(values: Int32Array) {
    this.size = values.length;
    this.#values = values;
  }

  get(index: number): number {
    return this.#values[index] as number;
  }

  set(index: number, value: number): void {
    this.#values[index] = value;
  }

  edit(): this {
    return this;
  }

  done(): this {
    return this;
  }
}
