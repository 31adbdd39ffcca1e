import { type Workload, workloads } from './workloads.ts';

export const engineNames = [
  'topple',
  'flow.machine',
  'p-graph',
  'effect',
  'effect-by-hand',
  'async.auto',
  'fastq',
  'promises',
] as const;
export type EngineName = (typeof engineNames)[number];

/** One engine under one workload. */
export interface Job {
  readonly engine: EngineName;
  readonly workload: Workload;
  /** Tasks of the flow; 6 for `signup`, however often it is run. */
  readonly tasks: number;
}

/** The extent of the measurement. */
export interface Limits {
  /** Fresh processes for each cold figure. */
  readonly processes: number;
  /** Sign-ups in a round. */
  readonly signups: number;
  /** Minimum number of rounds before a job can count as steady. */
  readonly warmUpRounds: number;
  /** Measured rounds after that. */
  readonly rounds: number;
  /** Time limit for everything; the groups share it. */
  readonly totalMs: number;
}

export const fullLimits: Limits = {
  processes: 5,
  signups: 10_000,
  warmUpRounds: 15,
  rounds: 15,
  totalMs: 30 * 60_000,
};
export const quickLimits: Limits = {
  processes: 3,
  signups: 2_000,
  warmUpRounds: 15,
  rounds: 15,
  totalMs: 75_000,
};

export interface Choice {
  readonly quick: boolean;
  readonly only: readonly EngineName[];
  readonly workload: readonly Workload[];
  readonly tasks: readonly number[];
}

const quickEngines: readonly EngineName[] = ['topple', 'p-graph', 'effect'];
const quickWorkloads: readonly Workload[] = ['layered', 'chain', 'fan', 'signup'];

/** Groups jobs that are measured in turn, so that fluctuations of the machine affect all alike. */
export function planGroups({ quick, only, workload, tasks }: Choice): Job[][] {
  const asked = only.length > 0 ? only : quick ? quickEngines : engineNames;
  const chosen = workload.length > 0 ? workload : quick ? quickWorkloads : workloads;
  const sizes = tasks.length > 0 ? tasks : quick ? [10_000] : [1_000, 10_000, 100_000];

  const jobs = (name: Workload, size: number, engines = asked): Job[] => {
    if (!chosen.includes(name)) return [];
    const able = engines.filter(
      (engine) => canDo(engine, name) && (tasks.length > 0 || getsAsFarAs(engine, size)),
    );
    return able.map((engine) => ({ engine, workload: name, tasks: size }));
  };
  // Sizes of a workload are consecutive, since they are compared too.
  const groups = [
    ...sizes.map((size) => [
      ...jobs('layered', size),
      // Next to `layered`, with which they are compared.
      ...(tasks.length > 0 || size === 10_000 ? [...jobs('retries', size), ...jobs('inspect', size)] : []),
    ]),
    ...sizes.map((size) => jobs('chain', size)),
    ...sizes.map((size) => jobs('fan', size)),
    jobs('signup', 6),
  ];
  if (!quick && tasks.length === 0)
    groups.push(
      jobs(
        'layered',
        1_000_000,
        asked.filter((engine) => engine === 'topple'),
      ),
    );
  return groups.filter((group) => group.length > 0);
}

function canDo(engine: EngineName, workload: Workload): boolean {
  if (workload === 'retries') return engine === 'topple' || engine === 'promises';
  return engine === 'topple' || workload !== 'inspect';
}

/** The cost of async.auto grows with the square of the tasks: large sizes are tried only on request. */
function getsAsFarAs(engine: EngineName, size: number): boolean {
  return engine !== 'async.auto' || size <= 10_000;
}
