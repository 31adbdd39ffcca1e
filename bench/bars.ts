import type { EngineName } from './plan.ts';
import type { Row } from './rows.ts';
import type { Workload } from './workloads.ts';

/** A bound that the project commits to: a figure of at most `most`. */
export interface Bar {
  readonly what: string;
  readonly unit: '×' | ' µs' | ' MB';
  readonly most: number;
  /** Undefined if its rows were not measured. */
  readonly measured: number | undefined;
}

export function measureBars(rows: readonly Row[]): Bar[] {
  return [
    ...[10_000, 100_000].flatMap((size) => [
      against('p-graph', 0.8, rows, 'layered', size),
      against('p-graph', 0.8, rows, 'chain', size),
      against('p-graph', 1.2, rows, 'fan', size),
      against('effect', 0.5, rows, 'layered', size),
      against('effect', 0.5, rows, 'chain', size),
      against('effect', 1, rows, 'fan', size),
    ]),
    against('p-graph', 1, rows, 'signup', 6),
    against('effect', 0.35, rows, 'signup', 6),
    ...(['layered', 'chain'] as const).map((workload) => ({
      what: `${workload}, 100,000 tasks / 10,000`,
      unit: '×' as const,
      most: 1.5,
      measured: growthOf(rows, 'topple', workload),
    })),
    {
      what: 'fan, 100,000 tasks / 10,000, beside what bare promises grow by',
      unit: '×',
      most: 1.5,
      measured: ratio(growthOf(rows, 'topple', 'fan'), growthOf(rows, 'promises', 'fan')),
    },
    {
      what: 'every task fails twice (10,000, layered) / bare promises with the same failures',
      unit: '×',
      most: 3,
      measured: ratio(
        warmCost(rows, 'topple', 'retries', 10_000),
        warmCost(rows, 'promises', 'retries', 10_000),
      ),
    },
    {
      what: 'with an `inspect` that does nothing (10,000, layered) / without',
      unit: '×',
      most: 3,
      measured: ratio(
        warmCost(rows, 'topple', 'inspect', 10_000),
        warmCost(rows, 'topple', 'layered', 10_000),
      ),
    },
    {
      what: 'layered, 1,000,000 tasks, cold, per task',
      unit: ' µs',
      most: 25,
      measured: costOf(millionOf(rows)),
    },
    {
      what: 'layered, 1,000,000 tasks, memory',
      unit: ' MB',
      most: 2_048,
      measured: millionOf(rows)?.maxRssMb,
    },
  ];
}

/** Cost of definition and run together, for warm rows; all bars but the last two are set for it. */
export function costOf(row: Row | undefined): number | undefined {
  return row && row.defineCpuUsPerTask + row.runCpuUsPerTask;
}

function against(
  peer: EngineName,
  most: number,
  rows: readonly Row[],
  workload: Workload,
  size: number,
): Bar {
  return {
    what:
      workload === 'signup'
        ? `signup / ${peer}`
        : `${workload}, ${size.toLocaleString('en')} tasks / ${peer}`,
    unit: '×',
    most,
    measured: ratio(warmCost(rows, 'topple', workload, size), warmCost(rows, peer, workload, size)),
  };
}

/** What a task of 100,000 costs beside one of 10,000. */
function growthOf(rows: readonly Row[], engine: EngineName, workload: Workload): number | undefined {
  return ratio(warmCost(rows, engine, workload, 100_000), warmCost(rows, engine, workload, 10_000));
}

function warmCost(
  rows: readonly Row[],
  engine: EngineName,
  workload: Workload,
  size: number,
): number | undefined {
  return costOf(
    rows.find(
      (row) =>
        row.engine === engine &&
        row.workload === workload &&
        row.tasks === size &&
        row.temperature === 'warm',
    ),
  );
}

function millionOf(rows: readonly Row[]): Row | undefined {
  return rows.find((row) => row.engine === 'topple' && row.workload === 'layered' && row.tasks === 1_000_000);
}

function ratio(ours: number | undefined, theirs: number | undefined): number | undefined {
  return ours === undefined || theirs === undefined ? undefined : ours / theirs;
}
