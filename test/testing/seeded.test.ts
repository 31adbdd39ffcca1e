// Topple's own tests of paths must find what is wrong: defects are seeded in copies of engine, ledger and machines.

import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { childDefects } from './child-defects.ts';
import { crashDefects } from './crash-defects.ts';
import { defects } from './defects.ts';
import { scenarios } from './scenarios.ts';
import { Copies, hunt, shareOf } from './seeding.ts';
import { valueDefects } from './value-defects.ts';

const test = spec('seeded defects');

const copies = new Copies();

test.after(() => copies.remove());

test('nothing is found where nothing is wrong', async () => {
  assert.is(await hunt(await copies.load(undefined), scenarios), undefined);
});

for (const defect of shareOf(defects)) {
  test(`are found: ${defect.name}`, async () => {
    const found = await hunt(await copies.load(defect), scenarios);
    assert.ok(found !== undefined, 'nothing is found');
    assert.ok(found.length < 20, `${found.length} steps are no short counter-example`);
  });
}

test('have each a row in docs/testing.md', () => {
  const page = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8');
  assert.equal(
    [...defects, ...valueDefects, ...crashDefects, ...childDefects]
      .filter(({ name }) => !page.includes(`| ${name} |`))
      .map(({ name }) => name),
    [],
  );
});

test('that are out of date are no defects', async () => {
  const gone = { name: 'gone', file: 'src/engine/engine.ts', find: 'no such text', put: '' };
  await copies.load(gone).then(
    () => assert.unreachable(),
    ({ message }) => assert.match(message, /"gone" is out of date: its text stands 0 times/),
  );
});
