import { createFlow, type Flow, type RunView, type TaskView } from 'topple';
import * as assert from 'uvu/assert';
import { createRunsHandler } from '../../../src/http/runs/handler.ts';
import { spec } from '../../spec.ts';
import { silent, virtualEngine } from '../../support/virtual.ts';

const test = spec('runs handler with runs inside runs');

async function world() {
  const { clock, engine } = virtualEngine();
  const handler = createRunsHandler({ engine, authorize: () => true, clock, logger: silent });
  const flow = createFlow('album').map('a/b', { over: () => ['x', 'y'], perform: ({ item }) => item });
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.run(run.settled());
  const get = (path: string, headers: Record<string, string> = {}) =>
    handler(new Request(`http://localhost/runs/${path}`, { headers }));
  return { get };
}

test('shows a child by its id in the view of its parent, percent-encoded', async () => {
  const { get } = await world();
  const view = (await (await get('r')).json()) as RunView;
  const child = view.tasks['a/b']?.child as NonNullable<TaskView['child']>;
  assert.equal([child.runId, child.counts?.done, child.counts?.total], ['r/a%2Fb#1', 2, 2]);
  const shown = await get(encodeURIComponent(child.runId));
  assert.is(shown.status, 200);
  const { id, status, tasks } = (await shown.json()) as RunView;
  assert.equal([id, status, tasks[1]?.output], ['r/a%2Fb#1', 'done', 'y']);
});

test('shows a run 100 levels down by its id', async () => {
  const { clock, engine } = virtualEngine();
  const handler = createRunsHandler({ engine, authorize: () => true, clock, logger: silent });
  const name = 'a task of 20 letters';
  let flow: Flow = createFlow('inmost').task('x', { perform: () => 'x' }) as never;
  for (let level = 0; level < 100; level++) flow = createFlow('one').flow(name, { flow }) as never;
  const run = await engine.start(flow);
  await clock.run(run.settled());
  const id = `${run.id}${`/${name}#1`.repeat(100)}`;
  const shown = await handler(new Request(`http://localhost/runs/${encodeURIComponent(id)}`));
  assert.is(shown.status, 200, await shown.clone().text());
  assert.is(((await shown.json()) as RunView).id, id);
});

test('streams the events of all runs below with their paths, if it is asked to', async () => {
  const { get } = await world();
  const accept = { accept: 'text/event-stream' };
  const plain = await (await get('r/events', accept)).text();
  const deep = await (await get('r/events?deep=true', accept)).text();
  const pathsIn = (text: string): unknown[] =>
    Array.from(text.matchAll(/^event: (.*)\ndata: (.*)$/gm), ([, type, data = '']) => [
      type,
      JSON.parse(data).path,
    ]);
  assert.ok(pathsIn(plain).every((event) => (event as unknown[])[1] === undefined));
  const inside = pathsIn(deep).filter((event) => (event as [string, string[]])[1].length > 0);
  assert.equal(inside[0], ['run.started', ['a/b']]);
  assert.equal(inside.at(-1), ['run.done', ['a/b']]);
  assert.is(deep.includes('\nid: '), false);
  assert.is((await get('r/events?deep=1', accept)).status, 400);
});

test('lets those see a child who may see its root, and nobody else', async () => {
  const { clock, engine } = virtualEngine();
  const inner = createFlow('inner').task('t', { perform: () => 1 });
  for (const name of ['open', 'closed']) {
    const run = await engine.start(createFlow(name).flow('child', { flow: inner }), undefined, { id: name });
    await clock.run(run.settled());
  }
  const authorize =
    () =>
    ({ flow }: { readonly flow: string }) =>
      flow === 'open' || flow === 'inner';
  const handler = createRunsHandler({ engine, authorize, clock, logger: silent });
  const statusOf = async (id: string) =>
    (await handler(new Request(`http://localhost/runs/${encodeURIComponent(id)}`))).status;
  assert.is(await statusOf('open/child#1'), 200);
  assert.is(await statusOf('closed/child#1'), 404);
  assert.is(await statusOf('open/child#2'), 404);
});
