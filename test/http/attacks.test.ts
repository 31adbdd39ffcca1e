import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { attack, targets } from './attacks.ts';

const test = spec('clients that misbehave');

for (const target of targets) {
  test(`neither end ${target.name}, nor take or hold its tasks, over HTTP/${target.version}`, async () => {
    const { requests, accepted, ...damage } = await attack(target, 100, 7);
    assert.equal(damage, { lost: 0, twice: 0, pending: 0, lines: [] });
    assert.ok(accepted > requests / 2 && accepted <= requests, `${accepted}`);
  });
}
