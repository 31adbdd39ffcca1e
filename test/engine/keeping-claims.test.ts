// A store that takes its time: when bodies are called, what they see, and what commands and limits do meanwhile.

import { createEngine, createFlow, type Run } from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { type AnyActorLogic, createActor } from 'xstate';
import { spec } from '../spec.ts';
import { bodiesByHand, lateEngine, lateStore, rest, watched } from '../support/late-store.ts';
import { silent } from '../support/virtual.ts';

const test = spec('claims while an append is under way');

/** An engine on a virtual clock whose time passes also while an append is under way, as real time does. */
function passingTime() {
  const store = lateStore({ isByHand: true });
  const { hold: _, ...clock } = createVirtualClock() as unknown as Record<string, unknown>;
  const virtual = createVirtualClock();
  for (const name of ['now', 'monotonicNow', 'setTimeout', 'clearTimeout', 'whenIdle'] as const)
    clock[name] = virtual[name].bind(virtual) as never;
  return { store, clock: virtual, engine: createEngine({ store, clock: clock as never, logger: silent }) };
}

test('calls no body before everything that led to it is kept', async () => {
  const { engine, store } = lateEngine();
  const { perform, end, calls } = bodiesByHand();
  const flow = createFlow('chain')
    .task('a', { perform })
    .task('b', { dependsOn: ['a'], perform });
  void engine.start(flow, undefined, { id: 'r' });
  await rest();
  assert.equal(calls, []);
  await store.landOne();
  assert.equal(calls, ['a']);
  await store.landOne();
  await end('a');
  assert.equal([store.flights[0]?.types, calls], [['task.done', 'task.ready'], ['a']]);
  await store.landOne();
  assert.equal(calls, ['a', 'b']);
});

test('calls a body whose entries are kept although a later append is under way', async () => {
  const { engine, store } = lateEngine();
  const { perform, end, calls } = bodiesByHand();
  const flow = createFlow('wide')
    .task('a', { perform })
    .task('b', { perform })
    .task('a2', { dependsOn: ['a'], perform })
    .task('b2', { dependsOn: ['b'], perform });
  void engine.start(flow);
  await rest();
  await store.landOne();
  await store.landOne();
  await end('a');
  await end('b');
  assert.equal(
    [store.flights[0]?.types, calls],
    [
      ['task.done', 'task.ready'],
      ['a', 'b'],
    ],
  );
  store.flights[0]?.land();
  await rest();
  assert.equal(store.flights[0]?.types.slice(0, 2), ['task.done', 'task.ready']);
  assert.equal(calls, ['a', 'b', 'a2']);
  await store.landOne();
  assert.equal(calls, ['a', 'b', 'a2', 'b2']);
});

test('keeps to the order and the limits of slots behind appends', async () => {
  const { engine, store } = lateEngine({ pools: { narrow: 1 } });
  const { perform, end, calls } = bodiesByHand();
  const pool = 'narrow';
  const flow = createFlow('narrow')
    .task('a', { pool, perform })
    .task('b', { pool, perform })
    .task('c', { pool, priority: 1, perform })
    .task('d', { dependsOn: ['c'], pool, priority: 1, perform });
  const run = await store.landUntil(engine.start(flow));
  assert.equal(calls, ['c']);
  await store.landOne();
  // While `d` waits for its append, the slot is for others.
  await end('c');
  assert.equal(calls, ['c', 'a']);
  await store.landOne();
  for (const [task, next] of [
    ['a', 'd'],
    ['d', 'b'],
  ] as const) {
    await end(task);
    assert.is(calls.at(-1), next);
    await store.landOne();
  }
  await end('b');
  assert.is((await store.landUntil(run.settled())).status, 'done');
});

test('makes an attempt that falls due during an append once the failure before it is kept', async () => {
  const { engine, store, clock } = passingTime();
  const { perform, fail, calls } = bodiesByHand();
  const flow = createFlow('again').task('a', { retry: { maxAttempts: 2, backoff: 10 }, perform });
  void engine.start(flow);
  await rest();
  await store.landOne();
  await store.landOne();
  await fail('a');
  assert.equal(store.flights[0]?.types, ['task.retrying']);
  await clock.advance(20);
  assert.equal(calls, ['a']);
  await store.landOne();
  assert.equal(calls, ['a', 'a']);
});

test('gives a body under `one_success` only outputs and outcomes that are kept', async () => {
  for (const ending of ['end', 'fail'] as const) {
    const { engine, store } = lateEngine();
    const bodies = bodiesByHand();
    const { perform } = bodies;
    const seen: unknown[] = [];
    const flow = createFlow('first')
      .task('a', { perform })
      .task('b', { optional: true, perform })
      .task('c', {
        dependsOn: ['a', 'b'],
        triggerRule: 'one_success',
        perform: async ({ deps, outcomes }) => {
          seen.push({ ...deps }, { ...outcomes });
        },
      })
      .task('d', {
        dependsOn: ['a', 'b', 'c'],
        triggerRule: 'all_settled',
        perform: ({ deps, outcomes }) => {
          seen.push(deps.b, outcomes.b.status);
        },
      });
    const run = await store.landUntil(engine.start(flow));
    await store.landOne();
    await bodies.end('a');
    await bodies[ending]('b');
    assert.equal(seen, []);
    assert.equal(store.flights[0]?.types, ['task.done', 'task.ready']);
    store.flights[0]?.land();
    await rest();
    // The end of `b` is recorded and under way.
    assert.is(store.flights[0]?.types[0], ending === 'end' ? 'task.done' : 'task.failed');
    assert.equal(seen, [{ a: 'A' }, { a: { status: 'done' }, b: { status: 'running' } }]);
    await store.landUntil(run.settled());
    assert.equal(seen.slice(2), ending === 'end' ? ['B', 'done'] : [undefined, 'failed']);
  }
});

test('records a cancel at once, keeps it next, and calls no body that waited', async () => {
  const { engine, store } = lateEngine();
  const { perform, end, calls } = bodiesByHand();
  const flow = createFlow('cancel')
    .task('a', { perform })
    .task('b', { perform })
    .task('c', { dependsOn: ['a'], perform });
  const run = await store.landUntil(engine.start(flow, undefined, { id: 'r' }));
  await store.landOne();
  await end('a');
  assert.equal(store.flights[0]?.types, ['task.done', 'task.ready']);
  run.cancel('enough');
  await rest();
  assert.equal([store.flights.length, run.view().status], [1, 'running']);
  await store.landOne();
  assert.equal(store.flights[0]?.types, ['run.cancelling', 'task.cancelled']);
  await store.landOne();
  await end('b');
  assert.equal([(await store.landUntil(run.settled())).status, calls], ['cancelled', ['a', 'b']]);
});

test('cancels a run whose first append is under way: nothing starts', async () => {
  const { engine, store } = lateEngine();
  const { perform, calls } = bodiesByHand();
  const flow = createFlow('cancel')
    .task('a', { perform })
    .task('b', { dependsOn: ['a'], perform });
  const cancel = new AbortController();
  const starting = watched(engine.start(flow, undefined, { id: 'r', signal: cancel.signal }));
  await rest();
  cancel.abort('enough');
  await rest();
  assert.equal([store.flights.length, starting], [1, {}]);
  await store.landOne();
  const next = ['run.cancelling', 'task.cancelled', 'task.cancelled', 'run.cancelled'];
  assert.equal(store.flights[0]?.types, next);
  await store.landOne();
  const view = await (starting.value as Run).settled();
  assert.equal([view.status, view.reason, calls], ['cancelled', 'enough', []]);
});

test('takes a cancel of a listener of what has landed, before what that leads to', async () => {
  const { engine, store } = lateEngine();
  const { perform, end, calls } = bodiesByHand();
  const flow = createFlow('cancel')
    .task('a', { perform })
    .task('b', { dependsOn: ['a'], perform });
  const run = await store.landUntil(engine.start(flow, undefined, { id: 'r' }));
  const heard: string[] = [];
  run.on('*', ({ type }) => {
    heard.push(type);
    if (type === 'task.done') run.cancel('enough');
  });
  await end('a');
  assert.is((await store.landUntil(run.settled())).status, 'cancelled');
  assert.equal(calls, ['a']);
  const last = ['run.cancelling', 'task.cancelled', 'run.cancelled'];
  assert.equal(heard.slice(-5), ['task.done', 'task.ready', ...last]);
});

test('ends a run whose time is over during its first append: nothing starts', async () => {
  const { engine, store, clock } = passingTime();
  const { perform, calls } = bodiesByHand();
  const flow = createFlow('late', { totalTimeoutMs: 100 }).task('a', { perform });
  const starting = watched(engine.start(flow, undefined, { id: 'r' }));
  await clock.advance(100);
  assert.equal([store.flights.length, starting], [1, {}]);
  await store.landOne();
  assert.equal(store.flights[0]?.types, ['run.cancelling', 'task.cancelled', 'run.failed']);
  await store.landOne();
  const view = await (starting.value as Run).settled();
  assert.equal([view.status, view.cause, view.endedAt, calls], ['failed', 'timeout', 100, []]);
  assert.is(clock.pending, 0);
});

test('ends attempts and tasks in their time, whatever is under way', async () => {
  const { engine, store, clock } = passingTime();
  const aborted: string[] = [];
  const perform = ({ taskId, signal }: { readonly taskId: string; readonly signal: AbortSignal }) =>
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        aborted.push(`${taskId} ${clock.now()}`);
        reject(signal.reason);
      });
    });
  const flow = createFlow('limits')
    .task('a', { timeoutMs: 30, perform })
    .task('b', { totalTimeoutMs: 40, retry: { maxAttempts: 2 }, perform });
  void engine.start(flow, undefined, { id: 'r' });
  await clock.advance(0);
  await store.landOne();
  await clock.advance(50);
  assert.equal([aborted, store.flights.length], [['a 30', 'b 40'], 1]);
  const run = (await engine.run('r')) as Run;
  const { tasks } = await store.landUntil(run.settled());
  assert.equal(
    [tasks.a?.cause, tasks.a?.endedAt, tasks.b?.cause, tasks.b?.endedAt],
    ['timeout', 30, 'timeout', 40],
  );
});

test('starts nothing after a pause during the first append, until it is resumed', async () => {
  const { engine, store } = lateEngine();
  const { perform, calls } = bodiesByHand();
  const actor = createActor(
    engine.logic(createFlow('pause').task('a', { perform })) as AnyActorLogic,
  ).start();
  await rest();
  actor.send({ type: 'run.pause' });
  await store.landOne();
  await store.landOne();
  assert.equal([actor.getSnapshot().value, calls], ['paused', []]);
  actor.send({ type: 'run.resume' });
  await rest();
  assert.equal(calls, []);
  await store.landOne();
  assert.equal(calls, ['a']);
});

test('resumes during an append what was paused before it', async () => {
  const { engine, store } = lateEngine();
  const { perform, end, calls } = bodiesByHand();
  const flow = createFlow('pause')
    .task('a', { perform })
    .task('b', { dependsOn: ['a'], perform });
  const run = await store.landUntil(engine.start(flow));
  run.pause();
  await end('a');
  run.resume();
  await rest();
  await store.landOne();
  assert.equal(store.flights[0]?.types, ['run.paused', 'task.done', 'task.ready', 'run.resumed']);
  assert.equal([run.view().status, calls], ['running', ['a']]);
  await store.landOne();
  assert.equal(calls, ['a', 'b']);
});

test('lets claims pass one after another where others always wait', async () => {
  const { engine, store } = lateEngine();
  const { perform, end, calls } = bodiesByHand();
  // Each end of one chain is under way when that of the other is kept.
  const flow = createFlow('zip')
    .task('a1', { perform })
    .task('b1', { perform })
    .task('a2', { dependsOn: ['a1'], perform })
    .task('b2', { dependsOn: ['b1'], perform })
    .task('a3', { dependsOn: ['a2'], perform })
    .task('b3', { dependsOn: ['b2'], perform });
  const run = await store.landUntil(engine.start(flow));
  await store.landOne();
  await end('a1');
  for (const task of ['b1', 'a2', 'b2']) {
    await end(task);
    await store.landOne();
  }
  await store.landOne();
  assert.equal(calls, ['a1', 'b1', 'a2', 'b2', 'a3', 'b3']);
  for (const task of ['a3', 'b3']) await end(task);
  assert.is((await store.landUntil(run.settled())).status, 'done');
});
