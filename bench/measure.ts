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

/** A job whose first run costs more has one cold figure, and few warm rounds. */
const slowCpuMs = 6_000;
const slowRounds = 3;

const mostWarmUpRounds = 60;

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
  /** Whether its figures have once been steady: on a busy machine they are not so for long. */
  isSteady: boolean;
}

/** Measures jobs in turn, round by round, each in processes of its own. */
export async function measure(group: readonly Job[], limits: Limits, endsAt: number): Promise<Measured> {
  const remarks: string[] = [];
  const tracks = group.map(
    (job): Track => ({
      job,
      cold: [],
      warmUp: [],
      warm: [],
      process: undefined,
      isSlow: false,
      isSteady: false,
    }),
  );
  try {
    const going = (await measureCold(tracks, limits, endsAt, remarks)).filter(
      ({ job }) => job.tasks <= mostWarmTasks,
    );
    const fast = going.filter((track) => !track.isSlow);
    const isSteady = await warmUp(fast, limits, endsAt);
    if (!isSteady)
      remarks.push(`${shortOf(group)}: not all were steady when the time for warming up was over`);
    await measureWarm(going, limits, endsAt);
    for (const track of going) await track.process?.checkOrder(giveUpMs);
  } finally {
    await Promise.all(tracks.map((track) => track.process?.end()));
  }
  const fewest = Math.min(...tracks.map(({ warm, isSlow }) => (isSlow ? limits.rounds : warm.length)));
  if (fewest > 0 && fewest < limits.rounds)
    remarks.push(`${shortOf(group)}: ${fewest} of ${limits.rounds} warm rounds`);
  for (const { job, warm, isSlow } of tracks) {
    if (isSlow && warm.length > 0)
      remarks.push(`${nameOf(job)}: slow, so ${warm.length} warm rounds and one cold run`);
  }
  return { rows: tracks.flatMap(rowsOf), remarks };
}

/**
 * The first run of several fresh processes, in turn, while a third of the time lasts; the last process of each job
 * goes on. Returns the jobs that get through a run.
 */
async function measureCold(
  tracks: readonly Track[],
  limits: Limits,
  endsAt: number,
  remarks: string[],
): Promise<Track[]> {
  const until = Date.now() + (endsAt - Date.now()) / 3;
  let going = [...tracks];
  for (let turn = 1; turn <= limits.processes && (turn === 1 || Date.now() < until); turn++) {
    const fresh = going.filter((track) => !track.isSlow);
    await Promise.all(fresh.map((track) => track.process?.end()));
    for (const track of fresh) track.process = new JobProcess(track.job);
    await Promise.all(fresh.map((track) => track.process?.ready));
    for (const track of fresh) {
      if (await firstRound(track, limits)) continue;
      remarks.push(`${nameOf(track.job)}: given up, one run takes more than ${giveUpMs / 1_000} s`);
      await track.process?.end();
      going = going.filter((other) => other !== track);
    }
  }
  return going;
}

/** False where it takes too long. */
async function firstRound(track: Track, limits: Limits): Promise<boolean> {
  const runs = coldRuns(track.job, limits);
  try {
    const sample = await processOf(track).round(runs, giveUpMs);
    track.cold.push(sample);
    track.isSlow = costOf(sample) * track.job.tasks * runs > slowCpuMs * 1_000;
    return true;
  } catch (error) {
    if (error instanceof TooLongError) return false;
    throw error;
  }
}

/** Whether all became steady, in the rounds and half of the time that there are for it. */
async function warmUp(tracks: readonly Track[], limits: Limits, endsAt: number): Promise<boolean> {
  const until = Date.now() + (endsAt - Date.now()) / 2;
  const isOver = (): boolean => tracks.every((track) => track.isSteady);
  for (let round = 1; !isOver() && round <= mostWarmUpRounds && Date.now() < until; round++) {
    for (const track of tracks) {
      track.warmUp.push(await warmRound(track, limits));
      track.isSteady ||= round >= limits.warmUpRounds && isSteady(track.warmUp);
    }
  }
  return isOver();
}

async function measureWarm(tracks: readonly Track[], limits: Limits, endsAt: number): Promise<void> {
  for (let round = 1; round <= limits.rounds && (round <= slowRounds || Date.now() < endsAt); round++) {
    for (const track of tracks) {
      if (!track.isSlow || round <= slowRounds) track.warm.push(await warmRound(track, limits));
    }
  }
}

function warmRound(track: Track, limits: Limits): Promise<Sample> {
  return processOf(track).round(warmRuns(track.job, limits), 2 * giveUpMs);
}

function processOf({ process, job }: Track): JobProcess {
  if (process === undefined) throw new Error(`${nameOf(job)} has no process`);
  return process;
}

/** The figures fall while the process warms up. */
function isSteady(samples: readonly Sample[]): boolean {
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

const shortOf = ([first]: readonly Job[]): string => (first === undefined ? '' : placeOf(first));

const costOf = ({ defineCpuUs, runCpuUs }: Sample): number => defineCpuUs + runCpuUs;

export const nameOf = (job: Job): string => `${job.engine}, ${placeOf(job)}`;

export function placeOf({ workload, tasks }: Job): string {
  return workload === 'signup' ? workload : `${workload} ${tasks.toLocaleString('en')}`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle - 0.5)] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000;
