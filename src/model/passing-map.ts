/**
 * A map of what comes and goes, in the order of coming.
 *
 * Each value has a place of its own, which is emptied when the value leaves: V8's map hangs on to its former tables,
 * and to what stands in these, until a full collection. A table that has grown old keeps all younger ones, so that
 * what passed through would grow old too, and make the short collections long.
 */
export class PassingMap<Key, Value> {
  readonly #places = new Map<Key, { value: Value | undefined }>();

  get size(): number {
    return this.#places.size;
  }

  get(key: Key): Value | undefined {
    return this.#places.get(key)?.value;
  }

  /** In place of a value that had the key. */
  set(key: Key, value: Value): void {
    this.delete(key);
    this.#places.set(key, { value });
  }

  delete(key: Key): boolean {
    const place = this.#places.get(key);
    if (place === undefined) return false;
    place.value = undefined;
    return this.#places.delete(key);
  }

  /** Takes out the one that came first, and gives its key. */
  shift(): Key | undefined {
    for (const key of this.#places.keys()) {
      this.delete(key);
      return key;
    }
    return undefined;
  }

  /** All values now. */
  toArray(): Value[] {
    return Array.from(this.#places.values(), ({ value }) => value as Value);
  }

  /** All keys and values now. */
  entries(): [Key, Value][] {
    return Array.from(this.#places, ([key, { value }]) => [key, value as Value]);
  }
}
