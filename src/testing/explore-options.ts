import { badOption, checkKeys, checkNumber, type NumberRule } from '../model/check.ts';
import type { AttemptOutcome, Command } from './moves.ts';
import { isProperty, type Property } from './properties.ts';

/**
 * What is left out since it leads nowhere else:
 *
 * - `none`: nothing
 * - `situations`: every situation is reached, commuting steps are taken in one order (sleep sets), and of tasks that
 *   may change places one stands for all (symmetry)
 * - `endings`: every ending is reached, by one order of what commutes (persistent sets): of the situations on the way
 *   only those of that order, and commands are given in these
 * - `auto`: `situations`, and where that takes more than 250,000 steps (of more than 50 tasks 12.5 million divided by
 *   their number), or more than `maxSituations`, `endings`
 */
export type Reduction = 'none' | 'situations' | 'endings' | 'auto';

/** How far to look. */
export interface ExploreOptions {
  /** Every schedule with at most so many failed, fatal, timed-out or expired attempts. Default 2. */
  readonly maxFailures?: number | undefined;
  /** At most so many commands on a path; the end of a pause is none. Default 2. */
  readonly maxCommands?: number | undefined;
  /** Which commands are given. Default: all but `rerun`. */
  readonly commands?: readonly Command[] | undefined;
  /** What attempts may come to, by task. Default: what their options say; see `outcomesOf`. */
  readonly outcomes?: Readonly<Record<string, readonly AttemptOutcome[]>> | undefined;
  /** No path has more steps; one that could go on cuts the search. Default: no bound. */
  readonly maxDepth?: number | undefined;
  /** More situations cut the search. Default 200,000, of more than 50 tasks 10 million divided by their number. */
  readonly maxSituations?: number | undefined;
  /** Cuts the search after so long, and the making of test paths after as long again. Default 120,000 ms. */
  readonly maxMs?: number | undefined;
  /** Default `auto`. */
  readonly reduction?: Reduction | undefined;
  /** What is to hold beside what is built in. At most 40. Default: none. */
  readonly properties?: readonly Property[] | undefined;
  /** As of the engine or of one run: attempts at one time. Default: the flow's. */
  readonly concurrency?: number | undefined;
  /** As of the engine: slots of pools that the flow does not name itself. Default: none, so that such a pool has no limit. */
  readonly pools?: Readonly<Record<string, number>> | undefined;
}

export const allCommands: readonly Command[] = ['cancel', 'pause', 'stop', 'out of time', 'rerun'];

const names = new Set([
  'maxFailures',
  'maxCommands',
  'commands',
  'outcomes',
  'maxDepth',
  'maxSituations',
  'maxMs',
  'reduction',
  'properties',
  'concurrency',
  'pools',
]);
const count: NumberRule = { min: 0, integer: true, infinity: true };
const slots: NumberRule = { min: 1, integer: true, infinity: true };
const reductions: readonly Reduction[] = ['none', 'situations', 'endings', 'auto'];

/** The options with their defaults. */
export type SearchBounds = {
  readonly [Name in Exclude<keyof ExploreOptions, 'concurrency' | 'pools'>]-?: Exclude<
    ExploreOptions[Name],
    undefined
  >;
};

/** Throws `FlowError` where an option will not do. */
export function readOptions(
  owner: string,
  given: ExploreOptions,
  more: readonly string[] = [],
): SearchBounds {
  checkKeys({ option: 'options', owner }, given, new Set([...names, ...more]));
  const place = (option: string) => ({ option, owner });
  const bounds: SearchBounds = {
    maxFailures: given.maxFailures ?? 2,
    maxCommands: given.maxCommands ?? 2,
    commands: given.commands ?? ['cancel', 'pause', 'stop', 'out of time'],
    outcomes: given.outcomes ?? {},
    maxDepth: given.maxDepth ?? Number.POSITIVE_INFINITY,
    maxSituations: given.maxSituations ?? 200_000,
    maxMs: given.maxMs ?? 120_000,
    reduction: given.reduction ?? 'auto',
    properties: given.properties ?? [],
  };
  for (const option of ['maxFailures', 'maxCommands', 'maxDepth', 'maxSituations'] as const)
    checkNumber(place(option), bounds[option], count);
  checkNumber(place('maxMs'), bounds.maxMs, { min: 0, infinity: true });
  if (given.concurrency !== undefined) checkNumber(place('concurrency'), given.concurrency, slots);
  for (const [pool, size] of Object.entries(given.pools ?? {}))
    checkNumber(place(`pools.${pool}`), size, slots);
  if (!reductions.includes(bounds.reduction))
    throw badOption(place('reduction'), `one of ${reductions.join(', ')}`, bounds.reduction);
  const unknown = bounds.commands.find((command) => !allCommands.includes(command));
  if (unknown !== undefined) throw badOption(place('commands'), `of ${allCommands.join(', ')}`, unknown);
  const notOne = bounds.properties.find((property) => !isProperty(property));
  if (notOne !== undefined)
    throw badOption(place('properties'), 'made by `always`, `never`, `eventually` or `leadsTo`', notOne);
  if (bounds.properties.length > 40)
    throw badOption(place('properties'), 'at most 40 of them', bounds.properties.length);
  return bounds;
}
