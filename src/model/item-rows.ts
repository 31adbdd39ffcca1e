import type { Rows } from './graph-rows.ts';

/** The rows of tasks `0`, `1`, … that depend on nothing. Their numbers follow from their ids. */
export function itemRows(count: number): Rows {
  const start = new Int32Array(count + 1);
  return {
    ids: Array.from({ length: count }, (_, index) => String(index)),
    indexes: { get: (id) => numberOf(id, count) },
    upstreamStart: start,
    upstreamList: noEdges,
    downstreamStart: start,
    downstreamList: noEdges,
    isForward: true,
  };
}

const noEdges = new Int32Array(0);

/** Whether a task can be an item of a map: `0`, `1`, …. */
export function isItemId(id: string): boolean {
  return numberOf(id, Number.POSITIVE_INFINITY) !== undefined;
}

function numberOf(id: string, count: number): number | undefined {
  const number = Number(id);
  return Number.isInteger(number) && number >= 0 && number < count && String(number) === id
    ? number
    : undefined;
}
