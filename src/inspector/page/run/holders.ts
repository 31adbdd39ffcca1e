import type { Moment } from './recording.ts';
import { statuses } from './status-log.ts';
import type { Structure } from './structure.ts';

/** The limit that keeps a task from starting, and the tasks that use it up. */
export interface Holders {
  /** The limit in words. */
  readonly limit: string;
  readonly tasks: readonly number[];
}

const running = statuses.indexOf('running');

/** Finds the full limit that a ready task waits at; `undefined` if none that the page knows is full. */
export function holdersOf(structure: Structure, { codes }: Moment, task: number): Holders | undefined {
  const { concurrency, pools = {}, tasks } = structure;
  const pool = tasks[task]?.pool;
  const under = [...codes.keys()].filter((other) => codes[other] === running);
  const slots = pool !== undefined && Object.hasOwn(pools, pool) ? pools[pool] : undefined;
  const inPool = under.filter((other) => tasks[other]?.pool === pool);
  if (slots !== undefined && inPool.length >= slots)
    return { limit: `pool \`${pool}\` has ${slots === 1 ? '1 slot' : `${slots} slots`}`, tasks: inPool };
  if (concurrency !== undefined && under.length >= concurrency)
    return { limit: `the run has ${concurrency === 1 ? '1 slot' : `${concurrency} slots`}`, tasks: under };
  return undefined;
}
