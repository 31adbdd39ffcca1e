import * as assert from 'uvu/assert';
import { count, showCount, showDuration } from '../../src/model/duration.ts';
import { spec } from '../spec.ts';

const test = spec('durations and counts in words');

for (const [ms, words] of [
  [0, '0 ms'],
  [0.126, '0.13 ms'],
  [850, '850 ms'],
  [1_000, '1.0 s'],
  [12_340, '12.3 s'],
  [59_949, '59.9 s'],
  [59_950, '1 min'],
  [524_000, '8 min 44 s'],
  [3_600_000, '1 h'],
  [183_600_000, '2 d 3 h'],
  [86_400_000_000, '1,000 d'],
  [Number.NaN, 'NaN s'],
] as const) {
  test(`say ${words} for ${ms} ms`, () => assert.is(showDuration(ms), words));
}

test('have commas between thousands, and a noun of the right number', () => {
  assert.is(showCount(1_234_567.25), '1,234,567.25');
  assert.is(count(1, 'task'), '1 task');
  assert.is(count(1_000, 'task'), '1,000 tasks');
  assert.is(count(0, 'dependency', 'dependencies'), '0 dependencies');
});
