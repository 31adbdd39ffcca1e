import type { Grid, GridCell } from '../../protocol.ts';

/** A task over the runs of a grid. */
export interface GridRow {
  readonly task: number;
  /** The share of its runs in which it failed, or needed more than one attempt; from 0 to 1. */
  readonly flakiness: number;
  /** `undefined` if it has not run to an end. */
  readonly medianMs: number | undefined;
}

/** Sums up each task of a grid. */
export function gridRows({ tasks, runs }: Grid): GridRow[] {
  return tasks.map((_, task) => {
    const cells = runs.flatMap(({ cells }) =>
      (cells[task] ?? null) === null ? [] : [cells[task] as GridCell],
    );
    const settled = cells.filter(([status]) => status === 'done' || status === 'failed');
    const bad = settled.filter(([status, attempts]) => status === 'failed' || attempts > 1);
    const times = settled.flatMap(([, , ranMs]) => (ranMs === null ? [] : [ranMs])).sort((a, b) => a - b);
    return {
      task,
      flakiness: settled.length === 0 ? 0 : bad.length / settled.length,
      medianMs: times[Math.floor((times.length - 1) / 2)],
    };
  });
}
