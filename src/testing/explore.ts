import { isFlow } from '../flow.ts';
import type { AnyFlow } from '../flow-types.ts';
import { badOption } from '../model/check.ts';
import type { FlowDefinition } from '../model/definition.ts';
import { isBuiltInName } from './built-in.ts';
import { scriptOf, sequenceOf } from './counter-example.ts';
import { Coverage, type CoverageReport } from './coverage.ts';
import { Covering } from './covering.ts';
import { type Bounds, type ExploreOptions, readOptions } from './explore-options.ts';
import { Explorer, type Observer, ReadsGrew, type Search, type Violation } from './explorer.ts';
import { FlowWorld } from './flow-world.ts';
import type { Cover } from './goals.ts';
import { Moves } from './moves.ts';
import { findPossible } from './possible.ts';
import { type Step, seedOf } from './steps.ts';
import { describePath, tellPath } from './story.ts';
import { Watch } from './watch.ts';

/** A property that does not hold in the model, and a shortest path to where it does not. */
export interface Finding {
  readonly property: string;
  /** Whether it is a property that every flow has. */
  readonly isBuiltIn: boolean;
  readonly message: string;
  /** The path in one line. */
  readonly description: string;
  /** The path step by step. */
  readonly story: readonly string[];
  /** The path as a Mermaid sequence diagram. */
  readonly mermaid: string;
  /** The path as a text that `pathOf` of a flow's model reads. */
  readonly seed: string;
  /** A module that has the real engine go the path. */
  readonly script: string;
  readonly path: readonly Step[];
}

/** What came of exploring a flow. */
export interface Exploration {
  readonly flow: string;
  /** Whether everything within the bounds was looked at, as far as `reduction` says. */
  readonly isComplete: boolean;
  readonly reduction: 'none' | 'situations' | 'endings';
  readonly situations: number;
  readonly steps: number;
  readonly endings: number;
  /** Steps of the longest path that was looked at. */
  readonly depth: number;
  readonly elapsedMs: number;
  readonly findings: readonly Finding[];
  readonly coverage: CoverageReport;
  /** What was looked at, and what was not, in sentences. */
  readonly covered: readonly string[];
  readonly notCovered: readonly string[];
}

/** An exploration with what test paths are made of. */
export interface Explored {
  readonly exploration: Exploration;
  readonly world: FlowWorld;
  readonly moves: Moves;
  readonly bounds: Bounds;
  readonly coverage: Coverage;
  readonly search: Search;
  readonly covering: Covering | undefined;
}

/**
 * Goes through every situation that a flow's model can come to, within bounds, and asks in each whether what must hold
 * does. What attempts come to, what settles first and when commands come is chosen in every way; no body is called,
 * and no time passes: any wait may be over before any other.
 *
 * @throws FlowError for an option that will not do
 */
export function explore(flow: AnyFlow, options: ExploreOptions = {}): Exploration {
  return exploreFlow(definitionOf(flow, 'explore'), readOptions('explore', options), options).exploration;
}

/** The definition of a flow; throws `FlowError` where it is none. */
export function definitionOf(flow: AnyFlow, owner: string): FlowDefinition {
  if (isFlow(flow)) return flow.definition;
  throw badOption({ option: 'flow', owner }, 'a flow, made by `createFlow`', flow);
}

/** The same for whoever wants more than the report. */
export function exploreFlow(
  definition: FlowDefinition,
  given: Bounds,
  limits: ExploreOptions,
  cover?: Cover,
): Explored {
  const bounds = { ...given, maxSituations: limits.maxSituations ?? situationsFor(definition.tasks.length) };
  const startedAt = performance.now();
  const world = new FlowWorld(definition, limits);
  const moves = new Moves(definition, bounds.commands, bounds.outcomes);
  const possible = findPossible(definition, moves, bounds.maxFailures > 0);
  const watch = new Watch(definition, bounds.properties);
  // Who asks for what may happen to each task means this one, whose body is its own, and not one like it.
  const twinsApart = cover === 'tasks' || cover === 'pairs';
  const left = (): number => Math.max(bounds.maxMs - (performance.now() - startedAt), 0);

  const searchBy = (reduction: Exploration['reduction'], maxMs: number) => {
    // Whenever properties have looked at more than was known, some of what was left out may matter after all.
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
        const search = new Explorer(
          world,
          moves,
          watch,
          { ...bounds, maxMs, twinsApart },
          reduction,
          possible,
          observer,
        ).run();
        return { search, coverage, covering, reduction };
      } catch (error) {
        if (!(error instanceof ReadsGrew)) throw error;
      }
    }
  };

  let found: ReturnType<typeof searchBy> | undefined = searchBy(
    bounds.reduction === 'auto' ? 'situations' : bounds.reduction,
    bounds.reduction === 'auto' ? bounds.maxMs / 2 : bounds.maxMs,
  );
  let tooMany: number | undefined;
  if (
    bounds.reduction === 'auto' &&
    found.search.stoppedBy !== undefined &&
    found.search.violations.length === 0
  ) {
    tooMany = found.search.situations;
    // What it remembers makes room for the other search.
    found = undefined;
  }
  const { search, coverage, covering, reduction } = found ?? searchBy('endings', left());
  coverage.share(search.twins);
  const sentences = tell(world, moves, bounds, search, reduction, tooMany);
  const exploration: Exploration = {
    flow: definition.name,
    isComplete: search.stoppedBy === undefined && !search.isCut,
    reduction,
    situations: search.situations,
    steps: search.steps,
    endings: search.endings,
    depth: search.depth,
    elapsedMs: performance.now() - startedAt,
    findings: search.violations.map((violation) => findingOf(world, violation)),
    coverage: coverage.report(),
    ...sentences,
  };
  return { exploration, world, moves, bounds, coverage, search, covering };
}

/** Situations of a flow of so many tasks that memory has room for: each remembers how every task stands. */
function situationsFor(tasks: number): number {
  return Math.min(200_000, Math.max(Math.floor(10_000_000 / Math.max(tasks, 1)), 1_000));
}

/** A violation with its story. */
export function findingOf(world: FlowWorld, { property, message, path }: Violation): Finding {
  const told = tellAsFarAsPossible(world, path);
  const isBuiltIn = isBuiltInName(property);
  return { property, isBuiltIn, message, ...told, seed: seedOf(path), script: scriptOf(world, path), path };
}

/** The last step may be the one that the model cannot take. */
function tellAsFarAsPossible(
  world: FlowWorld,
  path: readonly Step[],
): Pick<Finding, 'description' | 'story' | 'mermaid'> {
  const tellAll = (steps: readonly Step[]) => ({
    description: describePath(world, steps),
    story: tellPath(world, steps),
    mermaid: sequenceOf(world, steps),
  });
  try {
    return tellAll(path);
  } catch {
    return tellAll(path.slice(0, -1));
  }
}

function tell(
  { definition }: FlowWorld,
  moves: Moves,
  bounds: Bounds,
  search: Search,
  reduction: Exploration['reduction'],
  tooMany: number | undefined,
): Pick<Exploration, 'covered' | 'notCovered'> {
  const { maxFailures, maxCommands, maxDepth } = bounds;
  const covered = [
    `every schedule with at most ${count(maxFailures, 'failure')} (failed, fatal, timed out, expired) and at most ${count(maxCommands, 'command')} of: ${[...moves.commands].join(', ') || 'none'}`,
  ];
  const notCovered: string[] = [];
  if (reduction === 'situations') covered.push('every situation; commuting steps in one order (sleep sets)');
  if (reduction === 'none') covered.push('every situation, and every step from each');
  if (reduction === 'endings') {
    covered.push(
      'every ending, by one order of what commutes (persistent sets); commands in each situation on these ways',
    );
    notCovered.push('situations that other orders of commuting steps come through, and commands given there');
  }
  if (tooMany !== undefined) notCovered.push(`the search for every situation was given up at ${tooMany}`);
  for (const twins of search.twins)
    covered.push(
      `one for all of ${twins.map((task) => `\`${definition.graph.ids[task]}\``).join(', ')}, which may change places`,
    );
  if (search.stoppedBy === 'maxMs')
    notCovered.push(
      `what comes after ${bounds.maxMs} ms of searching: paths of ${search.depth} steps and more are not all there`,
    );
  if (search.stoppedBy === 'maxSituations')
    notCovered.push(
      `what comes after ${bounds.maxSituations} situations: paths of ${search.depth} steps and more are not all there`,
    );
  if (search.isCut) notCovered.push(`paths after ${maxDepth} steps`);
  if (Number.isFinite(maxFailures))
    notCovered.push(
      `schedules with more than ${count(maxFailures, 'failure')} or more than ${count(maxCommands, 'command')}`,
    );
  if (!moves.commands.has('rerun')) notCovered.push('reruns');
  notCovered.push(
    'how long anything takes: any wait may end before any other, also where the limits of the flow would not let it',
  );
  notCovered.push(
    'what bodies do, and what `retryIf`, `backoff`, `maxElapsedMs`, schemas and `output` decide',
  );
  notCovered.push('several things at one instant, and two runs that share pools');
  return { covered, notCovered };
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
