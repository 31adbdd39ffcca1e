/** What one process of the bench measures. */
export interface Job {
  readonly name: string;
  readonly engine: 'memory' | 'sqlite' | 'bullmq' | 'dbos';
  readonly measure: 'layered' | 'chain' | 'runs' | 'server' | 'recover' | 'page' | 'fsync';
  /** Tasks, runs, or runs a second. */
  readonly size: number;
  /** Runs at a time. */
  readonly atOnce?: number | undefined;
}

export const jobs: readonly Job[] = [
  { name: 'memory, layered 10,000', engine: 'memory', measure: 'layered', size: 10_000 },
  { name: 'SQLite, layered 10,000', engine: 'sqlite', measure: 'layered', size: 10_000 },
  { name: 'memory, chain 2,000', engine: 'memory', measure: 'chain', size: 2_000 },
  { name: 'SQLite, chain 2,000', engine: 'sqlite', measure: 'chain', size: 2_000 },
  { name: 'the file, syncs', engine: 'sqlite', measure: 'fsync', size: 500 },
  { name: 'memory, 1,000 runs', engine: 'memory', measure: 'runs', size: 1_000, atOnce: 1_000 },
  { name: 'SQLite, 1,000 runs', engine: 'sqlite', measure: 'runs', size: 1_000, atOnce: 1_000 },
  { name: 'BullMQ, 1,000 runs, 1 at a time', engine: 'bullmq', measure: 'runs', size: 1_000, atOnce: 1 },
  { name: 'BullMQ, 1,000 runs, 50 at a time', engine: 'bullmq', measure: 'runs', size: 1_000, atOnce: 50 },
  { name: 'BullMQ, 1,000 runs, 200 at a time', engine: 'bullmq', measure: 'runs', size: 1_000, atOnce: 200 },
  { name: 'DBOS, 1,000 runs, 1 at a time', engine: 'dbos', measure: 'runs', size: 1_000, atOnce: 1 },
  { name: 'DBOS, 1,000 runs, 50 at a time', engine: 'dbos', measure: 'runs', size: 1_000, atOnce: 50 },
  { name: 'DBOS, 1,000 runs, 200 at a time', engine: 'dbos', measure: 'runs', size: 1_000, atOnce: 200 },
  { name: 'memory, a server', engine: 'memory', measure: 'server', size: 300 },
  { name: 'SQLite, a server', engine: 'sqlite', measure: 'server', size: 300 },
  { name: 'SQLite, recovery of 100,000', engine: 'sqlite', measure: 'recover', size: 100_000 },
  { name: 'SQLite, first page of 1,000,000', engine: 'sqlite', measure: 'page', size: 1_000_000 },
];

export function jobOf(name: string): Job {
  const job = jobs.find((known) => known.name === name);
  if (job === undefined) throw new Error(`There is no measurement ${name}`);
  return job;
}
