import { gunzipSync } from 'node:zlib';
import { createFlow, type Entry, FlowError, type Run } from 'topple';
import { createInspector, PortTakenError } from 'topple/inspector';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import type {
  Feed,
  Grid,
  Hello,
  RunList,
  Structure,
  ToPage,
  ValuePage,
} from '../../src/inspector/protocol.ts';
import { readRows } from '../../src/inspector/rows.ts';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';
import { Served, send } from './served.ts';

const test = spec('the inspector of an engine');

const flow = createFlow('f', { concurrency: 3, pools: { db: 2 } })
  .task('a', { perform: ({ log }) => log('begins', { size: 3 }), pool: 'db', priority: 2 })
  .task('b', {
    dependsOn: ['a'],
    perform: () => ({ rows: 3 }),
    optional: true,
    retry: { maxAttempts: 4 },
    timeoutMs: 50,
  });

const failing = createFlow('g').task('a', {
  perform: () => {
    throw new TypeError('no');
  },
});

/** A flow whose task waits until it is released. */
function waiting() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { flow: createFlow('w').task('a', { perform: () => promise }), release: resolve };
}

function entriesIn(feed: readonly Feed[], { id, tasks }: Structure): Entry[] {
  const ids = tasks.map((task) => task.id);
  return feed.flatMap((line) => ('entries' in line ? readRows(line.entries, id, ids) : []));
}

async function historyOf(
  served: Served,
  id: string,
  query = '',
): Promise<{ feed: Feed[]; entries: Entry[] }> {
  const structure = await served.json<Structure>(`/api/runs/here/${encodeURIComponent(id)}`);
  const { text } = await served.ask(`/api/runs/here/${encodeURIComponent(id)}/entries${query}`);
  const feed = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { feed, entries: entriesIn(feed, structure) };
}

/** Entries as they come back by way of JSON. */
function plain(run: Run): Entry[] {
  return JSON.parse(JSON.stringify(run.entries()));
}

test('serves a page to whoever has the token, and then to the cookie', async () => {
  await using served = await Served.start();
  const { status, headers, text } = await served.ask('/');
  assert.is(status, 200);
  assert.match(text, '<!doctype html>');
  assert.match(headers['content-type'] ?? '', 'text/html');
  const hello = await served.json<Hello>('/api/hello');
  assert.equal(
    hello.sources.map(({ id, kind, state }) => [id, kind, state]),
    [['here', 'engine', 'here']],
  );
  assert.equal(hello.live, { way: 'websocket' });
});

test('lists runs, the latest first, with counts by status, by filters and in pages', async () => {
  await using served = await Served.start();
  const { engine } = served;
  for (const id of ['r1', 'r2', 'r3']) await (await engine.start(flow, undefined, { id })).settled();
  await (await engine.start(failing, undefined, { id: 'r4' })).settled();
  const { flow: held, release } = waiting();
  await engine.start(held, undefined, { id: 'r5' });
  const all = await served.json<RunList>('/api/runs');
  assert.equal(
    all.runs.map(({ id, flow, status }) => [id, flow, status]),
    [
      ['r5', 'w', 'running'],
      ['r4', 'g', 'failed'],
      ['r3', 'f', 'done'],
      ['r2', 'f', 'done'],
      ['r1', 'f', 'done'],
    ],
  );
  assert.equal(
    [all.counts, all.isCountPartial, all.flows, all.next],
    [{ running: 1, failed: 1, done: 3 }, false, ['f', 'g', 'w'], null],
  );
  const ids = async (query: string): Promise<[string[], string | null]> => {
    const { runs, next } = await served.json<RunList>(`/api/runs?${query}`);
    return [runs.map(({ id }) => id), next];
  };
  assert.equal(await ids('flow=f'), [['r3', 'r2', 'r1'], null]);
  assert.equal(await ids('status=failed&status=running'), [['r5', 'r4'], null]);
  const [first, cursor] = await ids('status=done&limit=2');
  assert.equal(first, ['r3', 'r2']);
  assert.equal(await ids(`status=done&limit=2&cursor=${cursor}`), [['r1'], null]);
  assert.equal((await served.ask('/api/runs?cursor=x')).status, 400);
  assert.equal((await served.ask('/api/runs?limit=1000')).status, 400);
  release();
});

test('tells the structure once, and the entries as the engine has them', async () => {
  await using served = await Served.start();
  const run = await served.engine.start(flow, { k: 1 } as never, { id: 'my run' });
  await run.settled();
  const { tasks, run: listed, now, ...structure } = await served.json<Structure>('/api/runs/here/my%20run');
  assert.equal(structure, {
    source: 'here',
    id: 'my run',
    flowHash: flow.definition.hash,
    concurrency: 3,
    pools: { db: 2 },
    isWhole: true,
    recoveredAt: [],
    commands: ['rerun'],
  });
  assert.equal([listed.status, listed.tasks, listed.settledTasks, listed.seq], ['done', 2, 2, run.seq]);
  assert.ok(Math.abs(now - Date.now()) < 60_000);
  const plainTask = {
    dependsOn: [],
    triggerRule: 'all_success',
    optional: false,
    skippable: false,
    kind: 'perform',
  };
  assert.equal(tasks, [
    { ...plainTask, id: 'a', pool: 'db', priority: 2, maxAttempts: 1 },
    { ...plainTask, id: 'b', dependsOn: ['a'], optional: true, priority: 0, maxAttempts: 4, timeoutMs: 50 },
  ]);
  const { feed, entries } = await historyOf(served, 'my run');
  assert.equal(JSON.parse(JSON.stringify(entries)), plain(run));
  assert.equal(feed.at(-1), { end: { seq: run.seq, isSettled: true } });
  const logs = feed.flatMap((line) => ('logs' in line ? line.logs : []));
  assert.equal(
    logs.map(({ n, taskId, attempt, message, data }) => [n, taskId, attempt, message, data]),
    [[1, 'a', 1, 'begins', { size: 3 }]],
  );
  const later = await historyOf(served, 'my run', '?after=3&afterLog=1');
  assert.equal(JSON.parse(JSON.stringify(later.entries)), plain(run).slice(3));
  assert.not.ok(later.feed.some((line) => 'logs' in line));
  const beyond = await historyOf(served, 'my run', '?after=99&afterLog=1');
  assert.equal(beyond.feed, [{ end: { seq: run.seq, isSettled: true } }]);
});

test('compresses history for whoever accepts it', async () => {
  await using served = await Served.start();
  const run = await served.engine.start(flow, undefined, { id: 'r' });
  await run.settled();
  const url = `${served.origin}/api/runs/here/r/entries`;
  const response = await fetch(url, { headers: { cookie: served.cookie, 'accept-encoding': 'gzip' } });
  assert.is(response.headers.get('content-encoding'), 'gzip');
  assert.match(await response.text(), '"end"');
});

test('shows a grid of tasks and runs of a flow', async () => {
  await using served = await Served.start();
  const { engine } = served;
  for (const id of ['r1', 'r2']) await (await engine.start(flow, undefined, { id })).settled();
  await (await engine.start(failing)).settled();
  const grid = await served.json<Grid>('/api/grid?flow=f');
  assert.equal(grid.tasks, ['a', 'b']);
  assert.equal(
    grid.runs.map(({ run, cells }) => [run.id, cells.map((cell) => cell?.slice(0, 2))]),
    [
      [
        'r2',
        [
          ['done', 1],
          ['done', 1],
        ],
      ],
      [
        'r1',
        [
          ['done', 1],
          ['done', 1],
        ],
      ],
    ],
  );
  assert.is((await served.ask('/api/grid')).status, 400);
});

test('gives a page the live entries of a run, from where it stands, to the end and through a rerun', async () => {
  await using served = await Served.start();
  const { flow: held, release } = waiting();
  const run = await served.engine.start(held, undefined, { id: 'r' });
  const structure = await served.json<Structure>('/api/runs/here/r');
  const live = await served.live();
  live.tell({ type: 'watch', source: 'here', id: 'r', after: 1 });
  const feedIn = (messages: readonly ToPage[]) =>
    messages.flatMap((message) => (message.type === 'feed' ? message.feed : []));
  const untilSeq = (seq: number): Promise<true> =>
    live.until((messages) => entriesIn(feedIn(messages), structure).at(-1)?.seq === seq);
  await untilSeq(3);
  release();
  const settled = await live.until((messages) => messages.find((message) => message.type === 'settled'));
  assert.is(settled.seq, run.seq);
  run.rerun(['a']);
  await live.until((messages) => messages.filter((message) => message.type === 'settled').length === 2);
  assert.equal(JSON.parse(JSON.stringify(entriesIn(feedIn(live.messages), structure))), plain(run).slice(1));
  assert.is(live.messages[0]?.type, 'hello');
});

test('tells a page of new runs and of changed ones', async () => {
  await using served = await Served.start();
  const live = await served.live();
  live.tell({ type: 'list', on: true });
  live.tell({ type: 'ping' });
  await live.until((messages) => messages.some(({ type }) => type === 'pong'));
  const run = await served.engine.start(flow, undefined, { id: 'r' });
  await run.settled();
  const done = await live.until((messages) =>
    messages
      .flatMap((message) => (message.type === 'runs' ? message.runs : []))
      .find(({ status }) => status === 'done'),
  );
  assert.equal([done.id, done.seq, done.settledTasks], ['r', run.seq, 2]);
});

test('delivers a value to a task that waits, once for a key, and says why not', async () => {
  await using served = await Served.start();
  const asking = createFlow('asking').waitFor('approval', { schema: z.object({ by: z.string() }) });
  const run = await served.engine.start(asking, undefined, { id: 'w' });
  const { commands } = await served.json<Structure>('/api/runs/here/w');
  assert.equal(commands, ['cancel', 'pause', 'deliver']);
  const give = async (value: unknown, key?: string, taskId = 'approval') => {
    const { status } = await served.command('here', 'w', { type: 'deliver', taskId, value, key });
    return status;
  };
  assert.is(await give({ by: 7 }), 422);
  assert.is(await give({ by: 'ada' }, 'k', 'none'), 404);
  assert.is(await give({ by: 'ada' }, 'k'), 200);
  assert.is(await give({ by: 'ada' }, 'k'), 200);
  assert.equal((await run.settled()).tasks.approval?.output, { by: 'ada' });
  assert.is(await give({ by: 'eve' }, 'other'), 409);
});

test('carries out commands, and says why not', async () => {
  await using served = await Served.start();
  const { flow: held, release } = waiting();
  const run = await served.engine.start(held, undefined, { id: 'r' });
  const pause = await served.command('here', 'r', { type: 'pause' });
  assert.equal(
    [pause.status, JSON.parse(pause.text).run.status, run.view().status],
    [200, 'paused', 'paused'],
  );
  assert.is((await served.command('here', 'r', { type: 'resume' })).status, 200);
  assert.is((await served.command('here', 'r', { type: 'rerun' })).status, 409);
  assert.is((await served.command('here', 'r', { type: 'deliver', taskId: 'a', value: 1 })).status, 409);
  const cancel = await served.command('here', 'r', { type: 'cancel', reason: 'enough' });
  assert.is(cancel.status, 200);
  release();
  assert.equal([(await run.settled()).status, run.view().reason], ['cancelled', 'enough']);
  assert.is((await served.command('here', 'r', { type: 'cancel' })).status, 409);
  assert.is((await served.command('here', 'r', { type: 'rerun', taskIds: ['a'] })).status, 200);
  assert.is((await run.settled()).status, 'done');
  for (const body of [
    {},
    { type: 'explode' },
    { type: 'pause', reason: 'x' },
    { type: 'rerun', taskIds: [] },
    { type: 'rerun', taskIds: ['no'] },
    { type: 'cancel', reason: 'x'.repeat(2_000) },
  ])
    assert.is((await served.command('here', 'r', body)).status, 422, JSON.stringify(body));
  assert.is((await served.command('here', 'none', { type: 'cancel' })).status, 404);
  assert.is((await served.command('none', 'r', { type: 'cancel' })).status, 404);
});

test('sends large values when they are looked at, whole or in parts', async () => {
  await using served = await Served.start();
  const output = { rows: Array.from({ length: 20_000 }, (_, id) => ({ id, name: `row ${id}` })) };
  const large = createFlow('large').task('a', { perform: () => output });
  const run = await served.engine.start(large, undefined, { id: 'r' });
  await run.settled();
  const { entries } = await historyOf(served, 'r');
  const done = entries.find((entry) => entry.type === 'task.done') as Extract<Entry, { type: 'task.done' }>;
  const { $value } = done.output as { $value: { kind: string; bytes: number } };
  assert.ok($value.kind === 'object' && $value.bytes > 100_000);
  const at = `/api/runs/here/r/value?seq=${done.seq}`;
  const page = await served.json<ValuePage>(`${at}&path=/output/rows&from=19999`);
  assert.equal(page.items, [[19_999, '/output/rows/19999', { id: 19_999, name: 'row 19999' }]]);
  const whole = await served.ask(`${at}&path=/output&whole=1`);
  assert.equal(JSON.parse(whole.text), output);
  const part = await served.ask(`${at}&path=/output&whole=1`, { headers: { range: 'bytes=2-7' } });
  assert.equal([part.status, part.text], [206, whole.text.slice(2, 8)]);
  assert.is(part.headers['content-range'], `bytes 2-7/${whole.text.length}`);
  const tail = await served.ask(`${at}&path=/output&whole=1`, { headers: { range: 'bytes=-3' } });
  assert.is(tail.text, whole.text.slice(-3));
  assert.is(
    (await served.ask(`${at}&path=/output&whole=1`, { headers: { range: 'bytes=99999999-' } })).status,
    416,
  );
  assert.is((await served.ask(`${at}&path=/output/no`)).status, 404);
  assert.is((await served.ask('/api/runs/here/r/value?seq=1')).status, 400);
});

test('shows nothing that `redact` replaces: in history, live, looked at, logged, and exported', async () => {
  const redact = (path: readonly string[], value: unknown): unknown =>
    path.at(-1) === 'password' || (typeof value === 'string' && value.includes('hunter2')) ? '***' : value;
  await using served = await Served.start({ redact });
  const secret = createFlow('s')
    .task('a', {
      perform: ({ log }) => {
        log('logs hunter2', { password: 'hunter2' });
        return {
          password: 'hunter2',
          big: { password: 'hunter2'.repeat(5_000), list: Array(5_000).fill('x') },
        };
      },
    })
    .task('b', {
      perform: () => {
        throw new Error('fails with hunter2');
      },
    });
  const live = await served.live();
  const run = await served.engine.start(secret, { password: 'hunter2' } as never, { id: 'r' });
  live.tell({ type: 'watch', source: 'here', id: 'r', after: 0 });
  await run.settled();
  await live.until((messages) => messages.some(({ type }) => type === 'settled'));
  const seq = run.entries().find((entry) => entry.type === 'task.done')?.seq;
  const texts = await Promise.all(
    [
      'entries',
      `value?seq=${seq}&path=/output`,
      `value?seq=${seq}&path=/output&whole=1`,
      `value?seq=${seq}&path=/output/big`,
    ].map((path) => served.ask(`/api/runs/here/r/${path}`).then(({ text }) => text)),
  );
  const { text: html } = await served.ask('/api/runs/here/r/export');
  const [, data = ''] = /id="topple-export">([^<]*)</.exec(html) ?? [];
  const exported = gunzipSync(Buffer.from(data, 'base64')).toString();
  assert.match(exported, '"values"');
  for (const text of [...texts, exported, JSON.stringify(live.messages)]) {
    assert.not.match(text, 'hunter2');
    assert.match(text, '***');
  }
});

test('refuses options that it cannot use', async () => {
  const { engine } = await Served.start().then(async (served) => {
    await served[Symbol.asyncDispose]();
    return served;
  });
  for (const options of [
    {},
    { engine, prt: 1 },
    { engine, port: -1 },
    { engine, port: 70_000 },
    { engine, url: 'no' },
    { engine, url: 'ws://a', port: 1 },
    { engine, redact: 1 },
    { engine: {} },
  ]) {
    const error = await createInspector(options as never).catch((reason: unknown) => reason);
    assert.instance(error, FlowError, JSON.stringify(Object.keys(options)));
  }
});

test('says what to do where its port is taken', async () => {
  await using served = await Served.start();
  const port = Number(new URL(served.origin).port);
  const error = await createInspector({ engine: served.engine, port, logger: silent }).catch(
    (reason: unknown) => reason,
  );
  assert.instance(error, PortTakenError);
  assert.match((error as Error).message, 'give another one');
});

test('frees its port and watches no more once it is closed', async () => {
  const served = await Served.start();
  const live = await served.live();
  await served.inspector.close();
  await served.inspector.close();
  assert.ok((await live.closed()) > 0);
  const refused = await send(served.origin).then(
    () => false,
    () => true,
  );
  assert.ok(refused);
  await served.engine.stop();
});
