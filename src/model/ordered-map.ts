/**
 * A map for short-lived values, in insertion order.
 *
 * Each value has its own place, emptied when the value is removed: V8's map keeps its former tables, and their
 * contents, alive until a full collection. An old table keeps all younger ones, so removed values would grow old too,
 * and make the short collections long.
 */
export class OrderedMap<Key, Value> {
  readonly #places = new Map<Key, Place<Key, Value>>();
  /** In insertion order; empty places are removed once they are the majority. */
  #order: Place<Key, Value>[] = [];
  #came = 0;

  get size(): number {
    return this.#places.size;
  }

  get(key: Key): Value | undefined {
    return this.#places.get(key)?.value;
  }

  /** Replaces a value that has the key. */
  set(key: Key, value: Value): void {
    this.delete(key);
    const place = { key, value, number: ++this.#came };
    this.#places.set(key, place);
    this.#order.push(place);
  }

  delete(key: Key): boolean {
    const place = this.#places.get(key);
    if (place === undefined) return false;
    place.value = undefined;
    this.#places.delete(key);
    if (this.#order.length > 2 * this.size + 32) this.#order = [...this.#places.values()];
    return true;
  }

  /** Removes the oldest value and returns its key. */
  shift(): Key | undefined {
    for (const key of this.#places.keys()) {
      this.delete(key);
      return key;
    }
    return undefined;
  }

  /** All current values. */
  toArray(): Value[] {
    return Array.from(this.#places.values(), ({ value }) => value as Value);
  }

  /**
   * Keys and values with their insertion numbers: those below `before`, newest or oldest first. Costs only the items
   * read. The map must not change meanwhile.
   */
  *entries({
    before = Number.POSITIVE_INFINITY,
    newestFirst = false,
  } = {}): Generator<[key: Key, value: Value, number: number]> {
    const order = this.#order;
    const end = countBelow(order, before);
    for (let at = 0; at < end; at++) {
      const { key, value, number } = order[newestFirst ? end - 1 - at : at] as Place<Key, Value>;
      if (value !== undefined) yield [key, value, number];
    }
  }
}

interface Place<Key, Value> {
  readonly key: Key;
  value: Value | undefined;
  /** The number of insertions up to this one, inclusive. */
  readonly number: number;
}

/** The number of places, in the order of their numbers, that have a lower number. */
function countBelow(order: readonly { readonly number: number }[], number: number): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((order[middle] as { readonly number: number }).number < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
