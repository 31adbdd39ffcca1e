// Values delivered at random moments: each is kept or refused, none lost or taken twice. `TOPPLE_SEEDS=300` tries so many runs
// of 40 deliveries, `TOPPLE_SEED` others.

import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { deliveryTrial, nothingTried } from '../support/delivery-trial.ts';

const test = spec('deliveries at random moments');

const runs = Number(process.env.TOPPLE_SEEDS ?? 25);
const seed = Number(process.env.TOPPLE_SEED ?? 1);

test(`are kept or refused, and none is lost or taken twice, in ${runs} runs`, async () => {
  const tried = nothingTried();
  for (let run = 0; run < runs; run++) {
    try {
      await deliveryTrial(seed * 10_000 + run, tried);
    } catch (error) {
      throw new Error(`seed ${seed * 10_000 + run}: ${(error as Error).stack}`, { cause: error });
    }
  }
  if (process.env.TOPPLE_SEEDS !== undefined) console.log(tried);
  for (const [what, times] of Object.entries(tried)) assert.ok(times > 0, `${what} was never tried`);
});
