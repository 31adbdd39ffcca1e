import { createFlow, type EngineOptions } from 'topple';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import type { RunsAccess } from '../../../src/http/runs/access.ts';
import { createRunsHandler } from '../../../src/http/runs/handler.ts';
import { spec } from '../../spec.ts';
import { silent, virtualEngine } from '../../support/virtual.ts';

const test = spec('values delivered over HTTP');

const inner = createFlow('inner').waitFor('ok');
const flow = createFlow('orders')
  .waitFor('a/b', { schema: z.object({ by: z.string() }) })
  .waitFor('any')
  .task('work', { perform: () => 1 })
  .flow('child', { flow: inner });

async function world(options: EngineOptions = {}) {
  const { engine, clock } = virtualEngine(options);
  const asked: RunsAccess[] = [];
  const authorize = (_: Request, access: RunsAccess): true => {
    asked.push(access);
    return true;
  };
  const handler = createRunsHandler({ engine, authorize, logger: silent });
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.advance(1);
  const post = async (path: string, body?: string, headers: Record<string, string> = {}) => {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const request = new Request(`http://localhost/runs/${path}`, {
      method: 'POST',
      headers: { ...type, ...headers },
      ...(body !== undefined && { body }),
    });
    const response = await handler(request);
    const json = (await response.json()) as Record<string, unknown>;
    return [response.status, json.answer ?? json.errors ?? json.detail];
  };
  return { engine, clock, run, post, asked, handler };
}

test('are taken once for each key, of the header or the address', async () => {
  const { post, run, asked } = await world();
  const key = { 'idempotency-key': 'k' };
  assert.equal(await post('r/tasks/a%2Fb/deliver', '{"by":"ada"}', key), [200, 'delivered']);
  assert.equal(await post('r/tasks/a%2Fb/deliver', '{"by":"bob"}', key), [200, 'already']);
  assert.equal(await post('r/tasks/a%2Fb/deliver?key=k', '{"by":"bob"}'), [200, 'already']);
  assert.equal(await post('r/tasks/a%2Fb/deliver', '{"by":"bob"}'), [
    409,
    'The task takes no value any more: it has settled, or its run ends.',
  ]);
  assert.equal(run.view().tasks['a/b']?.output, { by: 'ada' });
  assert.equal(asked[0], { action: 'deliver', runId: 'r', task: ['a/b'] });
});

test('may be any JSON, or nothing', async () => {
  for (const [body, value] of [
    ['7', 7],
    ['null', null],
    ['[1,"x"]', [1, 'x']],
    [undefined, undefined],
  ] as const) {
    const { post, run } = await world();
    assert.equal(await post('r/tasks/any/deliver', body), [200, 'delivered']);
    assert.equal(run.view().tasks.any?.output, value);
  }
});

test('reach a task of a child run, by its path or by the id of that run', async () => {
  const one = await world();
  assert.equal(await one.post('r/tasks/child/ok/deliver', '1'), [200, 'delivered']);
  const other = await world();
  const id = encodeURIComponent(other.run.view().tasks.child?.child?.runId ?? '');
  assert.equal(await other.post(`${id}/tasks/ok/deliver`, '2'), [200, 'delivered']);
  await other.clock.advance(1);
  assert.equal(other.run.view().tasks.child?.output, { ok: 2 });
});

test('are refused in words that tell nothing of the run but this', async () => {
  const { post, run, engine } = await world();
  const { seq } = run;
  assert.equal(await post('r/tasks/a%2Fb/deliver', '{"by":7}'), [
    422,
    [{ pointer: '#/by', detail: 'Invalid input: expected string, received number' }],
  ]);
  assert.equal(await post('r/tasks/work/deliver', '1'), [409, 'The task does not wait for a value.']);
  assert.equal(await post('r/tasks/nothing/deliver', '1'), [404, 'The run has no such task.']);
  assert.is((await post('q/tasks/any/deliver', '1'))[0], 404);
  assert.is((await post('r/tasks/any/deliver', '{'))[0], 400);
  assert.is((await post('r/tasks/any/deliver', '1', { 'content-type': 'text/plain' }))[0], 415);
  assert.is((await post('r/tasks/any/deliver?key=', '1'))[0], 400);
  assert.is((await post('r/tasks/any/deliver?key=a', '1', { 'idempotency-key': 'b' }))[0], 400);
  assert.is((await post('r/tasks/any/deliver', '1', { 'sec-fetch-site': 'cross-site' }))[0], 403);
  assert.is((await post('r/tasks/deliver', '1'))[0], 404);
  assert.is(run.seq, seq);
  await engine.stop();
  assert.is((await post('r/tasks/any/deliver', '1'))[0], 409);
});

test('are not taken by GET', async () => {
  const { handler } = await world();
  const response = await handler(new Request('http://localhost/runs/r/tasks/any/deliver'));
  assert.equal([response.status, response.headers.get('allow')], [405, 'POST']);
});
