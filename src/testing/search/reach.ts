import type { ChildBody, FlowDefinition } from '../../model/definition.ts';
import { isToleranceCut } from '../model/child-flow.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Moves } from '../model/moves.ts';
import { nameOfEnding } from './child-runs.ts';
import type { ChildExploration } from './exploration.ts';
import type { SearchBounds } from './explore-options.ts';
import type { Search, SearchOptions } from './search.ts';

/** The extent of a search, and what it left out, in sentences. */
export interface Reach {
  readonly covered: readonly string[];
  readonly notCovered: readonly string[];
}

/** A search that is to be described. */
export interface Searched {
  readonly world: FlowWorld;
  readonly moves: Moves;
  readonly bounds: SearchBounds;
  readonly search: Search;
  readonly reduction: SearchOptions['reduction'];
  /** The steps of a search for every situation that was given up for this one. */
  readonly givenUpAt: number | undefined;
  readonly children: readonly ChildExploration[];
  /** Whether child runs have an undo. */
  readonly hasUndoBelow: boolean;
}

/** Describes the extent of a search. */
export function tellReach({
  world,
  moves,
  bounds,
  search,
  reduction,
  givenUpAt,
  children,
  hasUndoBelow,
}: Searched): Reach {
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
  covered.push(...tellChildren(children));
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
  notCovered.push(...tellLeftOut(world.definition, hasUndoBelow), ...never);
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

/** Says of each child what of it was explored, and how it can end. */
function tellChildren(children: readonly ChildExploration[]): string[] {
  return children.map(({ path, flow, items, situations, endings }) => {
    const which = items === undefined ? `flow ${flow}` : count(items, 'item');
    const ends = endings.map(nameOfEnding).join(', ');
    return `the child of \`${path}\` alone (${which}): ${count(situations, 'situation')}; it ends ${ends || 'in no way'}`;
  });
}

/** Says what exploring children alone leaves out. */
function tellLeftOut({ tasks, hasChildren, hasUndo }: FlowDefinition, hasUndoBelow: boolean): string[] {
  const undo = [...(hasUndo ? leftOfUndo : []), ...(hasUndoBelow ? ['undo in child runs'] : [])];
  if (!hasChildren) return [...undo];
  const left = [
    ...undo,
    'orders of the steps of a child and of what goes on beside it, and commands to a run while its child is half way',
    'limits of slots that a child shares with its parent and with other children',
  ];
  const maps = tasks.filter(({ body }) => body.kind === 'map');
  if (maps.length > 0) left.push('lists of other lengths than those named');
  for (const { id, body } of maps)
    if (isToleranceCut(body as ChildBody))
      left.push(`the tolerance of \`${id}\` as it is: it is explored with one that a few failures exceed`);
  return left;
}

const leftOfUndo = ['retries and time limits of undo, commands while a run is undone, and reruns after that'];

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
