/** Something that can happen next: the simulation decides when. */
export interface Point {
  /** Its name, the same in every schedule in which it comes about the same way. */
  readonly key: string;
  /** What it belongs to: gone with it. */
  readonly owner: unknown;
  /** Lets it happen. */
  readonly take: () => void;
}

interface Waiting {
  readonly point: Point;
  /** The step before which it is not taken while there is anything else. */
  readonly rank: number;
}

/** What can happen next, first come, first served, but for delays. */
export class Points {
  #waiting: Waiting[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  add(point: Point, rank: number): void {
    this.#waiting.push({ point, rank });
  }

  /** The rank of what is first; infinite if there is nothing. */
  get firstRank(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { rank } of this.#waiting) if (rank < first) first = rank;
    return first;
  }

  /** Removes what came as number so-and-so, and returns it with the step at which it came. */
  takeAt(place: number): readonly [point: Point, since: number] | undefined {
    const [taken] = this.#waiting.splice(place, 1);
    return taken && [taken.point, taken.rank];
  }

  /** Removes what is first. */
  takeFirst(): Point | undefined {
    let first = 0;
    for (let place = 1; place < this.#waiting.length; place++)
      if ((this.#waiting[place] as Waiting).rank < (this.#waiting[first] as Waiting).rank) first = place;
    return this.#waiting.splice(first, 1)[0]?.point;
  }

  /** Removes all that belongs to an owner. */
  drop(owner: unknown): void {
    this.#waiting = this.#waiting.filter(({ point }) => point.owner !== owner);
  }

  get keys(): readonly string[] {
    return this.#waiting.map(({ point }) => point.key);
  }
}
