import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { createFlow } from 'topple';
import * as assert from 'uvu/assert';
import { bearerToken } from '../../../src/http/runs/bearer-token.ts';
import { createRunsHandler } from '../../../src/http/runs/handler.ts';
import { spec } from '../../spec.ts';
import { virtualEngine } from '../../support/virtual.ts';
import { badRequests, secret, visibleId } from './bad-requests.ts';
import { type RawResponse, sendRaw } from './raw-client.ts';
import { servers } from './servers.ts';

const token = 'correct-horse';
const requests = badRequests(token);
const leak = new RegExp(`${secret}|node:|node_modules|\\.[jt]s\\b|\\bat [\\w.]+ \\(|set-cookie`, 'i');
const good = `GET /runs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer ${token}\r\n\r\n`;

/** Two runs that the holder of the token may see, and two that nobody may. */
async function world() {
  const errors: unknown[] = [];
  const logger = { error: (...given: unknown[]) => errors.push(given), warn: () => {}, info: () => {} };
  const { clock, engine } = virtualEngine({ logger });
  const wait = () => clock.sleep(1_000);
  const flow = createFlow('wait').task('a', { perform: wait });
  const hidden = createFlow(`flow-${secret}`).task(`task-${secret}`, {
    perform: () => wait().then(() => secret),
  });
  const settled = [
    await engine.start(flow, undefined, { id: 'settled' }),
    await engine.start(hidden, undefined, { id: `${secret}-1` }),
  ];
  await clock.run(Promise.all(settled.map((run) => run.settled())));
  await engine.start(hidden, undefined, { id: `${secret}-2` });
  await engine.start(flow, undefined, { id: visibleId });
  await clock.advance(0);
  const bearer = bearerToken(token);
  const runs = createRunsHandler({
    engine,
    clock,
    logger,
    authorize: async (request, access) =>
      (await bearer(request, access)) === true && (({ id }) => !id.startsWith(secret)),
  });
  const views = async () => {
    const found = (await engine.runs()).map(async ({ id }) => (await engine.run(id))?.view());
    return JSON.stringify(await Promise.all(found));
  };
  return { errors, runs, views };
}

/** What is wrong with an answer: what is not ours is the framework's, which need not say it as we do. */
function faults(bytes: Buffer, expected: number | undefined, response: RawResponse): string[] {
  const { status, headers, body } = response;
  const has = (header: RegExp) => header.test(headers);
  const isOurs = has(/^content-type: application\/problem\+json\r?$/im);
  const isHead = bytes.toString('latin1').startsWith('HEAD');
  const found: [string, boolean][] = [
    ['is no 4xx', status < 400 || status > 499],
    ['is another status', isOurs && expected !== undefined && status !== expected],
    ['says another status', isOurs && !isHead && JSON.parse(body).status !== status],
    ['tells too much', leak.test(headers + body)],
    ['has no allow', isOurs && status === 405 && !has(/^allow: /im)],
    ['has no challenge', isOurs && status === 401 && !has(/^www-authenticate: Bearer/im)],
    ['may be kept by a cache', isOurs && !has(/^cache-control: no-store/im)],
  ];
  return found.filter(([, isSo]) => isSo).map(([fault]) => fault);
}

for (const [name, start] of Object.entries(servers)) {
  const test = spec(`bad requests about runs, on ${name}`);

  test(`are refused, ${requests.length} of them, change nothing and tell nothing`, async () => {
    assert.ok(requests.length >= 200);
    const { errors, runs, views } = await world();
    const before = await views();
    const server = await start(runs);
    const wrong: unknown[] = [];
    let ours = 0;
    for (const { name, bytes, status } of requests) {
      const response = await sendRaw(server.port, bytes);
      const found = faults(bytes, status, response);
      if (found.length > 0) wrong.push([name, found, status, response]);
      if (/application\/problem/.test(response.headers)) ours++;
    }
    await server.close();
    assert.equal(wrong, []);
    assert.ok(ours >= 200, `${ours} came to the handler`);
    assert.is(await views(), before);
    assert.equal(errors, []);
  });

  test('leave the connection fit for the next request, however much came with them', async () => {
    const { runs } = await world();
    const server = await start(runs);
    const socket = connect(server.port, '127.0.0.1');
    const body = 'x'.repeat(2_000_000);
    const head = `POST /runs/${visibleId}/cancel HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}`;
    socket.write(`${head}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`);
    socket.write(`${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n${good}`);
    const answers = await text(socket);
    await server.close();
    assert.equal(answers.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 413', 'HTTP/1.1 200']);
  });

  test('that break off half-way leave it as it was', async () => {
    const { errors, runs } = await world();
    const server = await start(runs);
    for (const { bytes } of requests) {
      const socket = connect(server.port, '127.0.0.1').on('error', () => {});
      socket.end(bytes.subarray(0, Math.floor(bytes.length / 2)));
      await once(socket.resume(), 'close');
    }
    const { status, body } = await sendRaw(server.port, Buffer.from(good));
    await server.close();
    assert.equal(errors, []);
    assert.is(status, 200);
    const { runs: seen } = JSON.parse(body) as { runs: { id: string }[] };
    assert.equal(
      seen.map(({ id }) => id),
      [visibleId, 'settled'],
    );
  });
}
