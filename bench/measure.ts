import type { Job, Limits } from './plan.ts';
import { JobProcess, TooLongError } from './process.ts';
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

export interface Measured {
  readonly rows: Row[];
  /** What could not be measured as the others, in words. */
  readonly remarks: string[];
}

/** A first run that takes longer is given up: the engine does not get this far. */
const giveUpMs = 60_000;

/** A job whose first run takes longer has one cold figure, and few warm rounds. */
const slowMs = 3_000;
const slowRounds = 3;

/** A flow of more tasks is run cold only. */
const mostWarmTasks = 100_000;

/** Figures are steady when the median of five rounds is no more than this below that of the five before. */
const steadiness = 0.03;

/** One job, while its group is measured. */
interface Track {
  readonly job: Job;
  readonly cold: Sample[];
  readonly warmUp: Sample[];
  readonly warm: Sample[];
  process: JobProcess | undefined;
  isSlow: boolean;
}

/** Measures jobs in turn, round by round, each in processes of its own. */
export async function measure(group: readonly Job[], limits: Limits, endsAt: number): Promise<Measured> {
  const remarks: string[] = [];
  const tracks = group.map(
    (job): Track => ({ job, cold: [], warmUp: [], warm: [], process: undefined, isSlow: false }),
  );
  try {
    let going = await startCold(tracks, limits, remarks);
    going = going.filter(({ job }) => job.tasks <= mostWarmTasks);
    await warmUp(
      going.filter((track) => !track.isSlow),
      limits,
      endsAt,
    );
    await measureWarm(going, limits, endsAt);
    for (const track of going) await track.process?.checkOrder(giveUpMs);
  } finally {
    await Promise.all(tracks.map((track) => track.process?.end()));
  }
  for (const { job, warm } of tracks) {
    if (warm.length > 0 && warm.length < limits.rounds) {
      remarks.push(`${nameOf(job)}: ${warm.length} warm rounds instead of ${limits.rounds}`);
    }
  }
  return { rows: tracks.flatMap(rowsOf), remarks };
}

/** The first run of several fresh processes, one at a time; the last process of each job goes on. Returns what can. */
async function startCold(tracks: readonly Track[], limits: Limits, remarks: string[]): Promise<Track[]> {
  let going = [...tracks];
  for (let turn = 1; turn <= limits.processes; turn++) {
    for (const track of going) {
      if (track.isSlow) continue;
      await track.process?.end();
      track.process = new JobProcess(track.job);
      try {
        const startedAt = Date.now();
        track.cold.push(await track.process.round(coldRuns(track.job, limits), giveUpMs));
        track.isSlow = Date.now() - startedAt > slowMs;
      } catch (error) {
        if (!(error instanceof TooLongError)) throw error;
        remarks.push(`${nameOf(track.job)}: one run ${error.message}`);
        await track.process.end();
        going = going.filter((other) => other !== track);
      }
    }
  }
  return going;
}

async function warmUp(tracks: readonly Track[], limits: Limits, endsAt: number): Promise<void> {
  const until = Date.now() + (endsAt - Date.now()) * 0.5;
  let isSteady = tracks.length === 0;
  while (!isSteady && Date.now() < until) {
    for (const track of tracks) track.warmUp.push(await warmRound(track, limits));
    isSteady = tracks.every((track) => track.warmUp.length >= limits.warmUpRounds && steady(track.warmUp));
  }
}

async function measureWarm(tracks: readonly Track[], limits: Limits, endsAt: number): Promise<void> {
  for (let round = 1; round <= limits.rounds && (round <= slowRounds || Date.now() < endsAt); round++) {
    for (const track of tracks) {
      if (!track.isSlow || round <= slowRounds) track.warm.push(await warmRound(track, limits));
    }
  }
}

async function warmRound({ process, job }: Track, limits: Limits): Promise<Sample> {
  if (process === undefined) throw new Error(`${nameOf(job)} has no process`);
  return process.round(warmRuns(job, limits), 2 * giveUpMs);
}

/** The figures fall while the process warms up. */
function steady(samples: readonly Sample[]): boolean {
  const cost = samples.slice(-10).map(({ defineCpuUs, runCpuUs }) => defineCpuUs + runCpuUs);
  return median(cost.slice(5)) > median(cost.slice(0, 5)) * (1 - steadiness);
}

const coldRuns = (job: Job, { signups }: Limits): number => (job.workload === 'signup' ? signups : 1);

/** Small flows are run several times in a round, which is then long enough to be timed. */
const warmRuns = (job: Job, { signups }: Limits): number =>
  job.workload === 'signup' ? signups : Math.max(1, Math.round(10_000 / job.tasks));

function rowsOf({ job, cold, warm }: Track): Row[] {
  const rows: Row[] = [];
  if (cold.length > 0) rows.push(rowOf(job, 'cold', cold));
  if (warm.length > 0) rows.push(rowOf(job, 'warm', warm));
  return rows;
}

function rowOf(
  { engine, workload, tasks }: Job,
  temperature: Row['temperature'],
  samples: readonly Sample[],
): Row {
  // Define and run are of the round in the middle, so that their sum is one that was measured.
  const middle = samples.toSorted((a, b) => costOf(a) - costOf(b))[
    Math.floor((samples.length - 1) / 2)
  ] as Sample;
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

const costOf = ({ defineCpuUs, runCpuUs }: Sample): number => defineCpuUs + runCpuUs;

export function nameOf({ engine, workload, tasks }: Job): string {
  return `${engine}, ${workload}, ${tasks.toLocaleString('en')} tasks`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle - 0.5)] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000;
