/** An item of a heap. The heap writes `place`: the item's index, or -1. */
export interface HeapItem {
  place: number;
}

/** A binary heap whose items know their place, so that any item can be removed or moved in logarithmic time. */
export class Heap<Item extends HeapItem> {
  readonly #items: Item[] = [];
  readonly #isBefore: (a: Item, b: Item) => boolean;

  constructor(isBefore: (a: Item, b: Item) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  get first(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    item.place = this.#items.length;
    this.#items.push(item);
    this.#up(item);
  }

  /** Removes an item from any place; does nothing if it is not in the heap. */
  remove(item: Item): void {
    const { place } = item;
    if (place < 0) return;
    item.place = -1;
    const last = this.#items.pop() as Item;
    if (last === item) return;
    last.place = place;
    this.#items[place] = last;
    this.update(last);
  }

  /** Moves an item to its new place after its order has changed. */
  update(item: Item): void {
    if (this.#items.length === 1) return;
    this.#up(item);
    this.#down(item);
  }

  #up(item: Item): void {
    const items = this.#items;
    let { place } = item;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = items[above] as Item;
      if (!this.#isBefore(item, parent)) break;
      items[place] = parent;
      parent.place = place;
      place = above;
    }
    items[place] = item;
    item.place = place;
  }

  #down(item: Item): void {
    const items = this.#items;
    const size = items.length;
    let { place } = item;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= size) break;
      if (below + 1 < size && this.#isBefore(items[below + 1] as Item, items[below] as Item)) below++;
      const child = items[below] as Item;
      if (!this.#isBefore(child, item)) break;
      items[place] = child;
      child.place = place;
      place = below;
    }
    items[place] = item;
    item.place = place;
  }
}
