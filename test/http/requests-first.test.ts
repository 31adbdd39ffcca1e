import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { RequestsFirst } from '../../src/http/requests-first.ts';
import { spec } from '../spec.ts';

const test = spec('requests first');

test('is there at once for the last request', async () => {
  const clock = createVirtualClock();
  const requests = new RequestsFirst(clock);
  const { promise, resolve } = Promise.withResolvers<void>();
  requests.wait(requests.requestBegan(), resolve);
  await promise;
  assert.is(clock.now(), 0);
});

test('comes after a burst, for the first of it first', async () => {
  const clock = createVirtualClock();
  const requests = new RequestsFirst(clock);
  const started: [number, number][] = [];
  const { promise: all, resolve } = Promise.withResolvers<void>();
  for (let i = 0; i < 10; i++) {
    const request = requests.requestBegan();
    requests.requestBegan();
    requests.wait(request, () => {
      started.push([request, clock.now()]);
      if (started.length === 10) resolve();
    });
  }
  await clock.advance(0.9);
  assert.is(started.length, 0);
  await clock.advance(0.1);
  await all;
  assert.equal(
    started,
    Array.from({ length: 10 }, (_, i) => [2 * i + 1, 1]),
  );
});

test('is found by what time has passed, not by the time of day', async () => {
  const clock = createVirtualClock();
  const requests = new RequestsFirst(clock);
  const request = requests.requestBegan();
  requests.requestBegan();
  let startedAt: number | undefined;
  requests.wait(request, () => {
    startedAt = clock.monotonicNow();
  });
  clock.stepWall(-3_600_000);
  await clock.advance(1_000);
  assert.is(startedAt, 1);
});

test('is not waited for longer than 100 ms', async () => {
  const clock = createVirtualClock();
  const requests = new RequestsFirst(clock);
  const waited: number[] = [];
  for (let ms = 0; ms < 500; ms += 0.5) {
    const request = requests.requestBegan();
    requests.requestBegan();
    const at = clock.now();
    requests.wait(request, () => waited.push(clock.now() - at));
    await clock.advance(0.5);
  }
  assert.ok(waited.length > 700);
  assert.ok(Math.max(...waited) <= 101, `${Math.max(...waited)}`);
});
