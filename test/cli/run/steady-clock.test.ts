import * as assert from 'uvu/assert';
import { createSteadyClock } from '../../../src/cli/run/steady-clock.ts';
import { spec } from '../../spec.ts';

const test = spec('steady clock');

test('begins with the time of day, and does not follow it', () => {
  const before = Date.now();
  const clock = createSteadyClock();
  const { now } = Date;
  try {
    Date.now = () => now() + 3_600_000;
    const read = clock.now();
    assert.ok(Number.isInteger(read));
    assert.ok(read >= before - 1 && read <= now() + 1, `${read - before}`);
  } finally {
    Date.now = now;
  }
});
