import type { AnyFlow } from '../flow-types.ts';
import { checkNumber } from '../model/check.ts';
import { viewError } from '../model/error.ts';
import type { CoverageReport } from './coverage.ts';
import { definitionOf, type Exploration } from './explore.ts';
import { Model, type TestPathOptions } from './flow-model.ts';
import { type Lint, lintDefinition } from './lint.ts';
import { PathError, type TestOptions } from './replay.ts';

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
  /** Nothing was found, every path agrees, and coverage is at least the threshold. */
  readonly isGood: boolean;
  readonly lints: readonly Lint[];
  readonly exploration: Exploration;
  readonly paths: readonly TestedPath[];
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
  const tests = exploration.findings.some(({ isBuiltIn }) => isBuiltIn) ? [] : pathsOf();
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
  const isGood =
    exploration.findings.length === 0 &&
    paths.every(({ error }) => error === undefined) &&
    coverage.share >= threshold;
  return { flow: exploration.flow, isGood, lints, exploration, paths, coverage, threshold };
}
