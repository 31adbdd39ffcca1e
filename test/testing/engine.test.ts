// topple's own engine goes every test path of the scenarios, and does on each what the model says.

import { createFlowFromGraph } from 'topple';
import { type CoverageReport, createFlowModel } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { flowFor, scenarios } from './scenarios.ts';

const test = spec("topple's engine");

function missedIn({ groups }: CoverageReport): string[] {
  return groups.flatMap(({ items }) => items.filter(({ isCovered }) => !isCovered).map(({ name }) => name));
}

for (const scenario of scenarios) {
  const { name, concurrency, pools, outcomes } = scenario;
  const commands = ['cancel', 'pause', 'stop', 'out of time', 'rerun'] as const;
  const model = createFlowModel(flowFor(createFlowFromGraph, scenario), {
    concurrency,
    pools,
    outcomes,
    commands,
    maxCommands: 2,
  });

  test(`${name}: nothing is found in the model`, () => {
    const { findings, isComplete, reduction } = model.explore({ maxCommands: 1 });
    assert.equal(
      findings.map(({ property, story }) => [property, story]),
      [],
    );
    assert.equal([isComplete, reduction], [true, 'situations']);
  });

  test(`${name}: the engine agrees with the model on every path`, async () => {
    const paths = model.getTestPaths({ cover: 'pairs' });
    for (const path of paths) await path.test();
    assert.ok(paths.length > 20, `${paths.length} paths`);
    // What the paths leave out nothing could cover: the exploration has not come to it either.
    assert.equal(missedIn(model.coverage()), missedIn(model.explore({ reduction: 'situations' }).coverage));
  });
}
