import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { createFlow } from 'topple';
import * as assert from 'uvu/assert';
import { toNodeHandler } from '../../../src/http/fetch-bridge.ts';
import { bearerToken } from '../../../src/http/runs/bearer-token.ts';
import { createRunsHandler } from '../../../src/http/runs/handler.ts';
import { spec } from '../../spec.ts';
import { virtualEngine } from '../../support/virtual.ts';
import { badRequests, secret, visibleId } from './bad-requests.ts';
import { sendRaw } from './raw-client.ts';

const test = spec('bad requests about runs');

const token = 'correct-horse';
const errors: unknown[] = [];
const logger = { error: (...given: unknown[]) => errors.push(given), warn: () => {}, info: () => {} };
const { clock, engine } = virtualEngine({ logger });
const flow = createFlow('wait').task('a', { perform: () => clock.sleep(1_000).then(() => 1) });
const hidden = createFlow(`flow-${secret}`).task(`task-${secret}`, {
  perform: () => clock.sleep(1_000).then(() => secret),
});

const settled = await engine.start(flow, undefined, { id: 'settled' });
const hush = await engine.start(hidden, undefined, { id: `${secret}-1` });
await clock.run(Promise.all([settled.settled(), hush.settled()]));
await engine.start(hidden, undefined, { id: `${secret}-2` });
await engine.start(flow, undefined, { id: visibleId });
await clock.advance(0);
const untouched = JSON.stringify(
  [visibleId, 'settled', `${secret}-1`, `${secret}-2`].map((id) => engine.run(id)?.view()),
);

const bearer = bearerToken(token);
const runs = createRunsHandler({
  engine,
  clock,
  logger,
  authorize: async (request, access) =>
    (await bearer(request, access)) === true && (({ id }) => !id.startsWith(secret)),
});
const server = createServer(toNodeHandler(runs));
await once(server.listen(0, '127.0.0.1'), 'listening');
const { port } = server.address() as AddressInfo;

test.after(() => {
  server.close();
  server.closeAllConnections();
});

const requests = badRequests(token);

test(`are all refused: ${requests.length}, none like another`, async () => {
  assert.ok(requests.length >= 200);
  const wrong: unknown[] = [];
  for (const { name, bytes, status } of requests) {
    const response = await sendRaw(port, bytes);
    const isRefused = response.status >= 400 && response.status < 500;
    if (!isRefused || response.status !== (status ?? response.status)) wrong.push([name, status, response]);
    const isOurs = /^content-type: application\/problem\+json\r?$/m.test(response.headers);
    if (isOurs && !bytes.toString().startsWith('HEAD'))
      assert.is(JSON.parse(response.body).status, response.status);
    const said = response.headers + response.body;
    if (new RegExp(`${secret}|node:|\\.ts\\b|\\bat [\\w.]+ \\(|set-cookie`, 'i').test(said))
      wrong.push([name, 'tells', said]);
    if (response.status === 405 && !/^allow: /m.test(response.headers)) wrong.push([name, 'no allow', said]);
    if (response.status === 401 && !/^www-authenticate: Bearer/m.test(response.headers))
      wrong.push([name, 'no challenge']);
  }
  assert.equal(wrong, []);
});

test('change nothing, and are no defects', () => {
  const now = JSON.stringify(
    [visibleId, 'settled', `${secret}-1`, `${secret}-2`].map((id) => engine.run(id)?.view()),
  );
  assert.is(now, untouched);
  assert.equal(errors, []);
});

test('that break off half-way leave the server as it was', async () => {
  for (const { bytes } of requests) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket.end(bytes.subarray(0, Math.floor(bytes.length / 2)));
    await once(socket.resume(), 'close');
  }
  assert.equal(errors, []);
  const good = Buffer.from(
    `GET /runs HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${token}\r\n\r\n`,
  );
  const { status, body } = await sendRaw(port, good);
  assert.is(status, 200);
  assert.equal(
    JSON.parse(body).runs.map(({ id }: { id: string }) => id),
    [visibleId, 'settled'],
  );
});
