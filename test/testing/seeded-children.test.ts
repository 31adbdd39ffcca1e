// What is wrong with the engine's child runs is found by paths through trees of runs. That nothing is found where nothing
// is wrong: see `child-runs.test.ts`.

import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { childDefects } from './child-defects.ts';
import { childScenarios } from './child-scenarios.ts';
import { Copies, hunt } from './seeding.ts';

const test = spec('seeded defects of child runs');

const copies = new Copies();

test.after(() => copies.remove());

for (const defect of childDefects) {
  test(`are found: ${defect.name}`, async () => {
    const scenarios = childScenarios.filter(({ name }) => name === defect.shownBy);
    const found = await hunt(await copies.load(defect), scenarios);
    assert.ok(found !== undefined, 'nothing is found');
    assert.ok(found.length < 20, `${found.length} steps are no short counter-example`);
  });
}
