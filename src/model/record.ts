import type { Graph } from './graph.ts';

/**
 * V8 learns shapes for this many keys; objects with ever new keys beyond these become tables anyway, at twice the cost.
 */
const SHAPES = 500;

/**
 * An empty plain object for keys of which there are `kinds` in all. If these are too many for shapes it is a table from
 * the start, which V8 makes of an object after a property is deleted.
 */
export function createRecord<T>(kinds: number): Record<string, T> {
  if (kinds <= SHAPES) return {};
  const record: { x?: number } = { x: 0 };
  delete record.x;
  return record as Record<string, T>;
}

/**
 * The same for records of a task's dependencies, by id. A sole dependency shared by many tasks is worth a shape: at
 * most `SHAPES` dependencies have so large a part of all edges.
 */
export function createUpstreamRecord<T>(graph: Graph, task: number): Record<string, T> {
  const { size, edgeCount, upstreamStart, upstreamList, downstreamStart } = graph;
  const first = upstreamStart[task] as number;
  if (upstreamStart[task + 1] !== first + 1) return createRecord(size);
  const only = upstreamList[first] as number;
  const dependents = (downstreamStart[only + 1] as number) - (downstreamStart[only] as number);
  return createRecord(dependents * SHAPES >= edgeCount ? 1 : size);
}

/** Sets an own property of any name: on a plain object `__proto__ = …` would set the prototype. */
export function put<T>(record: Record<string, T>, key: string, value: T): void {
  if (key !== '__proto__') record[key] = value;
  else Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
}

/** The own property of that name, if any; never one of `Object.prototype`. */
export function pick<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
