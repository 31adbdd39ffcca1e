import { createEngine, createFlow, createFlowFromGraph, type Engine, type Entry } from 'topple';
import { createInspector, type Inspector } from 'topple/inspector';
import * as assert from 'uvu/assert';
import WebSocket from 'ws';
import { Collector } from '../../src/inspector/link/collector.ts';
import { type FromProgram, linkVersion } from '../../src/inspector/link/link-protocol.ts';
import type { Feed, ListedRun, RunList, Structure, ToPage, ValuePage } from '../../src/inspector/protocol.ts';
import { readRows } from '../../src/inspector/rows.ts';
import { type ServedInspector, serveInspector } from '../../src/inspector/server/serve.ts';
import { Sources } from '../../src/inspector/sources/sources.ts';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { cookieOf, Live, send } from './served.ts';

const test = spec('programs that connect to an inspector');

/** An inspector that programs connect to, with a page that watches its list. */
class Hub implements AsyncDisposable {
  readonly served: ServedInspector;
  readonly cookie: string;
  readonly live: Live;
  readonly #programs: (() => Promise<unknown>)[] = [];

  private constructor(served: ServedInspector, cookie: string, live: Live) {
    this.served = served;
    this.cookie = cookie;
    this.live = live;
    live.tell({ type: 'list', on: true });
  }

  static async start(maxSize?: number, port = 0): Promise<Hub> {
    const sources = new Sources();
    const collector = new Collector({ sources, maxSize });
    const served = await serveInspector({ sources, port, logger: silent, collector });
    const cookie = await cookieOf(served.url);
    const { origin } = new URL(served.url);
    const live = await Live.open(`${origin.replace('http', 'ws')}/api/live`, { cookie, origin });
    return new Hub(served, cookie, live);
  }

  get url(): string {
    return `ws://127.0.0.1:${this.served.port}`;
  }

  get origin(): string {
    return new URL(this.served.url).origin;
  }

  async program(name: string, options = {}): Promise<{ engine: Engine; inspector: Inspector }> {
    const engine = createEngine({ logger: silent });
    const inspector = await createInspector({ engine, url: this.url, name, logger: silent, ...options });
    this.#programs.push(
      () => engine.stop(),
      () => inspector.close(),
    );
    return { engine, inspector };
  }

  async json<T>(path: string): Promise<T> {
    const { status, text } = await send(this.origin + path, { headers: { cookie: this.cookie } });
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    return JSON.parse(text);
  }

  command({ source, id }: ListedRun, body: unknown) {
    return send(`${this.origin}/api/runs/${source}/${id}/commands`, {
      method: 'POST',
      headers: { cookie: this.cookie, origin: this.origin, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** Waits until the list tells of a run in some state. */
  run(is: (run: ListedRun) => boolean): Promise<ListedRun> {
    return this.live.until((messages) =>
      messages.flatMap((message) => (message.type === 'runs' ? message.runs : [])).findLast(is),
    );
  }

  async entries({ source, id }: ListedRun): Promise<{ entries: Entry[]; feed: Feed[] }> {
    const { tasks } = await this.json<Structure>(`/api/runs/${source}/${id}`);
    const { text } = await send(`${this.origin}/api/runs/${source}/${id}/entries`, {
      headers: { cookie: this.cookie },
    });
    const feed: Feed[] = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const ids = tasks.map((task) => task.id);
    return {
      feed,
      entries: feed.flatMap((line) => ('entries' in line ? readRows(line.entries, id, ids) : [])),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#programs) await end();
    this.live.socket.terminate();
    await this.served.close();
  }
}

const flow = createFlow('f')
  .task('a', { perform: ({ log }) => log('hello') })
  .task('b', { dependsOn: ['a'], perform: () => ({ text: 'x'.repeat(20_000) }) });

function waiting() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { flow: createFlow('w').task('a', { perform: () => promise }), release: resolve };
}

const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value));

test('runs of several programs are there, with their entries, logs and values, and ids do not collide', async () => {
  await using hub = await Hub.start();
  const one = await hub.program('one');
  const two = await hub.program('two');
  const run = await one.engine.start(flow, undefined, { id: 'same' });
  await (
    await two.engine.start(createFlow('g').task('x', { perform: () => 1 }), undefined, { id: 'same' })
  ).settled();
  await run.settled();
  const listed = await hub.run(({ flow, status }) => flow === 'f' && status === 'done');
  await hub.run(({ flow, status }) => flow === 'g' && status === 'done');
  const { runs, sources, flows } = await hub.json<RunList>('/api/runs');
  assert.equal(
    runs.map(({ id }) => id),
    ['same', 'same'],
  );
  assert.is(new Set(runs.map(({ source }) => source)).size, 2);
  assert.equal(flows, ['f', 'g']);
  assert.equal(
    sources.map(({ name, kind, state, pid }) => [name, kind, state, pid === process.pid]),
    [
      ['one', 'program', 'here', true],
      ['two', 'program', 'here', true],
    ],
  );
  const { entries, feed } = await hub.entries(listed);
  const sent = plain(run.entries()).map((entry) =>
    entry.type === 'task.done' || entry.type === 'run.done' ? { ...entry, output: undefined } : entry,
  );
  assert.equal(
    plain(entries.map((entry) => ('output' in entry ? { ...entry, output: undefined } : entry))),
    plain(sent),
  );
  assert.ok(feed.some((line) => 'logs' in line && line.logs[0]?.message === 'hello'));
  const done = entries.findLast((entry) => entry.type === 'task.done');
  const at = `/api/runs/${listed.source}/same/value?seq=${done?.seq}&path=/output/text`;
  const page = await hub.json<ValuePage>(`${at}&from=19995`);
  assert.equal([page.size, page.text], [20_000, 'xxxxx']);
  assert.is(await hub.json<string>(`${at}&whole=1`), 'x'.repeat(20_000));
});

test('commands reach the program, and its refusals come back', async () => {
  await using hub = await Hub.start();
  const { engine } = await hub.program('one');
  const { flow: held } = waiting();
  const run = await engine.start(held, undefined, { id: 'r' });
  const listed = await hub.run(({ id }) => id === 'r');
  assert.is((await hub.command(listed, { type: 'pause' })).status, 200);
  assert.is(run.view().status, 'paused');
  assert.is((await hub.command(listed, { type: 'rerun' })).status, 409);
  assert.is((await hub.command(listed, { type: 'cancel', reason: 'enough' })).status, 200);
  assert.equal([run.view().status, run.view().reason], ['cancelling', 'enough']);
});

test('a program that ends leaves its runs, which take no commands and say that it is gone', async () => {
  await using hub = await Hub.start();
  const { engine, inspector } = await hub.program('one');
  await (await engine.start(flow, undefined, { id: 'r' })).settled();
  await inspector.close();
  const listed = await hub.run(({ status }) => status === 'done');
  await hub.live.until((messages) =>
    messages.some((message) => message.type === 'sources' && message.sources[0]?.state === 'gone'),
  );
  const structure = await hub.json<Structure>(`/api/runs/${listed.source}/r`);
  assert.equal(structure.commands, []);
  assert.is((await hub.entries(listed)).entries.length, listed.seq);
  const refused = await hub.command(listed, { type: 'rerun' });
  assert.equal(
    [refused.status, JSON.parse(refused.text).detail],
    [409, 'The program that has the run is gone: only what it sent is here.'],
  );
});

test('a program whose inspector starts again sends all of it again, and what is new', async () => {
  const first = await Hub.start();
  const { port } = first.served;
  const { engine, inspector } = await first.program('one');
  const { flow: held, release } = waiting();
  const run = await engine.start(held, undefined, { id: 'r' });
  await first.run(({ id, seq }) => id === 'r' && seq === 3);
  first.live.socket.terminate();
  await first.served.close();
  release();
  await run.settled();
  const hub = await Hub.start(undefined, port);
  const listed = await hub.run(({ status }) => status === 'done');
  assert.equal(plain((await hub.entries(listed)).entries), plain(run.entries()));
  await inspector.close();
  await engine.stop();
  await hub[Symbol.asyncDispose]();
});

/** A program of which each message is written by hand. */
class Fake {
  readonly socket: WebSocket;
  readonly received: unknown[] = [];
  #wake: () => void = () => {};
  closeCode = 0;

  constructor(hub: Hub, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(`${hub.url}/connect`, { headers });
    this.socket.on('error', () => {});
    this.socket.on('message', (data) => {
      this.received.push(JSON.parse(String(data)));
      this.#wake();
    });
    this.socket.on('close', (code) => {
      this.closeCode = code;
      this.#wake();
    });
  }

  opened(): Promise<boolean> {
    return new Promise((resolve) => {
      this.socket.once('open', () => resolve(true));
      this.socket.once('error', () => resolve(false));
    });
  }

  tell(...messages: readonly (FromProgram | unknown)[]): void {
    for (const message of messages) this.socket.send(JSON.stringify(message));
  }

  async until(count: number): Promise<void> {
    while (this.received.length < count && this.closeCode === 0)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }

  async closed(): Promise<number> {
    await this.until(Number.POSITIVE_INFINITY);
    return this.closeCode;
  }
}

const hello = { type: 'hello', version: linkVersion, instance: 'a secret of some length', name: 'fake' };
const runOf = (id: string, ...tasks: readonly string[]) => [
  { type: 'tasks', list: 0, isFirst: true, tasks: tasks.map((task) => ({ id: task })) },
  { type: 'run', structure: { id, run: { flow: 'f' } }, list: 0 },
];
const started = [10, 0, { version: 1, flow: 'f', flowHash: 'h', input: null }];
const steps = (count: number) => Array.from({ length: count }, () => [0, 1, 0]);
const feedOf = (id: string, from: number, rows: readonly unknown[]) => ({
  type: 'feed',
  id,
  feed: [{ entries: { from, at: 1_000, rows, to: from + rows.length - 1 } }],
});

test('a reconnected program is told what is there; repeated entries are left out, and missing ones told as a gap', async () => {
  await using hub = await Hub.start();
  const first = new Fake(hub);
  await first.opened();
  first.tell(hello);
  first.tell(...runOf('r', 'a', 'b'));
  first.tell(feedOf('r', 1, [started, ...steps(4)]));
  await hub.run(({ seq }) => seq === 5);
  first.socket.terminate();
  const again = new Fake(hub);
  await again.opened();
  again.tell(hello);
  await again.until(1);
  assert.equal(again.received, [{ type: 'welcome', have: { r: [5, 0] } }]);
  again.tell(feedOf('r', 4, steps(3)));
  again.tell(feedOf('r', 10, steps(2)));
  const listed = await hub.run(({ seq }) => seq === 11);
  const { feed, entries } = await hub.entries(listed);
  assert.equal(
    entries.map(({ seq }) => seq),
    [1, 2, 3, 4, 5, 6, 10, 11],
  );
  assert.equal(
    feed.filter((line) => 'gap' in line),
    [{ gap: { from: 7, to: 9 } }],
  );
  assert.equal(
    entries.slice(1, 7).map(({ at }) => at),
    [1_001, 1_002, 1_003, 1_004, 1_003, 1_001],
  );
  const { sources } = await hub.json<RunList>('/api/runs');
  assert.equal([sources.length, sources[0]?.reconnects, sources[0]?.dropped.entries], [1, 1, 3]);
  again.socket.terminate();
});

test('what is too much for its memory goes, the settled runs first, and is counted', async () => {
  await using hub = await Hub.start(400_000);
  const fake = new Fake(hub);
  await fake.opened();
  fake.tell(hello);
  fake.tell(...runOf('old', 'a', 'b'));
  fake.tell(feedOf('old', 1, [started, ...steps(1_000), [14, 0]]));
  fake.tell(...runOf('r', 'a', 'b'));
  fake.tell(feedOf('r', 1, [started]));
  for (let from = 2; from < 100_000; from += 1_000) fake.tell(feedOf('r', from, steps(1_000)));
  const listed = await hub.run(({ seq }) => seq === 100_001);
  const { feed, entries } = await hub.entries(listed);
  const gap = feed.find((line) => 'gap' in line);
  assert.ok(gap?.gap.from === 1 && gap.gap.to > 10_000);
  assert.is(entries[0]?.seq, gap.gap.to + 1);
  assert.is(entries.at(-1)?.seq, 100_001);
  const { runs, sources } = await hub.json<RunList>('/api/runs');
  assert.equal(
    [runs.map(({ id }) => id), sources[0]?.dropped.runs, sources[0]?.dropped.entries],
    [['r'], 1, gap.gap.to],
  );
  const removed = hub.live.messages.flatMap((message: ToPage) =>
    message.type === 'runs' ? message.removed : [],
  );
  assert.equal(
    removed.map(({ id }) => id),
    ['old'],
  );
  fake.socket.terminate();
});

test('another order of tasks does not move entries from one task to another', async () => {
  await using hub = await Hub.start();
  const fake = new Fake(hub);
  await fake.opened();
  fake.tell(hello);
  fake.tell(...runOf('r', 'a', 'b'));
  fake.tell(feedOf('r', 1, [started, [0, 0, 0], [0, 0, 1]]));
  fake.tell(...runOf('r', 'b', 'c'));
  fake.tell(feedOf('r', 4, [[0, 0, 1]]));
  const listed = await hub.run(({ seq }) => seq === 4);
  const { entries } = await hub.entries(listed);
  assert.equal(
    entries.map((entry) => ('taskId' in entry ? entry.taskId : '')),
    ['', 'a', 'b', 'c'],
  );
  fake.socket.terminate();
});

test('a thousand outputs that are just small enough to be sent at once arrive in messages that are not too long', async () => {
  await using hub = await Hub.start();
  const { engine, inspector } = await hub.program('outputs');
  const tasks = Object.fromEntries(Array.from({ length: 1_100 }, (_, n) => [`t${n}`, {}]));
  const text = 'x'.repeat(8_100);
  const many = createFlowFromGraph({ name: 'many', tasks }, async () => ({ text }));
  await (await engine.start(many)).settled();
  const listed = await hub.run(({ status }) => status === 'done');
  assert.is(listed.seq, 3_302);
  const { sources } = await hub.json<RunList>('/api/runs');
  assert.is(sources[0]?.reconnects, 0);
  assert.ok(inspector);
});

test('the tasks of a flow are sent once for all its runs, in parts where they are many', async () => {
  await using hub = await Hub.start();
  const engine = createEngine({ logger: silent });
  const sent: string[] = [];
  const { prototype } = globalThis.WebSocket;
  const { send: sendOf } = prototype;
  prototype.send = function (data) {
    if (typeof data === 'string') sent.push(data);
    sendOf.call(this, data);
  };
  try {
    await using _ = await createInspector({ engine, url: hub.url, logger: silent });
    const tasks = Object.fromEntries(Array.from({ length: 7_000 }, (_, n) => [`t${n}`, {}]));
    const flow = createFlowFromGraph({ name: 'wide', tasks }, async () => undefined);
    for (const id of ['one', 'two', 'three']) await (await engine.start(flow, undefined, { id })).settled();
    for (const id of ['one', 'two', 'three']) {
      const run = await hub.run((listed) => listed.id === id && listed.status === 'done');
      assert.is(run.tasks, 7_000);
    }
  } finally {
    prototype.send = sendOf;
  }
  const types = sent.map((text) => JSON.parse(text).type);
  assert.is(types.filter((type) => type === 'tasks').length, 2);
  assert.is(types.filter((type) => type === 'run').length, 3);
});

for (const [what, messages] of Object.entries<readonly unknown[]>({
  'no hello': [...runOf('r', 'a', 'b')],
  'another version': [{ ...hello, version: 99 }],
  'a short secret': [{ ...hello, instance: 'x' }],
  'two hellos': [hello, hello],
  'no message': [hello, 'what'],
  'an unknown message': [hello, { type: 'explode' }],
  'a run without tasks': [hello, { type: 'run', structure: { id: 'r' } }],
  'a run with tasks that it has not sent': [hello, { type: 'run', structure: { id: 'r' }, list: 0 }],
  'tasks that are none': [hello, { type: 'tasks', list: 0, isFirst: true, tasks: [null] }],
  'tasks at no place': [hello, { type: 'tasks', list: 3, isFirst: true, tasks: [{ id: 'a' }] }],
  'too many tasks': [
    hello,
    ...Array.from({ length: 81 }, (_, part) => ({
      type: 'tasks',
      list: 0,
      isFirst: part === 0,
      tasks: Array.from({ length: 5_000 }, () => ({ id: 'a' })),
    })),
  ],
  'a feed of something else': [hello, ...runOf('r', 'a', 'b'), { type: 'feed', id: 'r', feed: [{ x: 1 }] }],
  'rows that are none': [hello, ...runOf('r', 'a', 'b'), feedOf('r', 1, ['x'])],
  'rows that end elsewhere': [
    hello,
    ...runOf('r', 'a', 'b'),
    { type: 'feed', id: 'r', feed: [{ entries: { from: 1, at: 0, rows: [started, '0000'], to: 3 } }] },
  ],
  'rows at no place': [hello, ...runOf('r', 'a', 'b'), feedOf('r', -5, steps(1))],
})) {
  test(`a program that sends ${what} is disconnected`, async () => {
    await using hub = await Hub.start();
    const fake = new Fake(hub);
    await fake.opened();
    fake.tell(...messages);
    assert.is(await fake.closed(), 1008);
  });
}

test('a message that is too long ends the connection, and binary does that is no text of JSON', async () => {
  await using hub = await Hub.start();
  const long = new Fake(hub);
  await long.opened();
  long.socket.send('x'.repeat(9 * 1_024 * 1_024));
  assert.is(await long.closed(), 1009);
  const binary = new Fake(hub);
  await binary.opened();
  binary.socket.send(Buffer.from('x'));
  assert.is(await binary.closed(), 1008);
});

test('pages of other machines, and names that lead here, may send no runs; pages of this machine may', async () => {
  await using hub = await Hub.start();
  for (const [headers, isLetIn] of [
    [{}, true],
    [{ origin: 'http://localhost:3000' }, true],
    [{ origin: 'http://127.0.0.1:3000' }, true],
    [{ origin: 'http://evil.example' }, false],
    [{ origin: 'null' }, false],
    [{ origin: 'http://localhost.evil.example' }, false],
    [{ host: 'evil.example' }, false],
    [{ host: `evil.example:${hub.served.port}` }, false],
  ] as const) {
    const fake = new Fake(hub, headers as Record<string, string>);
    assert.is(await fake.opened(), isLetIn, JSON.stringify(headers));
    fake.socket.terminate();
  }
});

test('whoever sends runs sees none: its secret is all that it is told by', async () => {
  await using hub = await Hub.start();
  const { engine } = await hub.program('one');
  await (await engine.start(flow, undefined, { id: 'r' })).settled();
  await hub.run(({ status }) => status === 'done');
  const fake = new Fake(hub);
  await fake.opened();
  fake.tell(hello);
  await fake.until(1);
  assert.equal(fake.received, [{ type: 'welcome', have: {} }]);
  fake.socket.terminate();
});
