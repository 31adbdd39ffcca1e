import type { Job } from './plan.ts';
import type { Sample } from './worker.ts';

/** A line of the results. Costs are in microseconds of process CPU per task, except `wallUsPerTask`. */
export interface Row extends Job {
  /** `cold`: the first run of a fresh process. `warm`: a run once the figures are steady. */
  readonly temperature: 'cold' | 'warm';
  readonly defineCpuUsPerTask: number;
  readonly runCpuUsPerTask: number;
  /** Elapsed time of definition and run. */
  readonly wallUsPerTask: number;
  readonly maxRssMb: number;
}

/** The row of the sample with the median cost, so that definition and run are of the same round, and add up. */
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
