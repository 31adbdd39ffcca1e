import type { AnyFlow } from '../flow-types.ts';
import { checkNumber } from '../model/check.ts';
import { viewError } from '../model/error.ts';
import type { CoverageReport } from './coverage.ts';
import { definitionOf, type Exploration } from './explore.ts';
import { Model, type TestPathOptions } from './flow-model.ts';
import { type Lint, lintDefinition } from './lint.ts';
import { PathError } from './path-error.ts';
import type { TestOptions } from './replay.ts';
import type { Cut, SearchBound } from './search-bound.ts';
import { judge } from './verdict.ts';

/** How a flow is tested as a whole. */
export interface FlowTestOptions extends TestPathOptions {
  /** Least share of what can be covered that the test paths must cover, from 0 to 1. Default 0. */
  readonly threshold?: number | undefined;
  /** For the test paths. Default: scripted bodies. */
  readonly test?: TestOptions | undefined;
  /** Hears when a path has been tried, of how many. */
  readonly onPath?: ((done: number, of: number) => void) | undefined;
}

/** A test path and what came of it. */
export interface TestedPath {
  readonly description: string;
  readonly seed: string;
  readonly steps: number;
  /** Where engine and model differ; `undefined` where they agree. */
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

/** All that can be said of a flow without knowing what its bodies do. */
export interface FlowTest {
  readonly flow: string;
  /** Nothing was found, nothing cut the search, every path agrees, and coverage is at least the threshold. */
  readonly isGood: boolean;
  /** That in a sentence: why it is not good, or within which bounds it is. */
  readonly verdict: string;
  readonly lints: readonly Lint[];
  readonly exploration: Exploration;
  readonly paths: readonly TestedPath[];
  /** What cut the search, or the making of test paths; empty where nothing did. */
  readonly cutBy: readonly SearchBound<Cut>[];
  /** Of what was found to cover, how much no test path was made for, since making them took too many steps. */
  readonly uncovered: number;
  /** Of the test paths. */
  readonly coverage: CoverageReport;
  readonly threshold: number;
}

/**
 * Lints a flow, explores its model, and has the real engine go a covering set of test paths.
 *
 * @throws FlowError for an option that will not do
 */
export async function testFlow(flow: AnyFlow, options: FlowTestOptions = {}): Promise<FlowTest> {
  const { threshold = 0, test, onPath, ...given } = options;
  const { cover: _, ...looking } = given;
  checkNumber({ option: 'threshold', owner: 'testFlow' }, threshold, { min: 0 });
  const definition = definitionOf(flow, 'testFlow');
  const lints = lintDefinition(definition, options.outcomes);
  const model = new Model(definition, looking);
  const { exploration, paths: pathsOf } = model.look('testFlow', given);
  const paths: TestedPath[] = [];
  // Where the model itself is wrong its paths would tell the same again, and again.
  const isBroken = exploration.findings.some(({ isBuiltIn }) => isBuiltIn);
  const made = isBroken ? undefined : pathsOf();
  const { paths: tests = [], cutBy = exploration.cutBy, left = 0 } = made ?? {};
  for (const { description, seed, steps, test: go } of tests) {
    const path = { description, seed, steps: steps.length };
    try {
      await go(test);
      paths.push(path);
    } catch (error) {
      if (!(error instanceof PathError)) throw error;
      const { difference, story, mermaid, script, seed: shortest } = error;
      paths.push({
        ...path,
        error: { message: difference || viewError(error).message, story, mermaid, script, seed: shortest },
      });
    }
    onPath?.(paths.length, tests.length);
  }
  const coverage = model.coverage();
  const judged = { exploration, cutBy, paths, coverage, threshold };
  return { flow: exploration.flow, ...judge(judged), lints, ...judged, uncovered: left };
}
