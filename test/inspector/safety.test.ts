import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { createFlow, createFlowFromGraph } from 'topple';
import * as assert from 'uvu/assert';
import type { Recording, ToPage } from '../../src/inspector/protocol.ts';
import { exportedFile } from '../../src/inspector/server/export.ts';
import { LiveSession } from '../../src/inspector/server/live-session.ts';
import type { InspectorParts } from '../../src/inspector/server/parts.ts';
import { EngineSource } from '../../src/inspector/sources/engine-source.ts';
import { Sources } from '../../src/inspector/sources/sources.ts';
import { spec } from '../spec.ts';
import { silent, virtualEngine } from '../support/virtual.ts';
import { type Asking, Live, Served, send } from './served.ts';

const test = spec('attacks on the inspector');

const evil = 'http://evil.example';

test('a page of another origin gets nothing, whatever it asks and however its browser says so', async () => {
  await using served = await Served.start();
  const { port } = new URL(served.origin);
  const foreign: readonly Record<string, string>[] = [
    { origin: evil },
    { origin: 'null' },
    { origin: `http://localhost:${port}1` },
    { origin: 'http://localhost:3000' },
    { origin: `https://127.0.0.1:${port}` },
    { origin: `http://127.0.0.1:${port}.evil.example` },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
  ];
  for (const headers of foreign) {
    for (const path of [
      '/api/hello',
      '/api/runs',
      '/api/grid?flow=f',
      '/api/runs/here/r',
      '/api/runs/here/r/entries',
      '/api/runs/here/r/export',
    ]) {
      const { status, text, headers: sent } = await served.ask(path, { headers });
      assert.is(status, 403, `${path} ${JSON.stringify(headers)}`);
      assert.not.match(text, 'here');
      assert.is(sent['access-control-allow-origin'], undefined);
    }
    const command: Asking = { method: 'POST', body: '{"type":"cancel"}', headers };
    assert.is((await served.ask('/api/runs/here/r/commands', command)).status, 403);
  }
  const simple = {
    method: 'POST',
    body: '{"type":"cancel"}',
    headers: { 'content-type': 'text/plain', origin: evil },
  };
  assert.is((await served.ask('/api/runs/here/r/commands', simple)).status, 403);
});

test('a command without an origin is refused: a browser always sends one', async () => {
  await using served = await Served.start();
  const { status } = await send(`${served.origin}/api/runs/here/r/commands`, {
    method: 'POST',
    headers: { cookie: served.cookie, 'content-type': 'application/json' },
    body: '{"type":"cancel"}',
  });
  assert.is(status, 403);
});

test('a name that was made to lead here gets nothing, not even the page with the right token', async () => {
  await using served = await Served.start();
  const { port } = new URL(served.origin);
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1',
    `127.0.0.1:1`,
    `127.0.0.1.evil.example:${port}`,
    `localhost.evil.example:${port}`,
    `0.0.0.0:${port}`,
  ]) {
    for (const path of [
      new URL(served.inspector.url).pathname + new URL(served.inspector.url).search,
      '/',
      '/api/hello',
    ]) {
      const { status, headers } = await served.ask(path, { headers: { host } });
      assert.is(status, 403, `${host} ${path}`);
      assert.is(headers['set-cookie'], undefined);
    }
    assert.is(await statusOfLive(served, { host }), 403, host);
  }
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`])
    assert.is((await served.ask('/api/hello', { headers: { host } })).status, 200, host);
});

/** The status of a handshake, 101 if it was accepted. */
async function statusOfLive(served: Served, headers: Record<string, string>): Promise<number> {
  try {
    const live = await served.live(headers);
    live.socket.terminate();
    return 101;
  } catch (error) {
    return Number((error as Error).message);
  }
}

test('a live connection needs the cookie and the own origin', async () => {
  await using served = await Served.start();
  assert.is(await statusOfLive(served, {}), 101);
  for (const headers of [
    { origin: evil },
    { origin: 'null' },
    { origin: 'http://localhost:3000' },
    { cookie: '' },
    { cookie: 'topple-inspect=x' },
  ])
    assert.is(await statusOfLive(served, headers as never), 403, JSON.stringify(headers));
  const { origin, cookie } = served;
  const noOrigin = await Live.open(`${origin.replace('http', 'ws')}/api/live`, { cookie }).then(
    () => '101',
    (error: Error) => error.message,
  );
  assert.is(noOrigin, '403');
  const elsewhere = await Live.open(`${origin.replace('http', 'ws')}/connect`, { cookie, origin }).then(
    () => '101',
    (error: Error) => error.message,
  );
  assert.is(elsewhere, '404');
});

test('a wrong token or cookie opens nothing, and nothing is told without one', async () => {
  await using served = await Served.start();
  const { origin, cookie } = served;
  const token = new URL(served.inspector.url).searchParams.get('token') ?? '';
  for (const query of [
    '',
    '?token=',
    '?token=x',
    `?token=${token}x`,
    `?token=${token.slice(1)}`,
    `?token=x&token=${token}`,
    `?TOKEN=${token}`,
  ]) {
    const { status, headers } = await send(`${origin}/${query}`);
    assert.equal([status, headers['set-cookie']], [403, undefined], query);
  }
  for (const wrong of [
    '',
    'x',
    `${cookie}x`,
    cookie.slice(0, -1),
    cookie.replace(/=.*/, `=${token}`),
    cookie.replace('topple', 'other'),
  ])
    assert.is((await send(`${origin}/api/hello`, { headers: { cookie: wrong } })).status, 403, wrong);
  for (const path of [
    '/api/hello',
    `/api/hello?token=${token}`,
    '/api/runs',
    '/page.js',
    '/assets/page.css',
    '/favicon.ico',
  ])
    assert.is((await send(origin + path)).status, 403, path);
  assert.is((await send(`${origin}/api/hello`, { headers: { cookie: `a=b; ${cookie}; c=d` } })).status, 200);
});

test('the cookie is for this server alone, for no script, and for no other site', async () => {
  await using served = await Served.start();
  const { headers } = await send(served.inspector.url);
  const { port } = new URL(served.origin);
  assert.match(
    headers['set-cookie']?.[0] ?? '',
    new RegExp(`^topple-inspect-${port}=[\\w-]{32}; HttpOnly; SameSite=Strict; Path=/$`),
  );
  assert.not.match(
    headers['set-cookie']?.[0] ?? '',
    new URL(served.inspector.url).searchParams.get('token') as string,
  );
});

test('a person who opens the address without its token is told in words', async () => {
  await using served = await Served.start();
  const headers = { 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'none' };
  const { status, text } = await send(`${served.origin}/`, { headers });
  assert.is(status, 403);
  assert.match(text, 'This address lacks its token');
});

test('a link on another page opens the page, if it has the token, and nothing else', async () => {
  await using served = await Served.start();
  const headers = {
    'sec-fetch-dest': 'document',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-site': 'cross-site',
  };
  assert.is((await send(served.inspector.url, { headers })).status, 200);
  assert.is((await served.ask('/api/runs/here/r/export', { headers })).status, 403);
});

test('a wrong method is refused', async () => {
  await using served = await Served.start();
  for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'POST'])
    assert.is((await served.ask('/api/runs', { method })).status, 403, method);
  for (const method of ['GET', 'PUT', 'OPTIONS', 'HEAD'])
    assert.is((await served.ask('/api/runs/here/r/commands', { method })).status, 403, method);
  assert.ok((await served.ask('/api/hello', { method: 'TRACE' })).status >= 400);
  assert.equal(
    await served.ask('/api/hello', { method: 'HEAD' }).then(({ status, text }) => [status, text]),
    [200, ''],
  );
});

test('a wrong message ends a live connection', async () => {
  await using served = await Served.start();
  for (const text of [
    '',
    'x',
    '[]',
    'null',
    '{}',
    '{"type":"explode"}',
    '{"type":"watch","source":"here","id":1,"after":0}',
    '{"type":"watch","source":"here","id":"r","after":-1}',
    '{"type":"watch","source":"here","id":"r","after":"0"}',
    '{"type":"list","on":1}',
  ]) {
    const live = await served.live();
    live.socket.send(text);
    assert.is(await live.closed(), 1008, text);
  }
  const binary = await served.live();
  binary.socket.send(Buffer.from('{"type":"ping"}'));
  assert.is(await binary.closed(), 1003);
});

test('what is too long is refused before it is read', async () => {
  await using served = await Served.start();
  const live = await served.live();
  live.socket.send(JSON.stringify({ type: 'watch', source: 'x'.repeat(70_000), id: 'r', after: 0 }));
  assert.is(await live.closed(), 1009);
  const post = { method: 'POST', body: JSON.stringify({ type: 'cancel', reason: 'x'.repeat(2_000_000) }) };
  assert.is((await served.ask('/api/runs/here/r/commands', post)).status, 413);
  assert.is((await served.ask(`/api/runs/here/${'x'.repeat(9_000)}`)).status, 414);
  assert.is(
    (
      await served.ask('/api/runs/here/r/commands', {
        method: 'POST',
        body: 'x',
        headers: { 'content-type': 'text/plain' },
      })
    ).status,
    415,
  );
  assert.is((await served.ask('/api/runs/here/r/commands', { method: 'POST', body: '[]' })).status, 422);
});

test('a page watches a bounded number of runs', async () => {
  await using served = await Served.start();
  const flow = createFlow('f').task('a', { perform: () => 1 });
  const live = await served.live();
  for (let n = 0; n < 33; n++) {
    await (await served.engine.start(flow, undefined, { id: `r${n}` })).settled();
    live.tell({ type: 'watch', source: 'here', id: `r${n}`, after: 0 });
  }
  const refused = await live.until((messages) => messages.find((message) => message.type === 'refused'));
  assert.equal([refused.id, refused.detail], ['r32', 'At most 32 runs are watched at a time.']);
});

test('no address leads to a file outside of the page', async () => {
  await using served = await Served.start();
  for (const path of [
    '/assets/../../package.json',
    '/../package.json',
    '/assets/%2e%2e/package.json',
    '/assets/..%2f..%2fpackage.json',
    '//etc/passwd',
    '/assets//etc/passwd',
    '/package.json',
    '/assets/page.ts',
    '/C:%5Cwindows',
    '/.env',
  ])
    assert.ok([400, 404].includes((await served.ask(path)).status), path);
});

test('it listens on loopback alone', async () => {
  await using served = await Served.start();
  const port = Number(new URL(served.origin).port);
  const others = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4');
  for (const { address } of others) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: address, port });
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    assert.not.ok(isOpen, address);
  }
});

const markup = '</script><img src=x onerror=alert(1)><!--';

test('markup in names, ids, logs, errors and outputs stays data, in what is served and in what is exported', async () => {
  await using served = await Served.start();
  const flow = createFlow(markup)
    .task(markup, {
      perform: ({ log }) => {
        log(markup, { [markup]: markup });
        return { [markup]: markup };
      },
    })
    .task('b', {
      perform: () => {
        throw new Error(markup);
      },
    });
  const id = markup.replaceAll('/', '');
  await (await served.engine.start(flow, markup as never, { id })).settled();
  const at = `/api/runs/here/${encodeURIComponent(id)}`;
  for (const path of ['/api/runs', `/api/grid?flow=${encodeURIComponent(markup)}`, at, `${at}/entries`]) {
    const { status, headers, text } = await served.ask(path);
    assert.is(status, 200, path);
    assert.match(headers['content-type'] ?? '', /^application\/(json|x-ndjson)$/);
    assert.is(headers['x-content-type-options'], 'nosniff');
    assert.match(text, 'onerror');
  }
  const problem = await served.ask(`/api/runs/here/${encodeURIComponent(`${id}x`)}`);
  assert.equal([problem.status, problem.headers['content-type']], [404, 'application/problem+json']);
  const { text, headers } = await served.ask(`${at}/export`);
  assert.not.match(text, 'onerror');
  assert.match(headers['content-disposition'] ?? '', /^attachment; filename="[\w.-]+\.html"$/);
  const [, data = ''] = /id="topple-export">([^<]*)</.exec(text) ?? [];
  const recording: Recording = JSON.parse(gunzipSync(Buffer.from(data, 'base64')).toString());
  assert.equal(
    [recording.structure.id, recording.structure.run.flow, recording.structure.commands],
    [id, markup, []],
  );
});

test('every response says what a browser may do with it', async () => {
  await using served = await Served.start();
  for (const path of ['/', '/api/hello', '/api/none', '/api/runs/here/none', '/page.js']) {
    const { headers } = await served.ask(path);
    const policy = headers['content-security-policy'] as string;
    assert.match(policy, "default-src 'none'");
    assert.match(policy, "frame-ancestors 'none'");
    assert.not.match(policy, /unsafe|https?:|\*/);
    assert.equal(
      [
        headers['x-content-type-options'],
        headers['cross-origin-resource-policy'],
        headers['referrer-policy'],
        headers['cache-control'],
      ],
      ['nosniff', 'same-origin', 'no-referrer', 'no-store'],
      path,
    );
  }
});

const files = {
  html: async () =>
    '<!doctype html><html><head><meta charset="utf-8"><link rel="stylesheet" href="./page.css"><script type="module" src="./page.js"></script></head><body><main></main></body></html>',
  file: async (name: string) => ({
    type: 'x',
    bytes: new TextEncoder().encode(
      name === 'page-in-file.js'
        ? `const s = '</script><!--$&'; run(s);`
        : 'main::after { content: "</style>" }',
    ),
  }),
};

test('an exported file allows its own script and style by their hashes, and loads nothing', async () => {
  const html = await exportedFile({ files }, { structure: { id: '$&' } } as unknown as Recording);
  const policy = /http-equiv="content-security-policy" content="([^"]*)"/.exec(html)?.[1] ?? '';
  const [, script = ''] = /<script type="module">(.*?)<\/script>/s.exec(html) ?? [];
  const [, style = ''] = /<style>(.*?)<\/style>/s.exec(html) ?? [];
  const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  assert.ok(policy.includes(`script-src ${hashOf(script)};`), policy);
  assert.ok(policy.includes(`style-src ${hashOf(style)};`), policy);
  assert.not.match(policy, /unsafe|self|http/);
  assert.not.match(html, /<script[^>]*src=|<link/);
  assert.is(script, `const s = '\\x3c/script>\\x3c!--$&'; run(s);`);
  assert.is(html.match(/<\/script>/g)?.length, 2);
  assert.ok(html.indexOf('content-security-policy') < html.indexOf('<style>'));
});

test('nothing is sent to a page that does not read: it is told later how much it is behind', async () => {
  const { engine, clock } = virtualEngine();
  const sources = new Sources();
  const source = new EngineSource(engine, { id: 'here', name: 'x' });
  sources.add(source);
  const parts = {
    sources,
    logger: silent,
    version: '1',
    path: '',
    live: () => ({ way: 'websocket' }),
  } as unknown as InspectorParts;
  const sent: ToPage[] = [];
  const socket = {
    waiting: 0,
    send: (text: string) => void sent.push(JSON.parse(text)),
    close: () => {},
  };
  const session = new LiveSession(socket, parts, () => true, clock);
  const tasks = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`t${n}`, {}]));
  const flow = createFlowFromGraph({ name: 'f', tasks }, async () => undefined);
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.run(run.settled());
  socket.waiting = 2_000_000;
  session.receive('{"type":"watch","source":"here","id":"r","after":0}');
  for (let turn = 0; turn < 10; turn++) await clock.advance(100);
  assert.equal(
    sent.map(({ type }) => type),
    ['hello', 'sources'],
  );
  socket.waiting = 0;
  await clock.advance(100);
  const behind = sent.flatMap((message) => (message.type === 'feed' ? [message.behind] : []));
  assert.equal(behind, [10_002, 5_002, 2, 0]);
  assert.is(sent.at(-1)?.type, 'settled');
  session.end();
  source.close();
});
