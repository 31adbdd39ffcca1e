/**
 * Runs by their ids, oldest first.
 *
 * Each has a place of its own in the map, which is emptied when the run leaves: V8's map hangs on to its former
 * tables, and what stands in these, until a full collection. Under a few runs at a time a quarter of all runs would
 * outlive their end that way.
 */
export class RunList<Run extends object> {
  readonly #places = new Map<string, { run: Run | undefined }>();

  get size(): number {
    return this.#places.size;
  }

  get(id: string): Run | undefined {
    return this.#places.get(id)?.run;
  }

  /** Adds a run as the newest, in place of one with the same id. */
  add(id: string, run: Run): void {
    this.#places.delete(id);
    this.#places.set(id, { run });
  }

  /** Takes a run out; false where another one, or none, has its place. */
  delete(id: string, run: Run): boolean {
    const place = this.#places.get(id);
    if (place?.run !== run) return false;
    place.run = undefined;
    return this.#places.delete(id);
  }

  /** Takes the oldest out, and gives its id. */
  shift(): string | undefined {
    for (const [id, { run }] of this.#places) {
      this.delete(id, run as Run);
      return id;
    }
    return undefined;
  }

  /** All of them now. */
  toArray(): Run[] {
    return Array.from(this.#places.values(), ({ run }) => run as Run);
  }
}
