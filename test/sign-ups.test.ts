// The sign-up server of the examples is killed while people sign up. A share of what `npm run torture -- sign-up` does;
// TOPPLE_SEED chooses another.

import * as assert from 'uvu/assert';
import { spec } from './spec.ts';
import type { Report } from './torture/report.ts';
import { killSignUps } from './torture/sign-ups.ts';

const test = spec('sign-ups whose server is killed');
const seed = Number(process.env.TOPPLE_SEED ?? 1);

/** Everything accepted has settled, each person has one run and one mail, and those who asked again have joined. */
function bore({ faults, runs, repeats }: Report): void {
  assert.equal(faults, [], `with TOPPLE_SEED=${seed}`);
  assert.ok(runs > 4 && repeats > 0, `${runs} people, ${repeats} repeated requests`);
}

test('by SIGKILL, and by SIGTERM, and started again', async () => {
  bore(await killSignUps({ kills: 2, seed }));
});

test('where another shares the file', async () => {
  bore(await killSignUps({ kills: 1, seed, servers: 2 }));
});
