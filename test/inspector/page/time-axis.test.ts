import * as assert from 'uvu/assert';
import { createTimeAxis, tickStep } from '../../../src/inspector/page/run/time-axis.ts';
import { spec } from '../../spec.ts';

const test = spec('the time axis');

const busy = [
  { startedAt: 1_000, endedAt: 1_100 },
  { startedAt: 1_050, endedAt: 1_150 },
  { startedAt: 91_150, endedAt: 91_250 },
];

test('without busy times all is to scale', () => {
  const axis = createTimeAxis(1_000, 2_000);
  assert.equal([axis.length, axis.placeOf(1_250), axis.instantAt(250)], [1_000, 250, 1_250]);
});

test('a long idle time is short, and instants go there and back', () => {
  const axis = createTimeAxis(1_000, 91_250, busy);
  assert.equal(axis.breaks, [{ from: 1_150, to: 91_150, places: [150, 160] }]);
  assert.is(axis.length, 260);
  for (const at of [1_000, 1_100, 1_150, 46_150, 91_150, 91_200, 91_250])
    assert.is(axis.instantAt(axis.placeOf(at)), at);
  assert.equal([1_150, 46_150, 91_150, 91_250].map(axis.placeOf), [150, 155, 160, 260]);
});

test('an idle time at the start and at the end is short too', () => {
  const axis = createTimeAxis(0, 1_000_000, [{ startedAt: 100_000, endedAt: 100_100 }]);
  assert.is(axis.breaks.length, 2);
  assert.is(axis.placeOf(100_100) - axis.placeOf(100_000), 100);
});

test('ticks are round', () => {
  assert.equal(
    [10, 800, 59_000, 400_000, 86_400e3 * 100].map((ms) => tickStep(ms, 8)),
    [2, 100, 10_000, 60_000, 86_400e3 * 100],
  );
});
