import type { Integers, IntegersEdit } from './integers.ts';

const BITS = 5;
const WIDTH = 1 << BITS;
const MASK = WIDTH - 1;

/** A node, which belongs to the edit that made it: only that edit may write to it, until it is done. */
interface Node {
  readonly owner: object;
  readonly slots: number[] | Node[];
}

/**
 * Immutable sequence of small integers: a tree of 32-way nodes, so that a change copies one path and shares the rest.
 * Changed through an `edit`.
 */
export class Vector implements Integers {
  readonly size: number;
  readonly #root: Node;
  readonly #shift: number;

  private constructor(size: number, root: Node, shift: number) {
    this.size = size;
    this.#root = root;
    this.#shift = shift;
  }

  static from(values: ArrayLike<number>): Vector {
    const owner = {};
    let level: Node[] = [];
    for (let start = 0; start < values.length || start === 0; start += WIDTH) {
      const slots: number[] = [];
      for (let i = start; i < Math.min(start + WIDTH, values.length); i++) slots.push(values[i] as number);
      level.push({ owner, slots });
    }
    let shift = 0;
    for (; level.length > 1; shift += BITS) {
      const parents: Node[] = [];
      for (let start = 0; start < level.length; start += WIDTH) {
        parents.push({ owner, slots: level.slice(start, start + WIDTH) });
      }
      level = parents;
    }
    return new Vector(values.length, level[0] as Node, shift);
  }

  /** The integer at `index`, which must be within the size. */
  get(index: number): number {
    let node = this.#root;
    for (let shift = this.#shift; shift > 0; shift -= BITS) {
      node = (node.slots as Node[])[(index >>> shift) & MASK] as Node;
    }
    return (node.slots as number[])[index & MASK] as number;
  }

  /** Starts a set of changes, which copies each path at most once. */
  edit(): VectorEdit {
    return new VectorEdit(this.size, this.#root, this.#shift);
  }

  /** For `VectorEdit` only. */
  static ofEdit(size: number, root: Node, shift: number): Vector {
    return new Vector(size, root, shift);
  }
}

/** Changes to a vector that nobody else has seen. */
export class VectorEdit implements IntegersEdit {
  readonly #size: number;
  readonly #shift: number;
  #root: Node;
  #owner: object = {};

  constructor(size: number, root: Node, shift: number) {
    this.#size = size;
    this.#root = root;
    this.#shift = shift;
  }

  /** Sets the integer at `index` and returns nothing; `index` must be within the size. */
  set(index: number, value: number): void {
    let node = this.#own(this.#root);
    this.#root = node;
    for (let shift = this.#shift; shift > 0; shift -= BITS) {
      const slots = node.slots as Node[];
      const slot = (index >>> shift) & MASK;
      node = this.#own(slots[slot] as Node);
      slots[slot] = node;
    }
    (node.slots as number[])[index & MASK] = value;
  }

  get(index: number): number {
    let node = this.#root;
    for (let shift = this.#shift; shift > 0; shift -= BITS) {
      node = (node.slots as Node[])[(index >>> shift) & MASK] as Node;
    }
    return (node.slots as number[])[index & MASK] as number;
  }

  /** The changed vector, which stays as it is: further changes copy again. */
  done(): Vector {
    this.#owner = {};
    return Vector.ofEdit(this.#size, this.#root, this.#shift);
  }

  #own(node: Node): Node {
    if (node.owner === this.#owner) return node;
    return { owner: this.#owner, slots: node.slots.slice() as number[] | Node[] };
  }
}
