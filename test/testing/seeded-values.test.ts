// What is handed on and told is compared too: defects that send nothing another way are seeded, and must be found.

import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { scenarios } from './scenarios.ts';
import { Copies, hunt, shareOf } from './seeding.ts';
import { valueDefects } from './value-defects.ts';

const test = spec('seeded defects of values');

const copies = new Copies();

test.after(() => copies.remove());

for (const defect of shareOf(valueDefects)) {
  test(`are found: ${defect.name}`, async () => {
    const found = await hunt(await copies.load(defect), scenarios);
    assert.is(found?.by, 'engine', 'nothing is found');
  });
}
