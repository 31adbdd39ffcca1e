import { createFlow } from 'topple';
import * as assert from 'uvu/assert';
import { createRunsHandler, type RunsHandlerOptions } from '../../../src/http/runs/handler.ts';
import { spec } from '../../spec.ts';
import { silent, virtualEngine } from '../../support/virtual.ts';

const test = spec('run events');

const decoder = new TextDecoder();

/** A run that waits 60 s in its only task, on a virtual clock, and what watches it. */
async function world(options: Partial<RunsHandlerOptions> = {}) {
  const { clock, engine } = virtualEngine();
  const handler = createRunsHandler({ engine, authorize: () => true, clock, logger: silent, ...options });
  const flow = createFlow('wait').task('a', { perform: () => clock.sleep(60_000) });
  const run = await engine.start(flow, undefined, { id: 'r1' });
  await clock.advance(0);
  const watch = (init: RequestInit = {}) => handler(new Request('http://localhost/runs/r1/events', init));
  const from = (id: string) => watch({ headers: { 'last-event-id': id } });
  return { clock, engine, run, watch, from };
}

const idsOf = (text: string) => Array.from(text.matchAll(/^id: (\d+)$/gm), ([, id]) => Number(id));

test('are sent one by one, each with its `seq` as id and its type, until the run has settled', async () => {
  const { clock, run, watch } = await world();
  const response = await watch();
  assert.equal(
    [response.status, ...['content-type', 'cache-control'].map((name) => response.headers.get(name))],
    [200, 'text/event-stream', 'no-store, no-transform'],
  );
  const text = response.text();
  await clock.run(run.settled());
  const [first, ...messages] = (await text).trimEnd().split('\n\n');
  assert.is(first, 'retry: 2000');
  const events = messages.filter((message) => !message.startsWith(':'));
  const seen: unknown[] = [];
  for await (const event of run.events()) {
    seen.push(`id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}`);
  }
  assert.is(seen.length, 5);
  assert.equal(events, seen);
});

test('go on behind the last one that the client has', async () => {
  const { clock, run, from } = await world();
  const texts = ['0', '2', '3'].map(async (id) => (await from(id)).text());
  await clock.run(run.settled());
  assert.equal((await Promise.all(texts)).map(idsOf), [
    [1, 2, 3, 4, 5],
    [3, 4, 5],
    [4, 5],
  ]);
  assert.equal(idsOf(await (await from('4')).text()), [5]);
});

test('are 204 for a client that has them all, so that a browser does not come back', async () => {
  const { clock, run, from } = await world();
  await clock.run(run.settled());
  const response = await from('5');
  assert.equal([response.status, response.body], [204, null]);
});

test('are refused behind what is no event of the run', async () => {
  const { from } = await world();
  for (const id of ['4', '-1', '1.5', '01', 'abc', '1, 2', '1e1', '99999999999999999999', '']) {
    assert.is((await from(id)).status, 400, id);
  }
});

test('go on after a rerun', async () => {
  const { clock, run, from } = await world();
  await clock.run(run.settled());
  run.rerun();
  const text = (await from('5')).text();
  await clock.run(run.settled());
  assert.equal(idsOf(await text), [6, 7, 8, 9, 10]);
});

test('are kept alive by a comment when nothing happens', async () => {
  const { clock, run, watch } = await world({ keepAliveMs: 25_000 });
  const text = (await watch()).text();
  await clock.run(run.settled());
  assert.is((await text).match(/^: still here$/gm)?.length, 2);
});

test('are kept alive no sooner where that is longer than a timer can wait', async () => {
  const { clock } = await world();
  const waits: number[] = [];
  const noting = {
    setTimeout: (callback: () => void, ms: number) => {
      waits.push(ms);
      return clock.setTimeout(callback, ms);
    },
    clearTimeout: (id: unknown) => clock.clearTimeout(id as never),
  };
  const { watch } = await world({ keepAliveMs: 2 ** 40, clock: noting });
  await (await watch()).body?.cancel();
  assert.equal(waits, [2 ** 31 - 1]);
});

test('let a client go that hung up, at once, and leave no timer', async () => {
  const { clock, watch } = await world({ maxStreams: 1 });
  const timers = clock.pending;
  const reader = (await watch()).body?.getReader();
  await reader?.read();
  assert.is(clock.pending, timers + 1);
  assert.is((await watch()).status, 503);
  await reader?.cancel();
  assert.is(clock.pending, timers);
  const controller = new AbortController();
  const second = await watch({ signal: controller.signal });
  assert.is(second.status, 200);
  const text = second.text();
  controller.abort();
  await text;
  assert.is(clock.pending, timers);
  assert.is((await watch()).status, 200);
});

test('let a client go that takes nothing, and keep one that is slow', async () => {
  const { clock, watch } = await world({ maxStreams: 2, keepAliveMs: 1_000 });
  const stuck = (await watch()).body?.getReader();
  const slow = (await watch()).body?.getReader();
  for (let second = 0; second < 10; second++) {
    await slow?.read();
    await clock.advance(1_000);
  }
  const lost = await stuck?.read().then(
    () => 'read',
    (error: Error) => error.message,
  );
  assert.is(lost, 'The client read nothing for too long');
  assert.is((await watch()).status, 200);
  assert.match(decoder.decode((await slow?.read())?.value), /^: still here$/m);
});

test('hold nothing for a client but a chunk, however many there are', async () => {
  const { clock, engine } = virtualEngine();
  const handler = createRunsHandler({ engine, authorize: () => true, clock, logger: silent });
  let flow = createFlow('chatty');
  flow = flow.task('talk', {
    perform: ({ progress }) => {
      for (let step = 0; step < 20_000; step++) progress(step / 20_000, 'x'.repeat(50));
    },
  }) as never;
  const run = await engine.start(flow);
  await clock.run(run.settled());
  const response = await handler(new Request(`http://localhost/runs/${run.id}/events`));
  let count = 0;
  for await (const chunk of response.body ?? []) {
    assert.ok(chunk.byteLength < 20_000);
    count += idsOf(decoder.decode(chunk)).length;
  }
  assert.is(count, run.seq);
  assert.ok(count > 20_000);
});

test('end when the server is about to close, or the engine was stopped', async () => {
  const closing = new AbortController();
  const { engine, watch } = await world({ signal: closing.signal });
  const first = (await watch()).text();
  closing.abort();
  assert.equal(idsOf(await first), []);
  assert.is((await watch()).status, 503);
  const other = await world();
  const second = (await other.watch()).text();
  await other.engine.stop();
  assert.equal(idsOf(await second), [1, 2, 3]);
  await engine.stop();
});

test('end at the next keep-alive once they may no longer be seen', async () => {
  let verdict: () => unknown = () => true;
  const { clock, run, watch } = await world({ authorize: () => verdict() as boolean, keepAliveMs: 1_000 });
  const failed = () => Promise.reject(new Error('the database is down'));
  const refusals = [() => false, () => 'forbidden', () => () => false, failed];
  for (const refusal of refusals) {
    verdict = () => true;
    const text = (await watch()).text();
    await clock.advance(2_500);
    verdict = refusal;
    await clock.advance(500);
    assert.equal((await text).match(/still here/g)?.length, 2);
  }
  assert.is(run.view().status, 'running');
  // What is left is the task's own wait.
  assert.is(clock.pending, 1);
});
