// What only undo shows is found by flows with undo.

import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { Copies, hunt, shareOf, withCrash } from './seeding.ts';
import { undoDefects } from './undo-defects.ts';
import { undoScenarios } from './undo-scenarios.ts';

const test = spec('seeded defects of undo');

const copies = new Copies();

test.after(() => copies.remove());

test('are none without one', async () => {
  assert.is(await hunt(await copies.load(undefined), undoScenarios, withCrash), undefined);
});

for (const defect of shareOf(undoDefects)) {
  test(`are found: ${defect.name}`, async () => {
    const found = await hunt(await copies.load(defect), undoScenarios);
    if (process.env.TOPPLE_SHOW !== undefined) console.log(defect.name, found);
    assert.ok(found !== undefined, 'nothing is found');
    assert.ok(found.length < 20, `${found.length} steps are no short counter-example`);
  });
}
