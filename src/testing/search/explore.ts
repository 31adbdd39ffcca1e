import type { AnyFlow } from '../../flow-types.ts';
import type { FlowDefinition } from '../../model/definition.ts';
import { Coverage } from '../cover/coverage.ts';
import type { Cover } from '../cover/goals.ts';
import type { ChildFlow } from '../model/child-flow.ts';
import { definitionOf } from '../model/definition-of.ts';
import { hasUndoBelow, withExploredUndo } from '../model/explored-undo.ts';
import { FlowWorld } from '../model/flow-world.ts';
import { Moves } from '../model/moves.ts';
import { findPossible } from '../model/possible.ts';
import { Watch } from '../properties/watch.ts';
import { allCuts, boundsInside, findingsIn, limitsInside, partsOf } from './child-exploration.ts';
import {
  type ChildRun,
  EndingsFound,
  exploreChildren,
  nameOfEnding,
  outcomesOfChildren,
  StartsFound,
} from './child-runs.ts';
import { situationsFor, stepsFor } from './counted-budget.ts';
import { Covering } from './covering.ts';
import type { Exploration, Explored } from './exploration.ts';
import { type ExploreOptions, readOptions, type SearchBounds } from './explore-options.ts';
import { Explorer, ReadsGrew } from './explorer.ts';
import { findingOf } from './finding.ts';
import { likelyEndings } from './likely-endings.ts';
import { tellReach } from './reach.ts';
import type { Observer, Search, SearchOptions, Violation } from './search.ts';
import { cutsOf, limitsOf } from './search-bound.ts';
import { Splicer } from './splice.ts';

/**
 * Searches the whole state space of a flow's model, within bounds, and checks the properties in each situation. It
 * tries every choice of attempts' outcomes, of what settles first and of when commands come; no body is called, and no
 * time passes: any wait may be over before any other.
 *
 * A task whose body is a run is explored by parts: its child alone, whose endings are then the outcomes of the task.
 *
 * @throws FlowError for an invalid option
 */
export function explore(flow: AnyFlow, options: ExploreOptions = {}): Exploration {
  return exploreFlow(definitionOf(flow, 'explore'), readOptions('explore', options), options).exploration;
}

/** Explores a flow, and gives more than the report. */
export function exploreFlow(
  whole: FlowDefinition,
  given: SearchBounds,
  limits: ExploreOptions,
  cover?: Cover,
): Explored {
  const definition = withExploredUndo(whole);
  const size = definition.tasks.length;
  const bounds = { ...given, maxSituations: limits.maxSituations ?? situationsFor(size) };
  const startedAt = performance.now();
  const world = new FlowWorld(definition, limits);
  const children = exploreChildren(definition, (child) =>
    exploreChild(definition, child, bounds, limits, cover),
  );
  const found = outcomesOfChildren(definition, children, bounds.commands);
  const moves = new Moves(definition, bounds.commands, bounds.outcomes, found);
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
      const ends = new EndingsFound();
      const starts = new StartsFound();
      const observer: Observer = {
        onStep: (node, before, step, taken) => {
          coverage.add(taken);
          covering?.add(node, before, step, taken);
          ends.add(node, step, taken.next);
          starts.add(node, step, taken);
        },
      };
      try {
        const search = new Explorer(world, moves, watch, searched, possible, observer).run();
        return { search, coverage, covering, reduction, ends, starts };
      } catch (error) {
        if (!(error instanceof ReadsGrew)) throw error;
      }
    }
  };

  const searched: Searched =
    bounds.reduction === 'auto' ? searchAuto(searchBy, size) : { found: searchBy(bounds.reduction) };
  const { givenUp } = searched;
  const { search, coverage, covering, reduction, ends, starts } = searched.found;
  coverage.share(search.interchangeable);
  const parts = children.flatMap((child) => partsOf(definition, child));
  const splicer = new Splicer({ world, moves, children, starts, search });
  const cutBy = allCuts(cutsOf(search, bounds), children);
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
    findings: [
      ...violationsOf(search, givenUp).map((violation) =>
        findingOf(world, { ...violation, path: splicer.inTree(violation.path) }),
      ),
      ...children.flatMap((child) => findingsIn(world, child, starts.pathTo(child.task, search.pathTo))),
    ],
    coverage: coverage.report(),
    ...tellReach({
      world,
      moves,
      bounds,
      search,
      reduction,
      givenUpAt: givenUp?.steps,
      children: parts,
      hasUndoBelow: hasUndoBelow(whole),
    }),
    children: parts,
  };
  return { exploration, world, moves, bounds, coverage, search, covering, children, ends, starts };
}

/** Explores a run that is a task's child alone, as its parent is explored. */
function exploreChild(
  parent: FlowDefinition,
  { definition }: ChildFlow,
  bounds: SearchBounds,
  limits: ExploreOptions,
  cover: Cover | undefined,
): Pick<ChildRun<Explored>, 'alone' | 'endings'> {
  const alone = exploreFlow(
    definition,
    boundsInside(definition, bounds),
    limitsInside(parent, limits),
    cover,
  );
  const { world, moves, search, ends } = alone;
  const endings = ends.endings(search.pathTo);
  const known = new Set(endings.map(nameOfEnding));
  return {
    alone,
    endings: [
      ...endings,
      ...likelyEndings(world, moves).filter((ending) => !known.has(nameOfEnding(ending))),
    ],
  };
}

/** A search and what was collected during it. */
interface Found extends Pick<Explored, 'search' | 'coverage' | 'covering' | 'ends' | 'starts'> {
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
