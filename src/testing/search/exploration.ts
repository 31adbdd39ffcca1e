import type { Cause, SettledRunStatus } from '../../model/status.ts';
import type { Coverage, CoverageReport } from '../cover/coverage.ts';
import type { FlowWorld } from '../model/flow-world.ts';
import type { Moves } from '../model/moves.ts';
import type { ChildTask, EndingsFound, StartsFound } from './child-runs.ts';
import type { Covering } from './covering.ts';
import type { SearchBounds } from './explore-options.ts';
import type { Finding } from './finding.ts';
import type { Search, SearchOptions } from './search.ts';
import type { Cut, Limit, SearchBound } from './search-bound.ts';

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
  /** The child runs of its tasks, each explored alone, those of children after their parents. */
  readonly children: readonly ChildExploration[];
}

/** A run that is a task's child, explored alone. */
export interface ChildExploration
  extends Pick<Exploration, 'flow' | 'isComplete' | 'situations' | 'steps' | 'coverage'> {
  /** The task, after the tasks whose children lead to it: `publish/upload`. */
  readonly path: string;
  /** The length of the map's list; `undefined` for the run of a flow. */
  readonly items: number | undefined;
  /** The ways in which it can end: outcomes of the task, each with the seed of a shortest path. */
  readonly endings: readonly {
    readonly status: SettledRunStatus;
    readonly cause: Cause | undefined;
    readonly seed: string;
  }[];
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
  readonly children: readonly ChildTask<Explored>[];
  readonly ends: EndingsFound;
  readonly starts: StartsFound;
}
