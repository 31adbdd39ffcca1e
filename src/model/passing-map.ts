/**
 * A map of what comes and goes, in the order of coming.
 *
 * Each value has a place of its own, which is emptied when the value leaves: V8's map hangs on to its former tables,
 * and to what stands in these, until a full collection. A table that has grown old keeps all younger ones, so that
 * what passed through would grow old too, and make the short collections long.
 */
export class PassingMap<Key, Value> {
  readonly #places = new Map<Key, Place<Key, Value>>();
  /** In the order of coming; those whose value has left are taken out once they are the greater part. */
  #order: Place<Key, Value>[] = [];
  #came = 0;

  get size(): number {
    return this.#places.size;
  }

  get(key: Key): Value | undefined {
    return this.#places.get(key)?.value;
  }

  /** In place of a value that had the key. */
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

  /**
   * Keys and values with the numbers of their coming: those of a lower number than `before`, the last one first or the
   * first one first. Costs what is read of it. Nothing may come or go meanwhile.
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
  /** How many had come by then, itself included. */
  readonly number: number;
}

/** How many of these places, in the order of their numbers, have a lower one. */
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
