// Processes are killed while they run flows on an SQLite file. A share of what `npm run torture` does; TOPPLE_SEED
// chooses another.

import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { chanceOf } from './chance.ts';
import { Life } from './lives.ts';
import { killAtPositions, somePositions } from './positions.ts';
import { killLayered, killTwo } from './random-kills.ts';
import type { Report } from './report.ts';

const test = spec('runs whose process is killed');
const seed = Number(process.env.TOPPLE_SEED ?? 1);

/** Nothing that had settled was done again, nothing accepted or acknowledged is lost, and all ended as undisturbed. */
function bore({ faults }: Report): void {
  assert.equal(faults, [], `with TOPPLE_SEED=${seed}`);
}

test('at an entry of the journal: recorded, being kept, kept or told', async () => {
  const report = await killAtPositions(await somePositions(12, chanceOf(seed)));
  bore(report);
  assert.ok(report.kills === 12 && report.calls >= 12 * 10, `${report.calls} calls`);
});

test('at random, again and again, with 1,000 tasks', async () => {
  const report = await killLayered({ kills: 4, seed });
  bore(report);
  assert.ok(report.kills === 4 && report.calls >= 1_000, `${report.calls} calls`);
});

test('at random, one of two processes that share the runs', async () => {
  const report = await killTwo({ kills: 6, seed, runs: 60 });
  bore(report);
  assert.ok(report.kills === 6 && report.calls >= 60 * 7, `${report.calls} calls`);
});

test.after(() => Life.end());
