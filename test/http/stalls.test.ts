import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createBackground } from 'topple/http';
import { withTasks } from 'topple/http/node';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { type Awaited, Stalls } from '../../src/http/stalls.ts';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { Client } from './client.ts';
import { listen } from './servers.ts';
import { until } from './until.ts';

const test = spec('stalled responses');

/** A response whose figure is what the clock gives at each look. */
function response(number: number, figure: () => number | undefined) {
  const told = { watched: 0, stalls: 0 };
  const awaited: Awaited = {
    number,
    watch() {
      told.watched++;
      return figure;
    },
    stalled: () => void told.stalls++,
  };
  return { awaited, told };
}

test('are told once, at most a quarter of the limit late, and looked at by one timer', async () => {
  const clock = createVirtualClock();
  const stalls = new Stalls(1_000, clock);
  const stuck = [1, 2, 3].map((number) => response(number, () => 7));
  for (const { awaited } of stuck) stalls.add(awaited);
  assert.is(clock.pending, 1);
  await clock.advance(1_000);
  assert.equal(
    stuck.map(({ told }) => told),
    Array(3).fill({ watched: 1, stalls: 0 }),
  );
  await clock.advance(250);
  assert.equal(
    stuck.map(({ told }) => told),
    Array(3).fill({ watched: 1, stalls: 1 }),
  );
  assert.is(clock.pending, 0);
});

test('are none while some of them leaves, or nothing is to leave', async () => {
  const clock = createVirtualClock();
  const stalls = new Stalls(1_000, clock);
  const slow = response(1, () => Math.floor(clock.now() / 900));
  const idle = response(2, () => undefined);
  const gone = response(3, () => 7);
  for (const { awaited } of [slow, idle, gone]) stalls.add(awaited);
  await clock.advance(500);
  stalls.delete(gone.awaited);
  await clock.advance(100_000);
  assert.equal(
    [slow, idle, gone].map(({ told }) => told.stalls),
    [0, 0, 0],
  );
});

test('are not looked for where there is no limit', () => {
  const clock = createVirtualClock();
  new Stalls(Number.POSITIVE_INFINITY, clock).add(response(1, () => 7).awaited);
  assert.is(clock.pending, 0);
});

test('do not hold the tasks of a handler that waits for a client who is gone', async () => {
  const clock = createVirtualClock();
  const background = createBackground({ logger: silent, clock, stallTimeoutMs: 1_000 });
  const ran: string[] = [];
  const handler = async (
    _: IncomingMessage,
    response: ServerResponse,
    tasks: { add(f: () => void): unknown },
  ) => {
    tasks.add(() => void ran.push('task'));
    while (response.write('x'.repeat(100_000)));
    await once(response, 'drain');
  };
  await using server = await listen(createServer(withTasks(background, handler as never)));
  const client = await Client.to(server.port);
  await client.request('GET').until(/x/);
  client.hangUp();
  await until(
    () => background.pending === 0,
    () => clock.advance(250),
    200,
  );
  assert.equal(ran, ['task']);
});
