import { createEngine, createFlow, createMemoryStore, type Engine, type Run } from 'topple';
import { createInspectorHandler } from 'topple/inspector';
import * as assert from 'uvu/assert';
import type { Feed, ListedRun, RunList, Structure, ToPage } from '../../src/inspector/protocol.ts';
import { readRows } from '../../src/inspector/rows.ts';
import { StoreSource } from '../../src/inspector/sources/store-source.ts';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { Served } from './served.ts';

const test = spec('child runs in the inspector');

const inner = createFlow('inner').task('x/y', { perform: () => 1 });

/** A flow that maps three items; the last waits until it is released, the second fails. */
function mapping() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const flow = createFlow('outer')
    .flow('one', { flow: inner })
    .map('each', {
      over: () => [0, 1, 2],
      tolerate: 1,
      perform: async ({ item }) => {
        if (item === 2) await promise;
        if (item === 1) throw new Error('no');
        return item;
      },
    });
  return { flow, release: resolve };
}

/** Waits until a run has so many settled tasks. */
async function settledIn(engine: Engine, id: string, count: number): Promise<void> {
  for (;;) {
    const run = await engine.run(id);
    const tasks = Object.values(run?.view().tasks ?? {});
    if (tasks.filter(({ endedAt }) => endedAt !== undefined).length >= count) return;
    await new Promise(setImmediate);
  }
}

const path = (id: string): string => `/api/runs/here/${encodeURIComponent(id)}`;
const counts = (total: number, done: number, failed = 0) => {
  return { total, done, failed, skipped: 0, upstream_failed: 0, cancelled: 0 };
};

test('a structure tells which child run a task has and how far it is, and a child run whose it is', async () => {
  await using served = await Served.start({}, { keepSettled: 10 });
  const { flow, release } = mapping();
  const run: Run = await served.engine.start(flow, undefined, { id: 'r1' });
  await settledIn(served.engine, 'r1/each#1', 2);
  await settledIn(served.engine, 'r1', 1);
  const { children, tasks } = await served.json<Structure>(path('r1'));
  assert.equal(children, {
    one: { id: 'r1/one#1', counts: counts(1, 1) },
    each: { id: 'r1/each#1', counts: counts(3, 1, 1) },
  });
  assert.equal(
    tasks.map(({ kind }) => kind),
    ['flow', 'map'],
  );
  const child = await served.json<Structure>(path('r1/each#1'));
  assert.equal(child.run.parent, { runId: 'r1', taskId: 'each', life: 1 });
  assert.equal(
    child.tasks.map(({ id }) => id),
    ['0', '1', '2'],
  );
  release();
  await run.settled();
  assert.equal((await served.json<Structure>(path('r1/each#1'))).commands, []);
});

test('the list of runs has roots alone, live too', async () => {
  await using served = await Served.start({}, { keepSettled: 10 });
  const live = await served.live();
  live.tell({ type: 'list', on: true });
  live.tell({ type: 'ping' });
  await live.until((messages) => messages.some(({ type }) => type === 'pong'));
  const { flow, release } = mapping();
  release();
  const run: Run = await served.engine.start(flow, undefined, { id: 'r1' });
  await run.settled();
  const isOver = (message: ToPage): boolean =>
    message.type === 'runs' && message.runs.some(({ id, status }) => id === 'r1' && status !== 'running');
  await live.until((messages) => messages.some(isOver));
  live.socket.terminate();
  const told = live.messages.flatMap((message) => (message.type === 'runs' ? message.runs : []));
  assert.equal([...new Set(told.map(({ id }: ListedRun) => id))], ['r1']);
  const { runs, counts: byStatus, flows } = await served.json<RunList>('/api/runs');
  assert.equal([runs.map(({ id }) => id), byStatus, flows], [['r1'], { done: 1 }, ['outer']]);
});

test('who watches a run is told how far its child runs are', async () => {
  await using served = await Served.start({}, { keepSettled: 10 });
  const { flow, release } = mapping();
  const run: Run = await served.engine.start(flow, undefined, { id: 'r1' });
  await settledIn(served.engine, 'r1/each#1', 2);
  const live = await served.live();
  live.tell({ type: 'watch', source: 'here', id: 'r1', after: 0 });
  await live.until((messages) => messages.some(({ type }) => type === 'feed'));
  release();
  await run.settled();
  const told = (message: ToPage): Feed[] => (message.type === 'feed' ? [...message.feed] : []);
  await live.until((messages) =>
    messages.flatMap(told).some((line) => 'children' in line && line.children.each?.counts?.done === 2),
  );
  live.socket.terminate();
  const { text } = await served.ask(`${path('r1')}/entries`);
  const lines: Feed[] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const children = lines.flatMap((line) => ('children' in line ? [line.children] : []));
  assert.equal(children, [
    { one: { id: 'r1/one#1', counts: counts(1, 1) }, each: { id: 'r1/each#1', counts: counts(3, 2, 1) } },
  ]);
});

test('entries carry what they say of parents and children, whatever is redacted', async () => {
  await using served = await Served.start({ redact: () => '***' }, { keepSettled: 10 });
  const { flow, release } = mapping();
  release();
  const run: Run = await served.engine.start(flow, undefined, { id: 'r1' });
  await run.settled();
  for (const id of ['r1', 'r1/each#1']) {
    const { tasks } = await served.json<Structure>(path(id));
    const { text } = await served.ask(`${path(id)}/entries`);
    const lines: Feed[] = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const ids = tasks.map((task) => task.id);
    const read = lines.flatMap((line) => ('entries' in line ? readRows(line.entries, id, ids) : []));
    const kept = (await served.engine.run(id))?.entries() ?? [];
    const said = (entries: readonly object[]) =>
      entries.map((entry) => {
        const { parent, child, continues } = entry as Readonly<Record<string, unknown>>;
        return { parent, child, continues };
      });
    assert.equal(said(read), said(kept));
    assert.ok(said(read).some(({ parent, child }) => parent !== undefined || child !== undefined));
  }
});

test('whoever may see a root may see its child runs, and nobody else', async () => {
  const engine = createEngine({ logger: silent, keepSettled: 10 });
  const { flow, release } = mapping();
  release();
  for (const id of ['r1', 'r2']) await ((await engine.start(flow, undefined, { id })) as Run).settled();
  const asked: string[] = [];
  const handler = await createInspectorHandler({
    engine,
    logger: silent,
    authorize: () => (run) => {
      asked.push(`${run.flow} ${run.id}`);
      return run.id === 'r1';
    },
  });
  const status = async (id: string, part = ''): Promise<number> =>
    (await handler(new Request(`http://runs.example/inspect${path(id)}${part}`))).status;
  for (const part of ['', '/entries', '/export']) {
    assert.is(await status('r1/each#1', part), 200);
    assert.is(await status('r2/each#1', part), 404);
  }
  assert.is(await status('r1/each#2'), 404);
  assert.equal([...new Set(asked)], ['outer r1', 'outer r2']);
  handler.close();
  await engine.stop();
});

test('an exported file has the runs below, each with its own values', async () => {
  await using served = await Served.start({}, { keepSettled: 10 });
  const deep = createFlow('deep').task('large', { perform: () => 'x'.repeat(20_000) });
  const flow = createFlow('top').map('each', { over: () => [1, 2], perform: deep });
  const run: Run = await served.engine.start(flow, undefined, { id: 'r1' });
  await run.settled();
  const { gunzipSync } = await import('node:zlib');
  const { text } = await served.ask(`${path('r1')}/export`);
  const data = /id="topple-export">([^<]*)</.exec(text)?.[1] ?? '';
  const recording = JSON.parse(gunzipSync(Buffer.from(data, 'base64')).toString());
  assert.equal(Object.keys(recording.children), ['r1/each#1', 'r1/each#1/0#1', 'r1/each#1/1#1']);
  const [value] = Object.values(recording.children['r1/each#1/0#1'].values);
  assert.is((value as string).length, 20_000);
});

test('runs of a store tell of their child runs too', async () => {
  const store = createMemoryStore();
  const engine = createEngine({ logger: silent, store });
  const { flow, release } = mapping();
  const run: Run = await engine.start(flow, undefined, { id: 'r1' });
  await settledIn(engine, 'r1/each#1', 2);
  const read: string[] = [];
  const readOf = store.read.bind(store);
  const counting = Object.assign(store, {
    read(runId: string) {
      read.push(runId);
      return readOf(runId);
    },
  });
  const source = new StoreSource({
    id: 'store',
    name: 'file',
    store: counting,
    flowOf: async (entries) => {
      const held = await engine.run(entries[0]?.runId ?? '');
      return Object.assign(Object.create(held?.definition ?? {}), { isWhole: true });
    },
    command: () => {},
    failed: (error) => assert.unreachable(String(error)),
  });
  const shown = await source.open('r1');
  assert.equal((await shown?.children())?.each, { id: 'r1/each#1', counts: counts(3, 1, 1) });
  assert.equal(shown?.structure().children?.each?.id, 'r1/each#1');
  assert.equal(
    (await source.list({ limit: 10 })).map((placed) => placed.run.id),
    ['r1'],
  );
  read.length = 0;
  await shown?.children();
  assert.equal(read, [], 'a journal that has not grown is not read again');
  release();
  await run.settled();
  assert.equal((await shown?.children())?.each?.counts, counts(3, 2, 1));
  assert.equal(read, ['r1/each#1']);
  source.close();
  await engine.stop();
});
