// What only a crash shows is found by paths with crashes, and not by those without.

import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { crashDefects } from './crash-defects.ts';
import { scenarios } from './scenarios.ts';
import { Copies, hunt, shareOf, withCrash } from './seeding.ts';

const test = spec('seeded defects of crashes');

/** Those that have limits, retries, skips and failures; the others differ in rules. */
const manifold = scenarios.filter(({ name }) => !name.startsWith('rule '));

const copies = new Copies();

test.after(() => copies.remove());

for (const defect of shareOf(crashDefects)) {
  test(`are found: ${defect.name}`, async () => {
    const copy = await copies.load(defect);
    const found = await hunt(copy, scenarios, withCrash);
    assert.ok(found !== undefined, 'nothing is found');
    assert.ok(found.length < 20, `${found.length} steps are no short counter-example`);
    assert.is(await hunt(copy, manifold), undefined, 'it takes a crash');
  });
}
