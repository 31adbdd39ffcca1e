import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createEngine, createFlow } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { runCli } from '../../../src/cli/cli.ts';
import type { RunList, Structure } from '../../../src/inspector/protocol.ts';
import { cookieOf, Live, send } from '../../inspector/served.ts';
import { spec } from '../../spec.ts';
import { type FakeIo, fakeIo, topple } from '../../support/cli.ts';
import { tempFile } from '../../support/sqlite.ts';
import { silent } from '../../support/virtual.ts';

const test = spec('topple inspect');

/** A command that serves, until it is sent a signal. */
class Serving {
  readonly io: FakeIo;
  readonly code: Promise<number>;
  readonly url: string;
  readonly cookie: string;

  private constructor(io: FakeIo, code: Promise<number>, url: string, cookie: string) {
    this.io = io;
    this.code = code;
    this.url = url;
    this.cookie = cookie;
  }

  static async start(args: readonly string[], env = {}): Promise<Serving> {
    const io = fakeIo({ env });
    const printed = Promise.withResolvers<string>();
    const { write } = io.stdout;
    io.stdout.write = (text: string) => {
      printed.resolve(text);
      return write(text);
    };
    const code = runCli(['inspect', '--port', '0', ...args], io);
    const first = await Promise.race([printed.promise, code]);
    if (typeof first === 'number') throw new Error(io.stderr.text);
    return new Serving(io, code, first.trim(), await cookieOf(first.trim()));
  }

  get origin(): string {
    return new URL(this.url).origin;
  }

  async json<T>(path: string): Promise<T> {
    const { status, text } = await send(this.origin + path, { headers: { cookie: this.cookie } });
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    return JSON.parse(text);
  }

  command(id: string, body: unknown) {
    return send(`${this.origin}/api/runs/store/${id}/commands`, {
      method: 'POST',
      headers: { cookie: this.cookie, origin: this.origin, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  live(): Promise<Live> {
    return Live.open(`${this.origin.replace('http', 'ws')}/api/live`, {
      cookie: this.cookie,
      origin: this.origin,
    });
  }

  /** Ends it as Ctrl-C does. */
  async end(): Promise<number> {
    this.io.send('SIGINT');
    return this.code;
  }
}

test('prints an address that opens the page, on loopback, until Ctrl-C', async () => {
  const serving = await Serving.start([]);
  assert.match(serving.url, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32}$/);
  assert.is((await send(serving.url)).status, 200);
  assert.is((await send(serving.origin)).status, 403);
  assert.is(await serving.end(), 0);
  const isGone = await send(serving.url).then(
    () => false,
    () => true,
  );
  assert.ok(isGone);
});

test('says how to go on where the port is taken, with exit code 2', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const { code, stdout, stderr } = await topple(['inspect', '--port', String(port)]);
  assert.equal([code, stdout], [2, '']);
  assert.match(stderr, `port ${port} is taken`);
  assert.match(stderr, '--port 0');
  other.close();
});

test('refuses a port that is none', async () => {
  assert.is((await topple(['inspect', '--port', '70000'])).code, 2);
});

test('opens the browser that it is told', async () => {
  const folder = dirname(tempFile());
  const opened = new Promise<void>((resolve) => {
    const watcher = watch(folder, (_, name) => {
      if (name !== 'opened') return;
      watcher.close();
      resolve();
    });
  });
  const browser = join(folder, 'browser');
  writeFileSync(
    browser,
    `#!/bin/sh\nprintf %s "$1" > ${folder}/part && mv ${folder}/part ${folder}/opened\n`,
    { mode: 0o755 },
  );
  const serving = await Serving.start(['--open'], { BROWSER: browser });
  await opened;
  assert.is(readFileSync(join(folder, 'opened'), 'utf8'), serving.url);
  await serving.end();
});

const flow = createFlow('f')
  .task('a', { perform: () => 1 })
  .task('b', { dependsOn: ['a'], perform: () => new Promise(() => {}) });

test('shows the runs of a file with their structure, and follows those that go on', async () => {
  const path = tempFile();
  const store = await createSqliteStore(path);
  const engine = createEngine({ store, logger: silent });
  const short = createFlow('g').task('x', { perform: () => 2 });
  await (await engine.start(short, undefined, { id: 'r1' })).settled();
  const serving = await Serving.start(['--store', path]);
  const live = await serving.live();
  live.tell({ type: 'list', on: true });
  const run = await engine.start(flow, undefined, { id: 'r2' });
  const listed = await live.until((messages) =>
    messages
      .flatMap((message) => (message.type === 'runs' ? message.runs : []))
      .find(({ id }) => id === 'r2'),
  );
  assert.equal([listed.source, listed.flow, listed.status], ['store', 'f', 'running']);
  const { runs, sources } = await serving.json<RunList>('/api/runs');
  assert.equal(
    runs.map(({ id, status }) => [id, status]),
    [
      ['r2', 'running'],
      ['r1', 'done'],
    ],
  );
  assert.equal([sources[0]?.kind, sources[0]?.name], ['store', path]);
  const structure = await serving.json<Structure>('/api/runs/store/r2');
  assert.equal(
    [structure.isWhole, structure.tasks.map(({ id, dependsOn }) => [id, dependsOn])],
    [
      true,
      [
        ['a', []],
        ['b', ['a']],
      ],
    ],
  );
  live.tell({ type: 'watch', source: 'store', id: 'r2', after: 0 });
  assert.is((await serving.command('r2', { type: 'pause' })).status, 200);
  assert.is(run.view().status, 'paused');
  await live.until((messages) =>
    messages.some((message) => message.type === 'feed' && JSON.stringify(message.feed).includes('[11,')),
  );
  await engine.stop();
  await store.close();
  await serving.end();
});

test('shows a file that it may only read', async () => {
  const path = tempFile();
  const store = await createSqliteStore(path);
  const engine = createEngine({ store, logger: silent });
  const short = createFlow('g').task('x', { perform: () => 2 });
  await (await engine.start(short, undefined, { id: 'r1' })).settled();
  await engine.stop();
  await store.close();
  chmodSync(path, 0o444);
  chmodSync(dirname(path), 0o777);
  // Root may write whatever it is: it becomes somebody else.
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const main = fileURLToPath(new URL('../../../scripts/topple.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    [...process.execArgv, main, 'inspect', '--port', '0', '--store', path],
    { stdio: ['ignore', 'pipe', 'inherit'], ...nobody },
  );
  const [printed] = await once(child.stdout, 'data');
  const url = String(printed).trim();
  const { text } = await send(`${new URL(url).origin}/api/runs`, {
    headers: { cookie: await cookieOf(url) },
  });
  const { runs } = JSON.parse(text) as RunList;
  assert.equal(
    runs.map(({ id, status }) => [id, status]),
    [['r1', 'done']],
  );
  child.kill('SIGINT');
  assert.equal(await once(child, 'exit'), [0, null]);
});

test('cancels a run that no process has, and refuses to run a body for a page', async () => {
  const path = tempFile();
  const store = await createSqliteStore(path);
  const engine = createEngine({ store, logger: silent });
  await engine.start(flow, undefined, { id: 'r' });
  await engine.stop();
  await store.close();
  const serving = await Serving.start(['--store', path]);
  const cancelled = await serving.command('r', { type: 'cancel', reason: 'enough' });
  assert.equal(
    [cancelled.status, JSON.parse(cancelled.text).run?.status],
    [200, 'cancelled'],
    cancelled.text,
  );
  const rerun = await serving.command('r', { type: 'rerun' });
  assert.equal(
    [rerun.status, JSON.parse(rerun.text).detail],
    [409, `No process has the run. On the command line: \`topple rerun r --store ${path}\`.`],
  );
  await serving.end();
});

test('delivers a value to a run of another process by its store, and tells what refuses it', async () => {
  const path = tempFile();
  const store = await createSqliteStore(path);
  const engine = createEngine({ store, logger: silent });
  const asking = createFlow('asks').waitFor('approval', { schema: z.object({ by: z.string() }) });
  const run = await engine.start(asking, undefined, { id: 'w' });
  const serving = await Serving.start(['--store', path]);
  const { commands } = await serving.json<Structure>('/api/runs/store/w');
  assert.equal(commands, ['cancel', 'pause', 'deliver']);
  const deliver = async (value: unknown, taskId = 'approval', key?: string) => {
    const { status, text } = await serving.command('w', { type: 'deliver', taskId, value, key });
    return [status, (JSON.parse(text) as { detail?: string }).detail];
  };
  assert.equal(await deliver({ by: 7 }), [422, 'The task does not take this value, and goes on waiting.']);
  assert.equal(await deliver({ by: 'ada' }, 'nobody'), [404, 'The run has no such task.']);
  assert.equal(await deliver({ by: 'ada' }, 'approval', 'mail'), [200, undefined]);
  assert.equal((await run.settled()).tasks.approval?.output, { by: 'ada' });
  assert.equal(await deliver({ by: 'bob' }), [
    409,
    `No process has the run. On the command line: \`topple deliver w approval VALUE --store ${path}\`.`,
  ]);
  await engine.start(asking, undefined, { id: 'alone' });
  await engine.stop();
  await store.close();
  const { status, text } = await serving.command('alone', { type: 'deliver', taskId: 'approval', value: 1 });
  assert.equal(
    [status, JSON.parse(text).detail],
    [
      409,
      `No process has the run. On the command line: \`topple deliver alone approval VALUE --store ${path}\`.`,
    ],
  );
  await serving.end();
});

test('shows the run of `topple run --inspect`, also after it has ended', async () => {
  const serving = await Serving.start([]);
  const folder = dirname(tempFile());
  const file = join(folder, 'g.json');
  writeFileSync(file, JSON.stringify({ name: 'g', tasks: { a: {}, b: { dependsOn: ['a'] } } }));
  const env = { TOPPLE_INSPECT_PORT: new URL(serving.url).port };
  const { code, stderr } = await topple(['run', file, '--inspect'], { env });
  assert.is(code, 0);
  assert.match(stderr, `the inspector at ${serving.origin} shows the run`);
  const { runs, sources } = await serving.json<RunList>('/api/runs');
  assert.equal(
    runs.map(({ flow, status, settledTasks }) => [flow, status, settledTasks]),
    [['g', 'done', 2]],
  );
  assert.equal(
    sources.map(({ name, state }) => [name, state]),
    [[file, 'gone']],
  );
  const alone = await topple(['run', file, '--inspect'], { env: { TOPPLE_INSPECT_PORT: '1' } });
  assert.is(alone.code, 0);
  assert.match(alone.stderr, /the inspector shows the run at http:\/\/127\.0\.0\.1:\d+\/\?token=/);
  await serving.end();
});
