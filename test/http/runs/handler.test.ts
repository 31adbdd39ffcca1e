import { createFlow, type Engine, type RunFilter, type RunView } from 'topple';
import * as assert from 'uvu/assert';
import {
  createRunsHandler,
  type RunsHandler,
  type RunsHandlerOptions,
} from '../../../src/http/runs/handler.ts';
import { spec } from '../../spec.ts';
import { silent, virtualEngine } from '../../support/virtual.ts';

const test = spec('runs handler');

const origin = 'http://localhost';

/** An engine on a virtual clock, and a handler of its runs that is open to all. */
function world(options: Partial<RunsHandlerOptions> = {}) {
  const { clock, engine } = virtualEngine();
  const handler = createRunsHandler({ engine, authorize: () => true, clock, logger: silent, ...options });
  const flow = createFlow('wait')
    .task('a', { perform: () => clock.sleep(1_000) })
    .task('b', { dependsOn: ['a'], perform: () => 'fell' });
  return { clock, engine, handler, flow };
}

const get = (handler: RunsHandler, path: string, headers: Record<string, string> = {}) =>
  handler(new Request(origin + path, { headers }));

const post = (handler: RunsHandler, path: string, body?: unknown) =>
  handler(
    new Request(origin + path, {
      method: 'POST',
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    }),
  );

const problemOf = async (response: Response) => {
  assert.is(response.headers.get('content-type'), 'application/problem+json');
  const { type, title, status, detail, errors } = (await response.json()) as Record<string, unknown>;
  assert.equal([type, status, typeof title], ['about:blank', response.status, 'string']);
  return [status, errors ?? detail];
};

async function startMany(engine: Engine, count: number, name = 'quick'): Promise<string[]> {
  const flow = createFlow(name).task('a', { perform: () => 1 });
  const ids: string[] = [];
  for (let at = 0; at < count; at++) {
    const run = await engine.start(flow, undefined, { id: `${name}-${String(at).padStart(3, '0')}` });
    ids.push(run.id);
  }
  return ids;
}

test('shows a run as its view, that no cache may keep', async () => {
  const { clock, engine, handler, flow } = world();
  const run = await engine.start(flow);
  await clock.advance(10);
  const response = await get(handler, `/runs/${run.id}`);
  assert.equal(
    [
      response.status,
      ...['content-type', 'cache-control', 'x-content-type-options'].map((name) =>
        response.headers.get(name),
      ),
    ],
    [200, 'application/json', 'no-store', 'nosniff'],
  );
  assert.equal(await response.json(), JSON.parse(JSON.stringify(run.view())));
});

test('shows what bodies returned and threw, whatever it is, but no stack', async () => {
  const { clock, engine, handler } = world();
  const cycle: Record<string, unknown> = { name: 'cycle' };
  cycle.self = cycle;
  const flow = createFlow('odd')
    .task('cycle', { perform: () => cycle })
    .task('big', { perform: () => ({ n: 12n, error: new TypeError('inside') }) })
    .task('__proto__', { perform: () => Promise.reject(new RangeError('outside')) });
  const run = await engine.start(flow);
  await clock.run(run.settled());
  const text = await (await get(handler, `/runs/${run.id}`)).text();
  const { tasks } = JSON.parse(text) as RunView;
  assert.equal(
    Object.entries(tasks).map(([id, { output, error }]) => [id, output ?? error]),
    [
      ['cycle', { name: 'cycle', self: '[circular]' }],
      ['big', { n: '12n', error: { name: 'TypeError', message: 'inside' } }],
      ['__proto__', { name: 'RangeError', message: 'outside' }],
    ],
  );
  const events = await (await get(handler, `/runs/${run.id}/events`)).text();
  assert.not.match(text + events, /stack|\.ts:\d/);
});

test('lists runs, the newest first, with where they are', async () => {
  const { clock, engine, handler, flow } = world();
  const first = await engine.start(flow, undefined, { id: 'first' });
  await clock.run(first.settled());
  await clock.advance(5);
  await engine.start(flow, undefined, { id: 'second', paused: true });
  const response = await get(handler, '/runs');
  assert.equal(await response.json(), {
    runs: [
      { id: 'second', flow: 'wait', status: 'paused', startedAt: 1_005, endedAt: null, seq: 3 },
      { id: 'first', flow: 'wait', status: 'done', startedAt: 0, endedAt: 1_000, seq: 8 },
    ],
    next: null,
  });
  const idsOf = async (query: string) =>
    ((await (await get(handler, `/runs?${query}`)).json()) as { runs: { id: string }[] }).runs.map(
      ({ id }) => id,
    );
  assert.equal(
    await Promise.all(
      [
        'status=paused',
        'status=done',
        'settled=true',
        'settled=false',
        'flow=wait',
        'flow=other',
        'status=done&settled=false',
      ].map(idsOf),
    ),
    [['second'], ['first'], ['first'], ['second'], ['second', 'first'], [], []],
  );
});

test('gives a list in pages that hold together when runs are dropped between them', async () => {
  const { clock, engine } = virtualEngine({ keepSettled: 100 });
  const handler = createRunsHandler({ engine, authorize: () => true });
  const ids = await startMany(engine, 100);
  await clock.advance(1);
  const seen: string[] = [];
  let query = '?limit=30';
  for (let pages = 0; pages < 10; pages++) {
    const { runs, next } = (await (await get(handler, `/runs${query}`)).json()) as {
      runs: { id: string }[];
      next: string | null;
    };
    seen.push(...runs.map(({ id }) => id));
    if (next === null) break;
    query = `?limit=30&after=${encodeURIComponent(next)}`;
    if (pages > 0) continue;
    // The oldest give way.
    await clock.advance(1);
    await startMany(engine, 35, 'later');
    await clock.advance(1);
    assert.is(await engine.run('quick-029'), undefined);
  }
  assert.equal(seen, ids.slice(35).reverse());
});

test('looks at no more runs than a page shows, and into those that have not settled', async () => {
  const { clock, engine } = virtualEngine({ keepSettled: 1_000 });
  await startMany(engine, 998);
  await clock.advance(1);
  const wait = createFlow('wait').task('a', { perform: () => clock.sleep(1_000) });
  await engine.start(wait, undefined, { id: 'unsettled' });
  await startMany(engine, 1, 'last');
  await clock.advance(1);
  const asked: (RunFilter | undefined)[] = [];
  const seen: string[] = [];
  const counting: Engine = {
    ...engine,
    runs: (filter) => {
      asked.push(filter);
      return engine.runs(filter);
    },
    run: (id) => {
      seen.push(id);
      return engine.run(id);
    },
  };
  const handler = createRunsHandler({ engine: counting, authorize: () => true });
  const { runs } = (await (await get(handler, '/runs?limit=2')).json()) as { runs: { id: string }[] };
  assert.equal(
    runs.map(({ id }) => id),
    ['last-000', 'unsettled'],
  );
  assert.equal(asked, [
    { flow: undefined, settled: undefined, before: undefined, newestFirst: true, limit: 3 },
  ]);
  assert.equal(seen, ['unsettled']);
});

test('answers HEAD as GET, without the body', async () => {
  const { engine, handler, flow } = world();
  const { id } = await engine.start(flow);
  for (const path of ['/runs', `/runs/${id}`, `/runs/${id}/events`]) {
    const response = await handler(new Request(origin + path, { method: 'HEAD' }));
    assert.equal([response.status, response.body], [200, null]);
  }
});

test('cancels with a reason, and says no once the run has settled', async () => {
  const { clock, engine, handler, flow } = world();
  const run = await engine.start(flow);
  await clock.advance(1);
  const response = await post(handler, `/runs/${run.id}/cancel`, { reason: 'not needed' });
  const { status, reason } = (await response.json()) as RunView;
  assert.equal([response.status, status, reason], [202, 'cancelling', 'not needed']);
  assert.is((await post(handler, `/runs/${run.id}/cancel`)).status, 202);
  assert.equal(await problemOf(await post(handler, `/runs/${run.id}/pause`)), [
    409,
    'The run is being cancelled.',
  ]);
  await clock.run(run.settled());
  for (const command of ['cancel', 'pause', 'resume']) {
    const refusal = await problemOf(await post(handler, `/runs/${run.id}/${command}`));
    assert.equal(refusal, [409, 'The run has settled: it is cancelled.']);
  }
});

test('pauses and resumes, as often as it is asked to', async () => {
  const { clock, engine, handler, flow } = world();
  const run = await engine.start(flow);
  const asked = ['pause', 'pause', 'resume', 'resume'];
  const statuses: string[] = [];
  for (const command of asked) {
    const response = await post(handler, `/runs/${run.id}/${command}`, {});
    assert.is(response.status, 200);
    statuses.push(((await response.json()) as RunView).status);
  }
  assert.equal(statuses, ['paused', 'paused', 'running', 'running']);
  assert.is((await clock.run(run.settled())).status, 'done');
});

test('runs tasks of a settled run again', async () => {
  const { clock, engine, handler, flow } = world();
  const run = await engine.start(flow);
  assert.equal(await problemOf(await post(handler, `/runs/${run.id}/rerun`)), [
    409,
    'The run has not settled. Only a settled run can run again.',
  ]);
  await clock.run(run.settled());
  const refusal = await problemOf(await post(handler, `/runs/${run.id}/rerun`, { taskIds: ['aa'] }));
  assert.is(refusal[0], 422);
  assert.match(JSON.stringify(refusal[1]), /"pointer":"#\/taskIds","detail":"[^"]*`aa`/);
  const response = await post(handler, `/runs/${run.id}/rerun`, { taskIds: ['b'] });
  const { tasks } = (await response.json()) as RunView;
  assert.equal([response.status, tasks.a?.status, tasks.b?.status], [202, 'done', 'pending']);
  assert.is((await clock.run(run.settled())).status, 'done');
});

test('says that the engine was stopped', async () => {
  const { clock, engine, handler, flow } = world();
  const settled = await engine.start(flow);
  await clock.run(settled.settled());
  await engine.stop();
  assert.equal(await problemOf(await post(handler, `/runs/${settled.id}/rerun`)), [
    503,
    'The engine was stopped.',
  ]);
});

test('refuses options that will not do', () => {
  const { engine } = world();
  const messageOf = (options: object): string => {
    try {
      createRunsHandler(options as RunsHandlerOptions);
      return 'accepted';
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(
    [
      {},
      { engine, authorise: true },
      { engine, authorize: 1 },
      { engine, path: '/runs/' },
      { engine, keepAliveMs: 0 },
      { engine, maxStreams: 1.5 },
    ].map(messageOf),
    [
      '`engine` of `createRunsHandler` must be an engine, but is undefined',
      '`options` of `createRunsHandler` does not take `authorise`. Did you mean `authorize`?',
      '`authorize` of `createRunsHandler` must be a function, but is 1',
      '`path` of `createRunsHandler` must be a path like `/runs`, without a trailing slash, but is "/runs/"',
      '`keepAliveMs` of `createRunsHandler` must be a finite number of at least 1, but is 0',
      '`maxStreams` of `createRunsHandler` must be an integer of at least 0, or Infinity, but is 1.5',
    ],
  );
});
