// Topple's own tests of paths must find what is wrong: defects are seeded in copies of engine, ledger and machines.

import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { defects } from './defects.ts';
import { scenarios } from './scenarios.ts';
import { Copies, type Found, hunt } from './seeding.ts';

const test = spec('seeded defects');

const copies = new Copies();
const missed: string[] = [];

test.after(() => copies.remove());

test('nothing is found where nothing is wrong', async () => {
  assert.is(await hunt(await copies.load(undefined), scenarios), undefined);
});

for (const defect of defects) {
  test(`looked for: ${defect.name}`, async () => {
    const found: Found | undefined = await hunt(await copies.load(defect), scenarios);
    if (found === undefined) missed.push(defect.name);
    else assert.ok(found.length < 20, `${found.length} steps are no short counter-example`);
  });
}

test('at least 24 were seeded, and all but two are found', () => {
  assert.ok(defects.length >= 24);
  assert.ok(missed.length <= 2, missed.join('\n'));
});

test('docs/testing.md has a row for each', () => {
  const page = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8');
  assert.equal(
    defects.filter(({ name }) => !page.includes(`| ${name} |`)).map(({ name }) => name),
    [],
  );
});

test('a defect that is out of date is no defect', async () => {
  const gone = { name: 'gone', file: 'src/engine/engine.ts', find: 'no such text', put: '' };
  await copies.load(gone).then(
    () => assert.unreachable(),
    ({ message }) => assert.match(message, /"gone" is out of date: its text stands 0 times/),
  );
});
