import { Heap, type HeapItem } from '../model/heap.ts';

/** A task waiting for a slot. */
export interface Claim extends HeapItem {
  readonly priority: number;
  /** The instant it became ready or its retry due. */
  readonly readyAt: number;
  /** Its run's place in start order; `index` is its own place in definition order. */
  readonly runOrder: number;
  readonly index: number;
  /** Takes the slot. Returns the attempt to begin once this call is over, if one has started. */
  start(): { begin(): void } | undefined;
}

/** Orders by higher priority, then earlier readiness, then start and definition order. */
export function goesBefore(a: Claim, b: Claim): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  if (a.readyAt !== b.readyAt) return a.readyAt < b.readyAt;
  if (a.runOrder !== b.runOrder) return a.runOrder < b.runOrder;
  return a.index < b.index;
}

/** The number of places that an empty line keeps. */
const KEPT_PLACES = 64;

/** The `place` of a claim in the line. */
const IN_LINE = Number.MAX_SAFE_INTEGER;

/**
 * Claims, best first. Most arrive in the order they are served and go into a line, which needs no extra comparison.
 * Only claims that go before the last of the line are in a heap.
 */
export class Claims {
  readonly #heap = new Heap<Claim>(goesBefore);
  /** Served claims leave an empty place, so that their tasks can be collected. */
  #line: (Claim | undefined)[] = [];
  /** The start of the line; `#tail` is its end. */
  #head = 0;
  #tail = 0;
  /** The last claim added to the line. */
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

  /** Removes and returns the best claim; there must be one. */
  shift(): Claim {
    const inLine = this.#firstInLine();
    const claim = this.#heap.size === 0 && inLine !== undefined ? inLine : (this.first as Claim);
    this.remove(claim);
    return claim;
  }

  /** Removes a claim; a no-op if it is absent. Never add a removed claim again. */
  remove(claim: Claim): void {
    if (claim.place < 0) return;
    if (claim.place !== IN_LINE) this.#heap.remove(claim);
    else if (claim === this.#line[this.#head]) this.#line[this.#head] = undefined;
    claim.place = -1;
    if (--this.#size === 0) this.#startLine();
  }

  /** Reuses a short line: a chain of tasks would make an array for each task. */
  #startLine(): void {
    if (this.#tail > KEPT_PLACES) this.#line = [];
    // A loop: for one or two places `fill` takes several times as long.
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
