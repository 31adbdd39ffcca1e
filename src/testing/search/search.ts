import type { Situation, Taken } from '../model/situation.ts';
import type { Step } from '../model/steps.ts';
import type { Reduction, SearchBounds } from './explore-options.ts';

/** The bounds and the kind of a search. */
export interface SearchOptions extends SearchBounds {
  readonly reduction: Exclude<Reduction, 'auto'>;
  /** Whether one of interchangeable tasks stands for all, unless `reduction` is `none`. Default true. */
  readonly symmetry?: boolean | undefined;
  /** The most steps that are taken. Default: no bound. */
  readonly maxSteps?: number | undefined;
  /** An instant of `performance.now()`. Default: `maxMs` from the beginning of the search. */
  readonly deadline?: number | undefined;
}

/** A property that does not hold, and the shortest path to a counter-example. */
export interface Violation {
  readonly property: string;
  readonly message: string;
  readonly path: readonly Step[];
}

/** Receives each step that is taken, for coverage. */
export interface Observer {
  /** @param node where the step begins, -1 for the start of the run */
  onStep(node: number, before: Situation | undefined, step: Step | undefined, taken: Taken): void;
}

/** The result of a search with one kind of reduction. */
export interface Search {
  readonly situations: number;
  /** The steps taken; each leads to a new or a known situation. */
  readonly steps: number;
  /** Counts situations from which nothing more can happen. */
  readonly endings: number;
  readonly violations: readonly Violation[];
  /** The bound that stopped the search; `undefined` if it finished. */
  readonly stoppedBy: 'maxSituations' | 'maxSteps' | 'maxMs' | undefined;
  /** Whether paths were cut at `maxDepth`. */
  readonly isCut: boolean;
  /** Sets of tasks of which one stood for all. */
  readonly interchangeable: readonly (readonly number[])[];
  readonly depth: number;
  pathTo(node: number): Step[];
}
