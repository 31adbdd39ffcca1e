import type { FlowWorld } from '../model/flow-world.ts';
import type { Moves } from '../model/moves.ts';
import type { SearchBounds } from './explore-options.ts';
import type { Search, SearchOptions } from './search.ts';

/** The extent of a search, and what it left out, in sentences. */
export interface Reach {
  readonly covered: readonly string[];
  readonly notCovered: readonly string[];
}

/**
 * Describes the extent of a search.
 *
 * @param givenUpAt steps of a search for every situation that was given up for this one
 */
export function tellReach(
  world: FlowWorld,
  moves: Moves,
  bounds: SearchBounds,
  search: Search,
  reduction: SearchOptions['reduction'],
  givenUpAt: number | undefined,
): Reach {
  const { maxFailures, maxCommands } = bounds;
  const covered = [
    `every schedule with at most ${count(maxFailures, 'failure')} (failed, fatal, timed out, expired) and at most ${count(maxCommands, 'command')} of: ${[...moves.commands].join(', ') || 'none'}`,
  ];
  if (reduction === 'situations') covered.push('every situation; commuting steps in one order (sleep sets)');
  if (reduction === 'none') covered.push('every situation, and every step from each');
  if (reduction === 'endings')
    covered.push(
      'every ending, by one order of what commutes (persistent sets); commands in each situation on these ways',
    );
  for (const tasks of search.interchangeable)
    covered.push(`one for all of ${idsOf(world, tasks)}, which may change places`);
  const notCovered = tellCuts(search, bounds);
  if (reduction === 'endings')
    notCovered.push('situations that other orders of commuting steps come through, and commands given there');
  if (givenUpAt !== undefined)
    notCovered.push(`every situation: the search for these was given up after ${givenUpAt} steps`);
  if (Number.isFinite(maxFailures))
    notCovered.push(
      `schedules with more than ${count(maxFailures, 'failure')} or more than ${count(maxCommands, 'command')}`,
    );
  if (!moves.commands.has('crash')) notCovered.push('crashes in the middle of a step');
  if (!moves.commands.has('rerun')) notCovered.push('reruns');
  notCovered.push(...never);
  return { covered, notCovered };
}

function tellCuts({ stoppedBy, isCut, depth }: Search, bounds: SearchBounds): string[] {
  const cuts: string[] = [];
  const missing = `paths of ${count(depth, 'step')} and more are not all there`;
  if (stoppedBy === 'maxMs') cuts.push(`what comes after ${bounds.maxMs} ms of searching: ${missing}`);
  if (stoppedBy === 'maxSituations')
    cuts.push(`what comes after ${bounds.maxSituations} situations: ${missing}`);
  if (isCut) cuts.push(`paths after ${count(bounds.maxDepth, 'step')}`);
  return cuts;
}

/** The limits of every search. */
const never = [
  'how long anything takes: any wait may end before any other, also where the limits of the flow would not let it',
  'what bodies do, and what `retryIf`, `backoff`, `maxElapsedMs`, schemas and `output` decide',
  'several things at one instant, and two runs that share pools',
];

function idsOf({ definition }: FlowWorld, tasks: readonly number[]): string {
  return tasks.map((task) => `\`${definition.graph.ids[task]}\``).join(', ');
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
