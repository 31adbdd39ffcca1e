import { type Workload, workloads } from './workloads.ts';

export const engineNames = [
  'topple',
  'flow.machine',
  'p-graph',
  'effect',
  'async.auto',
  'fastq',
  'promises',
] as const;
export type EngineName = (typeof engineNames)[number];

/** One engine under one workload. */
export interface Job {
  readonly engine: EngineName;
  readonly workload: Workload;
  /** Of the flow; 6 for `signup`, however often it is run. */
  readonly tasks: number;
}

/** How much is measured. */
export interface Limits {
  /** Fresh processes for each cold figure. */
  readonly processes: number;
  /** Sign-ups in a round. */
  readonly signups: number;
  /** Rounds that a job runs at least before it can count as steady. */
  readonly warmUpRounds: number;
  /** Rounds that are measured, then. */
  readonly rounds: number;
  /** How long all of it may take; the groups share it. */
  readonly totalMs: number;
}

export const fullLimits: Limits = {
  processes: 5,
  signups: 10_000,
  warmUpRounds: 15,
  rounds: 15,
  totalMs: 60 * 60_000,
};
export const quickLimits: Limits = {
  processes: 3,
  signups: 2_000,
  warmUpRounds: 15,
  rounds: 15,
  totalMs: 76_000,
};

export interface Choice {
  readonly quick: boolean;
  readonly only: readonly EngineName[];
  readonly workload: readonly Workload[];
  readonly tasks: readonly number[];
}

const million = 1_000_000;
const quickEngines: readonly EngineName[] = ['topple', 'p-graph', 'effect'];

/** The jobs of a group are measured in turn, so that the machine's moods hit all alike. */
export function planGroups({ quick, only, workload, tasks }: Choice): Job[][] {
  const engines = engineNames.filter((name) =>
    (only.length > 0 ? only : quick ? quickEngines : engineNames).includes(name),
  );
  const chosen = workloads.filter((name) => workload.length === 0 || workload.includes(name));
  const sizes = tasks.length > 0 ? tasks : quick ? [10_000] : [1_000, 10_000, 100_000];
  const groups: Job[][] = [];

  const topple = engines.filter((name) => name === 'topple');
  const jobs = (names: readonly EngineName[], name: Workload, size: number): Job[] =>
    chosen.includes(name) ? names.map((engine) => ({ engine, workload: name, tasks: size })) : [];

  const hasExtras = !quick || workload.length > 0;
  for (const size of sizes) {
    const extras =
      hasExtras && (size === 10_000 || tasks.length > 0)
        ? [...jobs(topple, 'retries', size), ...jobs(topple, 'inspect', size)]
        : [];
    groups.push(
      [...jobs(engines, 'layered', size), ...extras],
      jobs(engines, 'chain', size),
      jobs(engines, 'fan', size),
    );
  }
  groups.push(jobs(engines, 'signup', 6));
  if (!quick && tasks.length === 0) groups.push(jobs(topple, 'layered', million));
  return groups.filter((group) => group.length > 0);
}
