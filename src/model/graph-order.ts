import type { Rows } from './graph-rows.ts';

/** Whether there is a cycle: whether some task is left after all that can settle have settled. */
export function hasCycle(rows: Rows): boolean {
  if (rows.isForward) return false;
  const { downstreamStart, downstreamList } = rows;
  const size = rows.ids.length;
  const waitsFor = countUpstream(rows);
  const settled = new Int32Array(size);
  let count = 0;
  for (let i = 0; i < size; i++) if (waitsFor[i] === 0) settled[count++] = i;
  for (let at = 0; at < count; at++) {
    const task = settled[at] as number;
    const end = downstreamStart[task + 1] as number;
    for (let edge = downstreamStart[task] as number; edge < end; edge++) {
      const dependent = downstreamList[edge] as number;
      if (--(waitsFor[dependent] as number) === 0) settled[count++] = dependent;
    }
  }
  return count < size;
}

/** Topological order of a graph without cycles; of the tasks that may come next, the first defined comes first. */
export function definitionOrder(rows: Rows): Int32Array {
  const { downstreamStart, downstreamList } = rows;
  const size = rows.ids.length;
  const order = new Int32Array(size);
  if (rows.isForward) return order.map((_, task) => task);
  const waitsFor = countUpstream(rows);
  const ready = new SmallestFirst(size);
  for (let i = 0; i < size; i++) if (waitsFor[i] === 0) ready.add(i);
  for (let at = 0; at < size; at++) {
    const task = ready.take();
    order[at] = task;
    const end = downstreamStart[task + 1] as number;
    for (let edge = downstreamStart[task] as number; edge < end; edge++) {
      const dependent = downstreamList[edge] as number;
      if (--(waitsFor[dependent] as number) === 0) ready.add(dependent);
    }
  }
  return order;
}

function countUpstream(rows: Rows): Int32Array {
  const counts = new Int32Array(rows.ids.length);
  for (let i = 0; i < counts.length; i++) {
    counts[i] = (rows.upstreamStart[i + 1] as number) - (rows.upstreamStart[i] as number);
  }
  return counts;
}

/** A binary heap of numbers. */
class SmallestFirst {
  readonly #heap: Int32Array;
  #size = 0;

  constructor(capacity: number) {
    this.#heap = new Int32Array(capacity);
  }

  add(value: number): void {
    const heap = this.#heap;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((heap[parent] as number) < value) break;
      heap[at] = heap[parent] as number;
      at = parent;
    }
    heap[at] = value;
  }

  /** Removes and returns the smallest number; the heap must not be empty. */
  take(): number {
    const heap = this.#heap;
    const smallest = heap[0] as number;
    const size = --this.#size;
    const value = heap[size] as number;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && (heap[child + 1] as number) < (heap[child] as number)) child++;
      if (value < (heap[child] as number)) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = value;
    return smallest;
  }
}
