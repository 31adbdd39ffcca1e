import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createEngine, createFlow, type Engine, FlowError } from 'topple';
import { toNodeHandler } from 'topple/http/node';
import {
  createInspectorHandler,
  type InspectorHandler,
  type InspectorHandlerOptions,
} from 'topple/inspector';
import * as assert from 'uvu/assert';
import type { Hello, RunList } from '../../src/inspector/protocol.ts';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { Live, send } from './served.ts';

const test = spec('the inspector in a server of one’s own');

const flow = createFlow('public').task('a', { perform: () => 1 });
const secret = createFlow('secret').task('a', { perform: () => 2 });

/** A handler for an engine with two runs, asked without a server. */
async function mounted(options: Partial<InspectorHandlerOptions> = {}) {
  const engine = createEngine({ logger: silent });
  await (await engine.start(flow, undefined, { id: 'r1' })).settled();
  await (await engine.start(secret, undefined, { id: 'r2' })).settled();
  const handler = await createInspectorHandler({ engine, logger: silent, ...options });
  const ask = (path: string, init?: RequestInit): Promise<Response> =>
    handler(new Request(`http://runs.example${path}`, init));
  return { engine, handler, ask };
}

const anybody = (): true => true;

test('nobody sees or does anything without `authorize`, but for the page, which has no data', async () => {
  const { ask, handler } = await mounted();
  assert.is((await ask('/inspect/')).status, 200);
  for (const path of [
    'api/hello',
    'api/runs',
    'api/grid?flow=public',
    'api/runs/here/r1',
    'api/runs/here/r1/entries',
    'api/runs/here/r1/export',
  ])
    assert.is((await ask(`/inspect/${path}`)).status, 403, path);
  handler.close();
});

test('answers below its path, and leads there', async () => {
  const { ask, handler } = await mounted({ authorize: anybody, path: '/admin/runs' });
  assert.is(handler.path, '/admin/runs');
  const { status, headers } = await ask('/admin/runs?flow=f');
  assert.equal([status, headers.get('location')], [308, '/admin/runs/?flow=f']);
  assert.is((await ask('/admin/runs/')).status, 200);
  const hello = (await (await ask('/admin/runs/api/hello')).json()) as Hello;
  assert.equal(hello.live, { way: 'poll', everyMs: 1_000 });
  assert.is((await ask('/elsewhere/')).status, 404);
  handler.close();
});

test('`authorize` decides by action and run, as it does for the runs API', async () => {
  const asked: unknown[] = [];
  const { ask, handler, engine } = await mounted({
    authorize: (_, access) => {
      asked.push(access);
      if (access.action === 'rerun') return 'forbidden';
      return (run) => run.flow !== 'secret';
    },
  });
  const list = (await (await ask('/inspect/api/runs')).json()) as RunList;
  assert.equal([list.runs.map(({ id }) => id), list.flows, list.counts], [['r1'], ['public'], { done: 1 }]);
  assert.is((await ask('/inspect/api/runs/here/r1')).status, 200);
  for (const path of ['r2', 'r2/entries', 'r2/export', 'r2/value?seq=1&path=/input'])
    assert.is((await ask(`/inspect/api/runs/here/${path}`)).status, 404, path);
  const body = JSON.stringify({ type: 'rerun' });
  const headers = { 'content-type': 'application/json' };
  assert.is((await ask('/inspect/api/runs/here/r1/commands', { method: 'POST', headers, body })).status, 403);
  assert.equal(asked.at(-1), { action: 'rerun', runId: 'r1' });
  assert.is((await engine.run('r1'))?.view().status, 'done');
  handler.close();
});

test('a page of another site may steer nothing, and 401 is said where nobody is known', async () => {
  const { ask, handler } = await mounted({ authorize: anybody });
  const post = (headers: Record<string, string>) =>
    ask('/inspect/api/runs/here/r1/commands', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ type: 'rerun' }),
    });
  assert.is((await post({ origin: 'http://evil.example' })).status, 403);
  assert.is((await post({ 'sec-fetch-site': 'cross-site' })).status, 403);
  assert.is((await post({ origin: 'http://runs.example' })).status, 200);
  handler.close();
  const nobody = await mounted({ authorize: () => false });
  assert.is((await nobody.ask('/inspect/api/runs')).status, 401);
  nobody.handler.close();
});

/** The handler in a server of Node. */
async function listening(handler: InspectorHandler): Promise<{ port: number; close(): Promise<void> }> {
  const listener = toNodeHandler(handler);
  const server = createServer((request, response) => void listener(request, response));
  handler.attach(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    handler.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port, close };
}

const open = (port: number, headers: Record<string, string>) =>
  Live.open(`ws://127.0.0.1:${port}/inspect/api/live`, headers);

test('attached to a server, it tells pages of changes, of the runs that they may see', async () => {
  const { handler, engine } = await mounted({
    authorize: ({ headers }) => headers.get('x-user') === 'ada' && ((run) => run.flow !== 'secret'),
  });
  const { port, close } = await listening(handler);
  const origin = `http://127.0.0.1:${port}`;
  const status = (headers: Record<string, string>): Promise<string> =>
    open(port, headers).then(
      () => '101',
      (error: Error) => error.message,
    );
  assert.is(await status({ origin }), '401');
  assert.is(await status({ origin: 'http://evil.example', 'x-user': 'ada' }), '403');
  assert.is(await status({ origin, 'x-user': 'ada', host: `evil.example:${port}` }), '403');
  const live = await open(port, { origin, 'x-user': 'ada' });
  live.tell({ type: 'list', on: true });
  live.tell({ type: 'watch', source: 'here', id: 'r2', after: 0 });
  const refused = await live.until((messages) => messages.find((message) => message.type === 'refused'));
  assert.is(refused.id, 'r2');
  await (await engine.start(secret, undefined, { id: 's' })).settled();
  await (await engine.start(flow, undefined, { id: 'p' })).settled();
  await live.until((messages) =>
    messages.some((message) => message.type === 'runs' && message.runs.some(({ id }) => id === 'p')),
  );
  assert.not.match(JSON.stringify(live.messages), '"s"');
  const hello = live.messages.find((message) => message.type === 'hello');
  assert.equal(hello?.hello.live, { way: 'websocket' });
  const rebound = await send(`http://127.0.0.1:${port}/inspect/api/runs`, {
    headers: { host: 'evil.example', 'x-user': 'ada' },
  });
  assert.is(rebound.status, 403);
  await close();
  assert.ok((await live.closed()) > 0);
});

test('refuses options that it cannot use', async () => {
  const engine: Engine = createEngine();
  for (const options of [
    {},
    { engine, authorise: 1 },
    { engine, authorize: 1 },
    { engine, path: 'x/' },
    { engine, allowedHosts: 'x' },
    { engine, allowedOrigins: [1] },
    { engine, redact: true },
  ]) {
    const error = await createInspectorHandler(options as never).catch((reason: unknown) => reason);
    assert.instance(error, FlowError);
  }
});
