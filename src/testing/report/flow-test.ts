import type { CoverageReport } from '../cover/coverage.ts';
import type { Lint } from '../lint/lint.ts';
import type { Exploration } from '../search/exploration.ts';
import type { Cut, SearchBound } from '../search/search-bound.ts';

/** A test path and its result. */
export interface TestedPath {
  readonly description: string;
  readonly seed: string;
  readonly steps: number;
  /** The difference between engine and model; `undefined` if they agree. */
  readonly error?:
    | {
        readonly message: string;
        readonly story: readonly string[];
        readonly mermaid: string;
        readonly script: string;
        readonly seed: string;
      }
    | undefined;
}

/** The result of testing a flow without knowing what its bodies do. */
export interface FlowTest {
  readonly flow: string;
  /** Whether nothing was found, nothing cut the search, all paths agree, and coverage is at least the threshold. */
  readonly isGood: boolean;
  /** Says in a sentence why it is not good, or within which bounds it is. */
  readonly verdict: string;
  readonly lints: readonly Lint[];
  readonly exploration: Exploration;
  readonly paths: readonly TestedPath[];
  /** The bounds that cut the search, or the making of test paths; empty if none did. */
  readonly cutBy: readonly SearchBound<Cut>[];
  /** The number of goals found that have no test path, since making them took too many steps. */
  readonly uncovered: number;
  /** The coverage of the test paths. */
  readonly coverage: CoverageReport;
  readonly threshold: number;
}
