import type { AnyFlow } from '../../flow-types.ts';
import type { FlowDefinition } from '../../model/definition.ts';
import { Coverage, type CoverageReport } from '../cover/coverage.ts';
import type { Cover } from '../cover/goals.ts';
import { definitionOf } from '../model/definition-of.ts';
import { FlowWorld } from '../model/flow-world.ts';
import { Moves } from '../model/moves.ts';
import { findPossible } from '../model/possible.ts';
import { Watch } from '../properties/watch.ts';
import { situationsFor, stepsFor } from './counted-budget.ts';
import { Covering } from './covering.ts';
import { type ExploreOptions, readOptions, type SearchBounds } from './explore-options.ts';
import { Explorer, ReadsGrew } from './explorer.ts';
import { type Finding, findingOf } from './finding.ts';
import { tellReach } from './reach.ts';
import type { Observer, Search, SearchOptions, Violation } from './search.ts';
import { type Cut, cutsOf, type Limit, limitsOf, type SearchBound } from './search-bound.ts';

/** The result of exploring a flow. */
export interface Exploration {
  readonly flow: string;
  /** Whether nothing cut the search: everything within `limitedBy` was searched. */
  readonly isComplete: boolean;
  /** The bounds that cut the search; empty if it is complete. */
  readonly cutBy: readonly SearchBound<Cut>[];
  /** The limits of the search. They are no cuts: all within was searched, or `cutBy` names the bound reached first. */
  readonly limitedBy: readonly SearchBound<Limit>[];
  readonly reduction: SearchOptions['reduction'];
  readonly situations: number;
  readonly steps: number;
  readonly endings: number;
  /** The number of steps of the longest path. */
  readonly depth: number;
  readonly elapsedMs: number;
  readonly findings: readonly Finding[];
  readonly coverage: CoverageReport;
  /** Sentences on what was searched. */
  readonly covered: readonly string[];
  readonly notCovered: readonly string[];
}

/** An exploration with the data that test paths are made of. */
export interface Explored {
  readonly exploration: Exploration;
  readonly world: FlowWorld;
  readonly moves: Moves;
  readonly bounds: SearchBounds;
  readonly coverage: Coverage;
  readonly search: Search;
  readonly covering: Covering | undefined;
}

/**
 * Searches the whole state space of a flow's model, within bounds, and checks the properties in each situation. It
 * tries every choice of attempts' outcomes, of what settles first and of when commands come; no body is called, and no
 * time passes: any wait may be over before any other.
 *
 * @throws FlowError for an invalid option
 */
export function explore(flow: AnyFlow, options: ExploreOptions = {}): Exploration {
  return exploreFlow(definitionOf(flow, 'explore'), readOptions('explore', options), options).exploration;
}

/** Explores a flow, and gives more than the report. */
export function exploreFlow(
  definition: FlowDefinition,
  given: SearchBounds,
  limits: ExploreOptions,
  cover?: Cover,
): Explored {
  const size = definition.tasks.length;
  const bounds = { ...given, maxSituations: limits.maxSituations ?? situationsFor(size) };
  const startedAt = performance.now();
  const world = new FlowWorld(definition, limits);
  const moves = new Moves(definition, bounds.commands, bounds.outcomes);
  const possible = findPossible(definition, moves, bounds.maxFailures > 0);
  const watch = new Watch(definition, bounds.properties);
  // These ask what may happen to each task: this very one, with its own body, not one like it.
  const symmetry = cover !== 'tasks' && cover !== 'pairs';

  const searchBy = (reduction: SearchOptions['reduction'], maxSteps?: number): Found => {
    const searched = { ...bounds, reduction, maxSteps, symmetry, deadline: startedAt + bounds.maxMs };
    // If properties have since read more than was known, some of what was left out may matter: search again.
    for (;;) {
      const coverage = new Coverage(world, moves, possible);
      const covering = cover === undefined ? undefined : new Covering(cover);
      const observer: Observer = {
        onStep: (node, before, step, taken) => {
          coverage.add(taken);
          covering?.add(node, before, step, taken);
        },
      };
      try {
        const search = new Explorer(world, moves, watch, searched, possible, observer).run();
        return { search, coverage, covering, reduction };
      } catch (error) {
        if (!(error instanceof ReadsGrew)) throw error;
      }
    }
  };

  const { found, givenUp }: Searched =
    bounds.reduction === 'auto' ? searchAuto(searchBy, size) : { found: searchBy(bounds.reduction) };
  const { search, coverage, covering, reduction } = found;
  coverage.share(search.interchangeable);
  const cutBy = cutsOf(search, bounds);
  const exploration: Exploration = {
    flow: definition.name,
    isComplete: cutBy.length === 0,
    cutBy,
    limitedBy: limitsOf(bounds, moves.commands, reduction),
    reduction,
    situations: search.situations,
    steps: search.steps,
    endings: search.endings,
    depth: search.depth,
    elapsedMs: performance.now() - startedAt,
    findings: violationsOf(search, givenUp).map((violation) => findingOf(world, violation)),
    coverage: coverage.report(),
    ...tellReach(world, moves, bounds, search, reduction, givenUp?.steps),
  };
  return { exploration, world, moves, bounds, coverage, search, covering };
}

/** A search and what was collected during it. */
interface Found extends Pick<Explored, 'search' | 'coverage' | 'covering'> {
  readonly reduction: SearchOptions['reduction'];
}

/** The rest of a search for every situation that would have taken too many steps. */
type GivenUp = Pick<Search, 'steps' | 'violations'>;

interface Searched {
  readonly found: Found;
  readonly givenUp?: GivenUp | undefined;
}

/** Searches for every situation if a counted number of steps is enough for that, else for every ending. */
function searchAuto(
  searchBy: (reduction: SearchOptions['reduction'], maxSteps?: number) => Found,
  size: number,
): Searched {
  const first = searchSituations(searchBy, size);
  // The first search is released here: its memory makes room for this one.
  return first.found === undefined ? { found: searchBy('endings'), givenUp: first.givenUp } : first;
}

function searchSituations(
  searchBy: (reduction: SearchOptions['reduction'], maxSteps?: number) => Found,
  size: number,
): Searched | { readonly found?: undefined; readonly givenUp: GivenUp } {
  const found = searchBy('situations', stepsFor(size));
  const { stoppedBy, steps, violations } = found.search;
  const isTooMuch = stoppedBy === 'maxSteps' || stoppedBy === 'maxSituations';
  return isTooMuch ? { givenUp: { steps, violations } } : { found };
}

/** The violations of both searches, one of each property; the first search has seen nearer situations. */
function violationsOf({ violations }: Search, givenUp: GivenUp | undefined): readonly Violation[] {
  if (givenUp === undefined) return violations;
  const known = new Set(givenUp.violations.map(({ property }) => property));
  return [...givenUp.violations, ...violations.filter(({ property }) => !known.has(property))];
}
