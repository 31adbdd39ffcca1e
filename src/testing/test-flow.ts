import type { AnyFlow } from '../flow-types.ts';
import { checkNumber } from '../model/check.ts';
import { viewError } from '../model/error.ts';
import { Model, type TestPathOptions } from './flow-model.ts';
import { lintDefinition } from './lint/lint.ts';
import { definitionOf } from './model/definition-of.ts';
import { PathError } from './replay/path-error.ts';
import type { TestOptions } from './replay/replay.ts';
import type { FlowTest, TestedPath } from './report/flow-test.ts';
import { judge } from './report/verdict.ts';

/** The options for testing a flow as a whole. */
export interface FlowTestOptions extends TestPathOptions {
  /** The least share of what can be covered that the test paths must cover, from 0 to 1. Default 0. */
  readonly threshold?: number | undefined;
  /** The options for the test paths. Default: scripted bodies. */
  readonly test?: TestOptions | undefined;
  /** Called after each path: the number done, the total. */
  readonly onPath?: ((done: number, of: number) => void) | undefined;
}

/**
 * Lints a flow, explores its model, and replays a covering set of test paths with the real engine.
 *
 * @throws FlowError for an invalid option
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
  // If the model itself is wrong, its paths would only report the same again.
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
