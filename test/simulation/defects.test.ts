import assert from 'node:assert/strict';
import { spec } from '../spec.ts';
import { allDefects, heldOut } from './corpus/held-out.ts';
import { cases } from './corpus/index.ts';

const test = spec('mistakes of users');

const all = process.env.TOPPLE_DEFECTS === 'all';
/** A quarter of the mistakes; `TOPPLE_SEED` chooses which, and `TOPPLE_DEFECTS=all` takes all of them. */
const first = Number(process.env.TOPPLE_SEED ?? 0);
const share = allDefects.filter((_, place) => all || (place + first) % 4 === 0);

test('are 48, of at least 16 kinds, of which 12 are held out', () => {
  assert.equal(allDefects.length, 48);
  assert.equal(new Set(cases.flatMap(({ defects }) => Object.values(defects))).size >= 16, true);
  assert.equal(heldOut.size, 12);
});

for (const { name, defects, simulate } of cases) {
  test(`${name}: none is found in the flow as it should be`, async () => {
    (await simulate(undefined, { schedules: all ? 5_000 : 250, seed: first })).assert();
  });

  for (const defect of Object.keys(defects).filter((one) => share.includes(`${name}: ${one}`)))
    test(`${name}: ${defect}`, async () => {
      const { isGood, failures } = await simulate(defect, { seed: first });
      assert.equal(isGood, false);
      const [failure] = failures;
      const { faults = {}, commands = {} } = failure?.schedule ?? {};
      assert.ok(Object.keys(faults).length + Object.keys(commands).length <= 3);
      assert.ok((failure?.story.length ?? 0) <= 20);
    });
}
