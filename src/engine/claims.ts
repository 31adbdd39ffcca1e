import { Heap, type HeapItem } from '../model/heap.ts';

/** A task that wants a slot. */
export interface Claim extends HeapItem {
  readonly priority: number;
  /** When it became ready, or its retry due. */
  readonly readyAt: number;
  /** Its run's place in the order of starting, and its own in the flow's definition. */
  readonly runOrder: number;
  readonly index: number;
  /** It has a slot. Gives what is to begin: near the bottom of the stack, since an error there costs by its depth. */
  start(): { begin(): void } | undefined;
}

/** The higher priority, then who was ready first, then the order of definition. */
export function goesBefore(a: Claim, b: Claim): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  if (a.readyAt !== b.readyAt) return a.readyAt < b.readyAt;
  if (a.runOrder !== b.runOrder) return a.runOrder < b.runOrder;
  return a.index < b.index;
}

/** So many places of a line stay when nobody stands in it any more. */
const KEPT_PLACES = 64;

/** `place` of a claim that stands in line. */
const IN_LINE = Number.MAX_SAFE_INTEGER;

/**
 * Claims, best first. Most come in the order in which they are to be met: these stand in a line, which costs no
 * comparison of its own, and only those that are to go before its last are in a heap.
 */
export class Claims {
  readonly #heap = new Heap<Claim>(goesBefore);
  /** Claims that were met leave an empty place, so that nothing keeps their tasks alive. */
  #line: (Claim | undefined)[] = [];
  /** Where the line begins, and where it ends. */
  #head = 0;
  #tail = 0;
  /** The last that came to stand in line. */
  #last: Claim | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): Claim | undefined {
    const inHeap = this.#heap.first;
    const inLine = this.#firstInLine();
    if (inHeap === undefined || inLine === undefined) return inLine ?? inHeap;
    return goesBefore(inHeap, inLine) ? inHeap : inLine;
  }

  push(claim: Claim): void {
    this.#size++;
    if (this.#last !== undefined && goesBefore(claim, this.#last)) {
      this.#heap.push(claim);
      return;
    }
    claim.place = IN_LINE;
    this.#line[this.#tail++] = claim;
    this.#last = claim;
  }

  /** Takes the best one out; there must be one. */
  shift(): Claim {
    const inLine = this.#firstInLine();
    const claim = this.#heap.size === 0 && inLine !== undefined ? inLine : (this.first as Claim);
    this.remove(claim);
    return claim;
  }

  /** Nothing where the claim is not in. One that was taken out must not come back. */
  remove(claim: Claim): void {
    if (claim.place < 0) return;
    if (claim.place !== IN_LINE) this.#heap.remove(claim);
    else if (claim === this.#line[this.#head]) this.#line[this.#head] = undefined;
    claim.place = -1;
    if (--this.#size === 0) this.#startLine();
  }

  /** A short line is used again: a chain of tasks would make an array for each of them. */
  #startLine(): void {
    if (this.#tail > KEPT_PLACES) this.#line = [];
    // By hand: for one place or two `fill` takes several times as long.
    else for (let place = this.#head; place < this.#tail; place++) this.#line[place] = undefined;
    this.#head = this.#tail = 0;
    this.#last = undefined;
  }

  #firstInLine(): Claim | undefined {
    const line = this.#line;
    for (; this.#head < this.#tail; this.#head++) {
      const claim = line[this.#head];
      if (claim?.place === IN_LINE) return claim;
      line[this.#head] = undefined;
    }
    return undefined;
  }
}
