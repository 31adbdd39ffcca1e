import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createEngine, type RunView } from 'topple';
import type { Health } from 'topple/http';
import * as assert from 'uvu/assert';
import type { Accounts } from '../../examples/signup/accounts.ts';
import { createSignUpFlow, type SignUpFlow } from '../../examples/signup/flow.ts';
import { startHono } from '../../examples/signup/servers/hono.ts';
import { createSite } from '../../examples/signup/site.ts';
import { spec } from '../spec.ts';
import { examples } from './run-file.ts';

const token = 'a-token-of-the-test';
const ada = { name: 'Ada', email: 'ada@example.org', phone: '+44 7700 900123' };

/** `npm run example:server -- NAME`, with a port that is free. */
async function startServer(name: string, env: Record<string, string> = { PORT: '0', TOPPLE_TOKEN: token }) {
  const folder = await mkdtemp(join(tmpdir(), 'topple-server-'));
  const file = join(examples, 'signup/serve.ts');
  const child = spawn(process.execPath, [...process.execArgv, file, name, folder], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const closed = once(child, 'close').then(([code]) => code);
  const listening = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    output += `${line}\n`;
    if (line.endsWith('Ctrl-C stops it.')) listening.resolve(/http:\S+/.exec(output)?.[0] ?? '');
  });
  void closed.then(() => listening.reject(new Error(output)));
  return {
    folder,
    url: listening.promise,
    output: () => output,
    closed,
    stop: (signal: NodeJS.Signals) => {
      child.kill(signal);
      return closed;
    },
    remove: () => rm(folder, { recursive: true }),
  };
}

const authorization = `Bearer ${token}`;
const signUp = (url: string, body: string, type = 'application/json') =>
  fetch(`${url}/signup`, { method: 'POST', headers: { 'content-type': type }, body });

for (const name of ['hono', 'express', 'fastify', 'node']) {
  const test = spec(`example server, ${name}`);
  const started = startServer(name);

  test('tells of its health', async () => {
    const { url } = await started;
    const response = await fetch(`${await url}/health`);
    const { status, limit } = (await response.json()) as Health;
    assert.equal([response.status, status, limit], [200, 'ready', 1_000]);
    assert.is(response.headers.get('cache-control'), 'no-store');
  });

  test('answers 202 with the id of the run, whose tasks fall after it', async () => {
    const { url, folder } = await started;
    const response = await signUp(await url, JSON.stringify(ada));
    const body = (await response.json()) as { runId: string };
    assert.equal([response.status, Object.keys(body)], [202, ['runId']]);

    const address = `${await url}/runs/${body.runId}`;
    const events = await (await fetch(`${address}/events`, { headers: { authorization } })).text();
    const types = Array.from(events.matchAll(/^event: (.*)$/gm), ([, type]) => type);
    assert.is(types[0], 'run.started');
    assert.is(types.at(-1), 'run.done');

    const view = (await (await fetch(address, { headers: { authorization } })).json()) as RunView;
    assert.equal(
      Object.entries(view.tasks).map(([id, { status }]) => `${id} ${status}`),
      ['account done', 'mail done', 'crm done', 'sms done', 'card done', 'audit done'],
    );
    assert.match(await readFile(join(folder, 'outbox/ada@example.org.eml'), 'utf8'), 'member number 1.');
  });

  test('joins a request that is repeated under its key, and refuses another under it', async () => {
    const { url } = await started;
    const ask = async (person: object) => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': 'of the test' };
      const response = await fetch(`${await url}/signup`, {
        method: 'POST',
        headers,
        body: JSON.stringify(person),
      });
      return [response.status, await response.json()];
    };
    const eve = { ...ada, email: 'eve@example.org' };
    const first = await ask(eve);
    assert.is(first[0], 202);
    assert.equal(await ask(eve), first);
    const { runId } = first[1] as { runId: string };
    await (await fetch(`${await url}/runs/${runId}/events`, { headers: { authorization } })).text();
    assert.equal(await ask(eve), first);
    assert.equal(await ask({ ...eve, name: 'Mallory' }), [
      422,
      {
        errors: [
          {
            message:
              'The idempotency key was used before, with another input. Use a new key for a new request.',
          },
        ],
      },
    ]);
  });

  test('says what is wrong with a sign-up', async () => {
    const url = await (await started).url;
    const slip = await signUp(url, JSON.stringify({ ...ada, email: 'ada at example.org' }));
    assert.equal(
      [slip.status, await slip.json()],
      [422, { errors: [{ field: 'email', message: 'Invalid email address' }] }],
    );
    const statuses: number[] = [];
    for (const body of ['{', '', '[]', `{"name":"${'x'.repeat(20_000)}"}`]) {
      const { status } = await signUp(url, body);
      statuses.push(status);
    }
    assert.equal(statuses[0], 400);
    assert.ok([400, 422].includes(statuses[1] ?? 0));
    assert.equal(statuses.slice(2), [422, 413]);
    for (const path of ['/', '/signup', '/nowhere']) assert.is((await fetch(url + path)).status, 404);
  });

  test('shows runs to those who have the token, and to nobody else', async () => {
    const url = await (await started).url;
    const statusOf = async (headers: Record<string, string>) =>
      (await fetch(`${url}/runs`, { headers })).status;
    assert.equal(
      [await statusOf({}), await statusOf({ authorization: 'Bearer x' }), await statusOf({ authorization })],
      [401, 401, 200],
    );
  });

  test('ends clean when it is told to, and lets what it has accepted settle', async () => {
    const { url, output, stop, folder, remove } = await started;
    const { runId } = (await (
      await signUp(await url, JSON.stringify({ ...ada, email: 'al@example.org' }))
    ).json()) as {
      runId: string;
    };
    const watching = await fetch(`${await url}/runs/${runId}/events`, { headers: { authorization } });
    const code = await stop(name === 'node' ? 'SIGINT' : 'SIGTERM');
    await watching.text();
    assert.is(code, 0, output());
    assert.match(output(), /^Stopped: 1 settled meanwhile, 0 cancelled$/m);
    assert.match(await readFile(join(folder, 'audit.ndjson'), 'utf8'), `"runId":"${runId}"`);
    assert.not.match(output(), token);
    await remove();
  });
}

const test = spec('example server');

test('says what it cannot be started with', async () => {
  const cases: [string, Record<string, string>, RegExp][] = [
    ['koa', {}, /^`koa` is no server here: it is one of hono, express, fastify, node\.$/m],
    ['hono', { PORT: '99999' }, /^PORT must be a number from 0 to 65535, but is `99999`\.$/m],
    ['hono', { PORT: '0', TOPPLE_TOKEN: 'a b' }, /^TOPPLE_TOKEN must be letters, digits/m],
    ['hono', { PORT: '0', TOPPLE_STORE: '/nowhere/at/all' }, /^TOPPLE_STORE cannot be used: /m],
  ];
  for (const [name, env, message] of cases) {
    const { closed, output, url, remove } = await startServer(name, env);
    url.catch(() => 'it never listens');
    assert.is(await closed, 2);
    assert.match(output(), message);
    await remove();
  }
});

test('takes 1,000 runs that have not settled, answers 503 beyond, and keeps 1,000 that have', async () => {
  const engine = createEngine({ keepSettled: 1_000 });
  const nowhere = { mailUrl: 'smtp://127.0.0.1:1', partnerUrl: '', smsUrl: '', out: '' };
  const accounts = { create: () => undefined } as unknown as Accounts;
  const gate = Promise.withResolvers<never>();
  const flow = createSignUpFlow({ ...nowhere, accounts }).provide({
    account: { perform: () => gate.promise },
    audit: { perform: async () => {} },
  });
  const logger = { error: () => {}, warn: () => {}, info: () => {} };
  const site = createSite(engine, flow as SignUpFlow, { token, logger });
  const server = await startHono(site, 0);
  const statuses = new Map<number, number>();
  for (let sent = 0; sent < 1_010; sent++) {
    const response = await signUp(server.url, JSON.stringify(ada));
    await response.text();
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    if (response.status === 503) assert.is(response.headers.get('retry-after'), '1');
  }
  assert.equal(
    [...statuses],
    [
      [202, 1_000],
      [503, 10],
    ],
  );
  gate.reject(new Error('nobody is created'));
  await Promise.all(
    (await engine.runs({ settled: false })).map(async ({ id }) => (await engine.run(id))?.settled()),
  );
  assert.is((await signUp(server.url, JSON.stringify(ada))).status, 202);
  await site.background.drain();
  assert.is((await engine.runs()).length, 1_000);
  await server.close();
});
