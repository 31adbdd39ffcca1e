import { createFlow } from 'topple';
import * as assert from 'uvu/assert';
import type { Authorize, RunsAccess } from '../../../src/http/runs/access.ts';
import { bearerToken } from '../../../src/http/runs/bearer-token.ts';
import { createRunsHandler, type RunsHandlerOptions } from '../../../src/http/runs/handler.ts';
import { spec } from '../../spec.ts';
import { silent, virtualEngine } from '../../support/virtual.ts';

const test = spec('access to runs');

const commands = ['cancel', 'pause', 'resume', 'rerun'];
const readings = ['', '/events'];

/** Two runs, `mine` and `other`, and a way to ask for them. */
async function world(authorize?: Authorize, options: Partial<RunsHandlerOptions> = {}) {
  const { engine } = virtualEngine();
  const errors: string[] = [];
  const logger = { ...silent, error: (message: string) => errors.push(message) };
  const handler = createRunsHandler({ engine, authorize, logger, ...options });
  const flow = createFlow('wait').task('a', { perform: () => 1 });
  for (const id of ['mine', 'other']) await engine.start(flow, undefined, { id, paused: true });
  const ask = async (path: string, method = 'GET', headers: Record<string, string> = {}) => {
    const response = await handler(new Request(`http://localhost/runs${path}`, { method, headers }));
    if (response.headers.get('content-type') === 'text/event-stream') await response.body?.cancel();
    return response;
  };
  /** Everything that there is to ask, of one run. */
  const askAll = async (id: string) => {
    const answers = [];
    for (const reading of readings) answers.push(await ask(`/${id}${reading}`));
    for (const command of commands) answers.push(await ask(`/${id}/${command}`, 'POST'));
    return answers;
  };
  return { engine, errors, ask, askAll };
}

const textsOf = (responses: Response[]) =>
  Promise.all(
    responses.map(async (response) => [response.status, [...response.headers], await response.text()]),
  );

test('is closed until somebody says who may have it', async () => {
  const { ask, askAll } = await world();
  const all = [await ask(''), ...(await askAll('mine')), ...(await askAll('none'))];
  assert.equal(new Set(all.map(({ status }) => status)), new Set([403]));
  assert.match((await all[0]?.text()) ?? '', 'authorize');
});

test('is 401 for `false`, 403 for anything that is not `true`', async () => {
  const verdicts: [unknown, number][] = [
    [false, 401],
    ['forbidden', 403],
    [undefined, 403],
    [1, 403],
    ['true', 403],
    [{}, 403],
    [Promise.resolve(false), 401],
    [true, 200],
  ];
  for (const [verdict, status] of verdicts) {
    const { ask } = await world(() => verdict as boolean);
    const response = await ask('/mine');
    assert.is(response.status, status);
    assert.is(response.headers.has('www-authenticate'), status === 401);
  }
});

test('looks the same for a run that exists and one that does not, to who may see neither', async () => {
  const verdicts: Authorize[] = [
    () => false,
    () => 'forbidden',
    () =>
      ({ id }) =>
        id === 'mine',
  ];
  for (const verdict of verdicts) {
    const { engine, askAll } = await world(verdict);
    assert.equal(await textsOf(await askAll('other')), await textsOf(await askAll('nobody')));
    assert.is((await engine.run('other'))?.view().status, 'paused');
  }
});

test('is, by a function, to the runs that it says yes to', async () => {
  const { ask, askAll } = await world(
    () =>
      ({ id, flow }) =>
        id === 'mine' && flow === 'wait',
  );
  const { runs } = (await (await ask('')).json()) as { runs: { id: string }[] };
  assert.equal(
    runs.map(({ id }) => id),
    ['mine'],
  );
  assert.equal(new Set((await askAll('other')).map(({ status }) => status)), new Set([404]));
  assert.equal(
    (await askAll('mine')).map(({ status }) => status),
    [200, 200, 202, 409, 409, 202],
  );
});

test('is asked for with what is wanted', async () => {
  const asked: RunsAccess[] = [];
  const { ask, askAll } = await world((_request, access) => asked.push(access) < 0);
  await ask('');
  await askAll('a%2Fb');
  const runId = 'a/b';
  const actions = ['view', 'watch', ...commands];
  assert.equal(asked, [{ action: 'list' }, ...actions.map((action) => ({ action, runId }))]);
});

test('is refused where that could not be found out, and the logger hears why', async () => {
  const { ask, errors } = await world(() => {
    throw new Error('the secret database is down');
  });
  const response = await ask('/mine');
  assert.is(response.status, 500);
  assert.not.match(await response.text(), 'database');
  assert.equal(errors, ['`authorize` of createRunsHandler threw: the request was refused']);
});

test("is not had by another site's page with this site's cookies", async () => {
  const { ask } = await world(() => true);
  const statusOf = async (site: string, more: Record<string, string> = {}) =>
    (await ask('/mine/pause', 'POST', { 'sec-fetch-site': site, ...more })).status;
  assert.equal(
    [
      await statusOf('cross-site'),
      await statusOf('same-site'),
      await statusOf('same-origin'),
      await statusOf('none'),
      await statusOf('cross-site', { authorization: 'Bearer x' }),
    ],
    [403, 403, 200, 200, 403],
  );
});

test("is not had by another site's page where its browser tells no more than the origin", async () => {
  const { ask } = await world(() => true);
  const statusOf = async (origin: string, more: Record<string, string> = {}) =>
    (await ask('/mine/pause', 'POST', { origin, ...more })).status;
  assert.equal(
    [
      await statusOf('http://another.example'),
      await statusOf('null'),
      await statusOf('http://localhost:81'),
      await statusOf('http://localhost'),
      // A proxy may have taken the TLS off.
      await statusOf('https://localhost'),
      await statusOf('http://another.example', { authorization: 'Bearer x' }),
      await statusOf('http://behind-a-proxy', { 'sec-fetch-site': 'same-origin' }),
    ],
    [403, 403, 403, 200, 200, 403, 200],
  );
});

test("is had by another site's page whose origin is allowed, and by no other", async () => {
  const { ask } = await world(() => true, { allowedOrigins: ['https://admin.example'] });
  const statusOf = async (origin: string | undefined, more: Record<string, string> = {}) =>
    (await ask('/mine/pause', 'POST', { ...(origin !== undefined && { origin }), ...more })).status;
  const foreign = { 'sec-fetch-site': 'cross-site' };
  assert.equal(
    [
      await statusOf('https://admin.example', foreign),
      await statusOf('https://admin.example'),
      await statusOf('https://admin.example:8443', foreign),
      await statusOf('https://other.example', foreign),
      await statusOf(undefined, foreign),
    ],
    [200, 200, 403, 403, 403],
  );
});

test('is had by loopback under names of the loopback only, unless others are allowed', async () => {
  const { engine } = virtualEngine();
  const statuses = async (allowedHosts: RunsHandlerOptions['allowedHosts'], localAddress?: string) => {
    const handler = createRunsHandler({ engine, authorize: () => true, allowedHosts });
    const origin = localAddress === undefined ? undefined : { incoming: { socket: { localAddress } } };
    const hosts = ['localhost:3000', '127.0.0.1', '[::1]:80', 'a.localhost', 'rebound.example', '10.0.0.1'];
    const asked = hosts.map((host) => handler(new Request(`http://${host}/runs`), origin));
    return (await Promise.all(asked)).map(({ status }) => status);
  };
  const all = [200, 200, 200, 200, 200, 200];
  const loopback = [200, 200, 200, 200, 403, 403];
  assert.equal(await statuses(undefined), all);
  assert.equal(await statuses(undefined, '10.0.0.1'), all);
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1'])
    assert.equal(await statuses(undefined, address), loopback);
  assert.equal(await statuses('any', '127.0.0.1'), all);
  assert.equal(await statuses(['rebound.example'], '127.0.0.1'), [403, 403, 403, 403, 200, 403]);
  assert.equal(await statuses(['localhost:3000', '[::1]:80']), [200, 403, 403, 403, 403, 403]);
});

test('is refused for a list of hosts or origins that cannot match', async () => {
  const { engine } = virtualEngine();
  for (const allowedHosts of ['all', ['https://a.example'], ['A.example'], ['a b']] as never[])
    assert.throws(
      () => createRunsHandler({ engine, allowedHosts }),
      /`allowedHosts` of `createRunsHandler` must/,
    );
  for (const allowedOrigins of [
    'https://a.example',
    ['a.example'],
    ['https://a.example/'],
    ['null'],
  ] as never[])
    assert.throws(
      () => createRunsHandler({ engine, allowedOrigins }),
      /`allowedOrigins` of `createRunsHandler` must/,
    );
});

test('is had with a bearer token, and with no other', async () => {
  const { ask } = await world(bearerToken('s3cret-token'));
  const statuses: [string, number][] = [];
  const headers = [
    'Bearer s3cret-token',
    'bearer  s3cret-token ',
    's3cret-token',
    'Bearer s3cret-toke',
    'Bearer s3cret-tokens',
  ];
  for (const authorization of headers) {
    statuses.push([authorization, (await ask('/mine', 'GET', { authorization })).status]);
  }
  assert.equal(
    statuses.map(([, status]) => status),
    [200, 200, 401, 401, 401],
  );
  assert.is((await ask('/mine')).status, 401);
  for (const token of ['', 'two words', 'ümlaut', undefined as never]) {
    assert.throws(() => bearerToken(token), /`token` of `bearerToken` must be letters, digits and any of/);
  }
});
