import { badOption, checkKeys, checkNumber, type NumberRule } from '../../model/check.ts';
import { type AttemptOutcome, allCommands, type Command } from '../model/moves.ts';
import { isProperty, type Property } from '../properties/properties.ts';

/**
 * The reduction: what a search leaves out because it leads nowhere else.
 *
 * - `none`: nothing
 * - `situations`: every situation is reached, commuting steps are taken in one order (sleep sets), and one task stands
 *   for all interchangeable ones (symmetry)
 * - `endings`: every ending is reached, by one order of commuting steps (persistent sets): only the situations of that
 *   order are on the way, and commands are given in these
 * - `auto`: `situations`; `endings` if that takes more than 250,000 steps (with more than 50 tasks, 12.5 million
 *   divided by their number) or more than `maxSituations`
 */
export type Reduction = 'none' | 'situations' | 'endings' | 'auto';

/** The bounds of a search. */
export interface ExploreOptions {
  /** The most failed, fatal, timed-out or expired attempts in a schedule. Default 2. */
  readonly maxFailures?: number | undefined;
  /** The most commands on a path; the end of a pause is none. Default 2. */
  readonly maxCommands?: number | undefined;
  /** The commands that are given. Default: all but `crash` and `rerun`. */
  readonly commands?: readonly Command[] | undefined;
  /** The outcomes of attempts, by task. Default: what the task's options allow; see `outcomesOf`. */
  readonly outcomes?: Readonly<Record<string, readonly AttemptOutcome[]>> | undefined;
  /** The most steps of a path; one that could go on cuts the search. Default: no bound. */
  readonly maxDepth?: number | undefined;
  /** The most situations; more cut the search. Default 200,000; above 50 tasks, 10 million divided by their number. */
  readonly maxSituations?: number | undefined;
  /** Cuts the search after this long, and the making of test paths after as long again. Default 120,000 ms. */
  readonly maxMs?: number | undefined;
  /** Default `auto`. */
  readonly reduction?: Reduction | undefined;
  /** Properties to check beside the built-in ones. At most 40. Default: none. */
  readonly properties?: readonly Property[] | undefined;
  /** The most attempts at one time, as of the engine or of one run. Default: the flow's. */
  readonly concurrency?: number | undefined;
  /** Slots of pools that the flow does not define, as set on the engine. Default: none, so that they have no limit. */
  readonly pools?: Readonly<Record<string, number>> | undefined;
}

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

/** Reads the options. Throws `FlowError` for an invalid one. */
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
