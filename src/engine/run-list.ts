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

  /** Adds a run as the newest. */
  add(id: string, run: Run): void {
    this.delete(id);
    this.#places.set(id, { run });
  }

  delete(id: string): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    place.run = undefined;
    this.#places.delete(id);
  }

  /** Id of the oldest. */
  get first(): string | undefined {
    for (const id of this.#places.keys()) return id;
    return undefined;
  }

  /** All of them now. */
  toArray(): Run[] {
    return Array.from(this.#places.values(), ({ run }) => run as Run);
  }
}
