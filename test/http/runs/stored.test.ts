import { type AnyFlow, createFlow, createMemoryStore, type Entry, type RunView } from 'topple';
import * as assert from 'uvu/assert';
import { createBackground } from '../../../src/http/background.ts';
import type { Authorize } from '../../../src/http/runs/access.ts';
import { createRunsHandler } from '../../../src/http/runs/handler.ts';
import { spec } from '../../spec.ts';
import { append, lateReadingStore } from '../../support/stores.ts';
import { silent, virtualEngine } from '../../support/virtual.ts';

const test = spec('runs that only the store has, over HTTP');

const settles = createFlow('settles').task('a', { perform: () => 'fell' });
const stays = createFlow('stays').task('a', { perform: () => new Promise(() => {}) });
const changed = createFlow('stays')
  .task('a', { perform: () => 1 })
  .task('b', { perform: () => 2 });

/** What another process has left: `done`, settled, and `left`, which is paused with an attempt under way. */
async function world(flows: readonly AnyFlow[], authorize: Authorize = () => true) {
  const store = createMemoryStore();
  const first = virtualEngine({ store });
  await first.engine.start(settles, undefined, { id: 'done' });
  const run = await first.engine.start(stays, undefined, { id: 'left' });
  await first.clock.advance(1);
  run.pause();
  await first.clock.advance(1);
  await first.engine.stop();
  const errors: unknown[] = [];
  const logger = { ...silent, error: (...line: unknown[]) => errors.push(line) };
  const { clock, engine } = virtualEngine({
    store: lateReadingStore(store, () => clock.sleep(1)),
    flows,
  });
  const handler = createRunsHandler({ engine, authorize, clock, logger });
  const ask = async (path: string, method = 'GET', headers: Record<string, string> = {}) => {
    const asked = handler(new Request(`http://localhost/runs${path}`, { method, headers }));
    return clock.run(asked);
  };
  /** Status and detail of a problem. */
  const refusal = async (path: string, method?: string) => {
    const response = await ask(path, method);
    const { detail } = (await response.json()) as { detail: string };
    return [response.status, detail];
  };
  return { store, clock, engine, ask, refusal, errors };
}

test('are known to a background by its `flows`', async () => {
  const { store, clock } = await world([]);
  const { engine } = createBackground({ store, clock, flows: [settles], logger: silent });
  assert.equal(await (await engine.run('done'))?.outputs(), { a: 'fell' });
  assert.throws(
    () => createBackground({ engine, flows: [settles] }),
    /^`flows` of `createBackground` must be left to `createEngine` if an `engine` is given/,
  );
});

const commands = ['cancel', 'pause', 'resume', 'rerun'];

test('are listed and shown', async () => {
  const { ask } = await world([settles, stays]);
  assert.equal(await (await ask('')).json(), {
    runs: [
      { id: 'left', flow: 'stays', status: 'paused', startedAt: 0, endedAt: null, seq: 4 },
      { id: 'done', flow: 'settles', status: 'done', startedAt: 0, endedAt: 0, seq: 5 },
    ],
    next: null,
  });
  const { runs } = (await (await ask('?status=paused')).json()) as { runs: { id: string }[] };
  assert.equal(
    runs.map(({ id }) => id),
    ['left'],
  );
  const { tasks, status } = (await (await ask('/left')).json()) as RunView;
  assert.equal([status, tasks.a?.status], ['paused', 'running']);
  const done = (await (await ask('/done')).json()) as RunView;
  assert.equal([done.status, done.tasks.a?.output], ['done', 'fell']);
});

test('are shown as they were after each of their events', async () => {
  const { ask, refusal, errors } = await world([settles, stays]);
  const at = async (path: string) => {
    const { status, tasks } = (await (await ask(path)).json()) as RunView;
    return [status, tasks.a?.status];
  };
  assert.equal(await at('/done?seq=0'), ['running', 'pending']);
  assert.equal(await at('/done?seq=3'), ['running', 'running']);
  assert.equal(await at('/done?seq=4'), ['running', 'done']);
  assert.equal(await at('/done?seq=5'), ['done', 'done']);
  assert.equal(await at('/left?seq=3'), ['running', 'running']);
  for (const seq of ['6', '-1', '1.5', '1e0', '00', '', '9'.repeat(400)])
    assert.equal(await refusal(`/done?seq=${seq}`), [
      400,
      '`seq` must be that of an event of this run, from 0 to 5.',
    ]);
  assert.equal(await refusal('/done?seq=1&seq=2'), [400, '`seq` is given more than once.']);
  assert.is((await refusal('/done/events?seq=1'))[0], 400);
  assert.is((await refusal('/nothing?seq=1'))[0], 404);
  assert.equal(errors, []);
});

test('stream the events that they have, and then end', async () => {
  const { store, ask, errors } = await world([settles, stays]);
  for (const id of ['done', 'left']) {
    const response = await ask(`/${id}/events`);
    const ids = [...(await response.text()).matchAll(/^id: (\d+)$/gm)].map(([, seq]) => Number(seq));
    assert.equal([response.status, ids], [200, store.read(id).map(({ seq }) => seq)]);
  }
  const statuses = [
    (await ask('/done/events', 'GET', { 'last-event-id': '5' })).status,
    // One that another server runs goes on: a browser asks again.
    (await ask('/left/events', 'GET', { 'last-event-id': '4' })).status,
    (await ask('/left/events', 'GET', { 'last-event-id': '5' })).status,
  ];
  assert.equal([statuses, errors], [[204, 200, 400], []]);
});

test('take a rerun if they have settled, and else no command', async () => {
  const { store, clock, engine, ask, refusal } = await world([settles, stays]);
  for (const command of ['cancel', 'pause', 'resume']) {
    assert.equal(await refusal(`/left/${command}`, 'POST'), [
      409,
      'The run is not under way on this server, which only shows what is stored of it.',
    ]);
    assert.equal(await refusal(`/done/${command}`, 'POST'), [409, 'The run has settled: it is done.']);
  }
  assert.equal(await refusal('/left/rerun', 'POST'), [
    409,
    'The run has not settled. Only a settled run can run again.',
  ]);
  assert.is(store.read('left').length, 4);
  assert.is((await ask('/done/rerun', 'POST')).status, 202);
  const run = await engine.run('done');
  assert.is((await clock.run(run?.settled() ?? Promise.reject())).status, 'done');
  assert.is(store.read('done').length, 10);
});

test('have no tasks that could run again where their flow has none', async () => {
  const empty = createFlow('empty');
  const { engine, refusal } = await world([]);
  await engine.start(empty, undefined, { id: 'empty' });
  assert.equal(await refusal('/empty/rerun', 'POST'), [409, 'The run has no tasks.']);
});

for (const [why, flows] of Object.entries({ 'not known': [], 'of another version': [changed] })) {
  test(`are a conflict where their flow is ${why}`, async () => {
    const { ask, refusal, errors } = await world(flows);
    const expected = [
      409,
      'The run is stored, but this server does not know its flow, or only another version of it.',
    ];
    for (const path of ['/left', '/left/events']) assert.equal(await refusal(path), expected);
    for (const command of commands) assert.equal(await refusal(`/left/${command}`, 'POST'), expected);
    const { runs } = (await (await ask('')).json()) as { runs: { id: string; status: string }[] };
    assert.equal(
      runs.map(({ id, status }) => [id, status]),
      [
        ['left', 'running'],
        ['done', 'done'],
      ],
    );
    assert.equal(errors, []);
  });
}

for (const flows of [[], [stays]]) {
  test(`look like none to who may not see them (${flows.length} flows known)`, async () => {
    const seen: unknown[] = [];
    const { store, ask, errors } = await world(flows, () => (run) => seen.push(run) < 0);
    append(
      store,
      'torn',
      [{ type: 'run.started', flow: 'stays' } as Entry, { type: 'nonsense' } as never],
      0,
    );
    const answers = async (id: string) => {
      const responses = [await ask(`/${id}`), await ask(`/${id}/events`)];
      for (const command of commands) responses.push(await ask(`/${id}/${command}`, 'POST'));
      return Promise.all(
        responses.map(async (response) => [response.status, [...response.headers], await response.text()]),
      );
    };
    const none = await answers('none');
    assert.is(none[0]?.[0], 404);
    for (const id of ['left', 'done', 'torn']) assert.equal(await answers(id), none);
    assert.equal(await (await ask('')).json(), { runs: [], next: null });
    assert.equal([seen.length > 0, errors], [true, []]);
  });
}

test('are an error of the server where their journal is none', async () => {
  const { store, ask, refusal, errors } = await world([settles, stays]);
  const start = store.read('left')[0] as Entry;
  append(store, 'torn', [{ ...start, runId: 'torn' }, { type: 'nonsense' } as never], 0);
  assert.equal(await refusal('/torn'), [500, 'The server failed to handle the request.']);
  assert.is(errors.length, 1);
  assert.is((await ask('')).status, 200);
});
