import type { Job, Limits } from './plan.ts';
import { JobProcess, TooLongError } from './process.ts';
import { costOf, median, nameOf, placeOf, type Row, rowOf } from './rows.ts';
import type { Sample } from './worker.ts';

export interface Measured {
  readonly rows: Row[];
  /** Sentences on jobs that could not be measured like the others. */
  readonly remarks: string[];
}

/** A job whose first run takes longer is given up: the engine does not get this far. */
const giveUpMs = 60_000;

/**
 * A job whose first run costs more has one cold figure, and few warm rounds. All other jobs wait for it: V8 shrinks the
 * heap of a process that waits for seconds, which costs it time in its next round, most with many tasks.
 */
const slowCpuMs = 3_000;
const slowRounds = 3;

/** Minimum number of measured rounds, even if the time is over. */
const fewestRounds = 5;

const mostWarmUpRounds = 60;

/** A flow of more tasks is only run cold. */
const mostWarmTasks = 100_000;

/** Figures are steady when the median of a few rounds differs by at most this share from that of as many before. */
const steadiness = 0.05;

/** The state of one job, while its group is measured. */
interface Track {
  readonly job: Job;
  readonly cold: Sample[];
  readonly warmUp: Sample[];
  readonly warm: Sample[];
  process: JobProcess | undefined;
  isSlow: boolean;
  /** Whether its figures have been steady once: on a busy machine they do not stay so. */
  isSteady: boolean;
}

/** Measures jobs in turn, round by round, each in its own processes. All have the same workload, or nearly so. */
export async function measure(group: readonly Job[], limits: Limits, endsAt: number): Promise<Measured> {
  const remarks: string[] = [];
  const tracks = group.map(trackOf);
  try {
    const able = await measureCold(tracks, limits, endsAt, remarks);
    const going = able.filter(({ job }) => job.tasks <= mostWarmTasks);
    await warmUp(going, limits, endsAt, remarks);
    await measureWarm(going, limits, endsAt, remarks);
    for (const track of going) await processOf(track).checkOrder(giveUpMs);
  } finally {
    await Promise.all(tracks.map((track) => track.process?.end()));
  }
  return { rows: tracks.flatMap(rowsOf), remarks };
}

function trackOf(job: Job): Track {
  return { job, cold: [], warmUp: [], warm: [], process: undefined, isSlow: false, isSteady: false };
}

/**
 * Measures the first run of several fresh processes, in turn, in a quarter of the time; the last process of each job is
 * kept. Returns the jobs that complete a run.
 */
async function measureCold(
  tracks: readonly Track[],
  limits: Limits,
  endsAt: number,
  remarks: string[],
): Promise<Track[]> {
  const until = Date.now() + (endsAt - Date.now()) / 4;
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

/** False if it takes too long. */
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

/** Warms up until all are steady, in at most two thirds of the time left. Slow jobs are not warmed up. */
async function warmUp(
  going: readonly Track[],
  limits: Limits,
  endsAt: number,
  remarks: string[],
): Promise<void> {
  const until = Date.now() + ((endsAt - Date.now()) * 2) / 3;
  const tracks = going.filter((track) => !track.isSlow);
  const isOver = (): boolean => tracks.every((track) => track.isSteady);
  for (let round = 1; !isOver() && round <= mostWarmUpRounds && Date.now() < until; round++) {
    for (const track of tracks) {
      track.warmUp.push(await warmRound(track, limits));
      track.isSteady ||= round >= warmUpRounds(track.job, limits) && isSteady(track.warmUp);
    }
  }
  for (const { job, isSteady, warmUp } of tracks) {
    if (!isSteady) remarks.push(`${nameOf(job)}: not steady after ${warmUp.length} rounds of warming up`);
  }
}

async function measureWarm(
  going: readonly Track[],
  limits: Limits,
  endsAt: number,
  remarks: string[],
): Promise<void> {
  let done = 0;
  for (; done < limits.rounds && (done < fewestRounds || Date.now() < endsAt); done++) {
    for (const track of going) {
      if (!track.isSlow || done < slowRounds) track.warm.push(await warmRound(track, limits));
    }
  }
  const [first] = going;
  if (first !== undefined && done < limits.rounds) {
    remarks.push(
      `${placeOf(first.job)}: ${done} warm rounds instead of ${limits.rounds}, because time ran out`,
    );
  }
  for (const { job, isSlow } of going) {
    if (isSlow) remarks.push(`${nameOf(job)}: slow, so one cold run and ${slowRounds} warm rounds`);
  }
}

function warmRound(track: Track, limits: Limits): Promise<Sample> {
  return processOf(track).round(warmRuns(track.job, limits), 10 * giveUpMs);
}

function processOf({ process, job }: Track): JobProcess {
  if (process === undefined) throw new Error(`${nameOf(job)} has no process`);
  return process;
}

/**
 * Compares the last rounds with as many before them: figures fall while a process warms up, and rise for some rounds
 * when the compiler optimises again. The number is even, since some engines alternate between cheap and expensive
 * rounds.
 */
function isSteady(samples: readonly Sample[]): boolean {
  const rounds = Math.min(6, Math.floor(samples.length / 2));
  const costs = samples.slice(-2 * rounds).map(costOf);
  return Math.abs(median(costs.slice(rounds)) / median(costs.slice(0, rounds)) - 1) <= steadiness;
}

/** Rounds of a large graph are long, so fewer warm it up. */
const warmUpRounds = ({ tasks }: Job, limits: Limits): number =>
  tasks > 10_000 ? Math.ceil(limits.warmUpRounds / 3) : limits.warmUpRounds;

const coldRuns = (job: Job, { signups }: Limits): number => (job.workload === 'signup' ? signups : 1);

/** Small flows run several times in a round, to make it long enough to be timed. */
const warmRuns = (job: Job, { signups }: Limits): number =>
  job.workload === 'signup' ? signups : Math.max(1, Math.round(10_000 / job.tasks));

function rowsOf({ job, cold, warm }: Track): Row[] {
  const rows: Row[] = [];
  if (cold.length > 0) rows.push(rowOf(job, 'cold', cold));
  if (warm.length > 0) rows.push(rowOf(job, 'warm', warm));
  return rows;
}
