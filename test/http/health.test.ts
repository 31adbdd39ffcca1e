import { createServer } from 'node:http';
import { createBackground, createHealthHandler } from 'topple/http';
import { toNodeHandler } from 'topple/http/node';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { listen } from './servers.ts';

const test = spec('health');

test('is ready while work is taken, even if there is no room for more, and draining from then on', async () => {
  const clock = createVirtualClock();
  const background = createBackground({ clock, logger: silent, maxPending: 1 });
  assert.equal(background.health(), { status: 'ready', pending: 0, limit: 1 });
  const delivery = background.open();
  delivery.tasks.add(() => {});
  assert.equal(background.health(), { status: 'ready', pending: 1, limit: 1 });
  const drained = background.drain();
  assert.equal(background.health(), { status: 'draining', pending: 1, limit: 1 });
  delivery.handled();
  delivery.finished();
  await clock.run(drained);
  assert.equal(background.health(), { status: 'draining', pending: 0, limit: 1 });
});

test('is answered with 200 or 503 as JSON that no cache keeps', async () => {
  const background = createBackground({ logger: silent });
  await using server = await listen(createServer(toNodeHandler(createHealthHandler(background))));
  const ask = async () => {
    const response = await fetch(`http://127.0.0.1:${server.port}/health`);
    const { headers } = response;
    return [
      response.status,
      headers.get('cache-control'),
      headers.get('content-type'),
      await response.json(),
    ];
  };
  const kept = ['no-store', 'application/json'];
  assert.equal(await ask(), [200, ...kept, { status: 'ready', pending: 0, limit: null }]);
  await background.drain();
  assert.equal(await ask(), [503, ...kept, { status: 'draining', pending: 0, limit: null }]);
});
