import type { Job } from './plan.ts';
import type { Sample } from './worker.ts';

/** A line of the results. Costs are in microseconds per task, of process CPU but for `wallUsPerTask`. */
export interface Row extends Job {
  /** `cold`: the first run of a fresh process. `warm`: once its figures are steady. */
  readonly temperature: 'cold' | 'warm';
  readonly defineCpuUsPerTask: number;
  readonly runCpuUsPerTask: number;
  /** Definition and run, from start to end. */
  readonly wallUsPerTask: number;
  readonly maxRssMb: number;
}

/** The row in the middle, by cost: so definition and run are of one round, and add up. */
export function rowOf(
  { engine, workload, tasks }: Job,
  temperature: Row['temperature'],
  samples: readonly Sample[],
): Row {
  const byCost = samples.toSorted((a, b) => costOf(a) - costOf(b));
  const middle = byCost[Math.floor((byCost.length - 1) / 2)] as Sample;
  return {
    engine,
    workload,
    tasks,
    temperature,
    defineCpuUsPerTask: round(middle.defineCpuUs),
    runCpuUsPerTask: round(middle.runCpuUs),
    wallUsPerTask: round(median(samples.map(({ wallUs }) => wallUs))),
    maxRssMb: Math.round(median(samples.map(({ maxRssMb }) => maxRssMb))),
  };
}

export const costOf = ({ defineCpuUs, runCpuUs }: Sample): number => defineCpuUs + runCpuUs;

export const nameOf = (job: Job): string => `${job.engine}, ${placeOf(job)}`;

export function placeOf({ workload, tasks }: Job): string {
  return workload === 'signup' ? workload : `${workload} ${tasks.toLocaleString('en')}`;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle - 0.5)] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000;
