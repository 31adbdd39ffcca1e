import { createFlow, type PerformScope, SkipTask } from 'topple';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { spec } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('conditions');

const order = createFlow('order', { input: z.object({ express: z.boolean() }) })
  .task('pack', { perform: () => 'packed' })
  .task('truck', { dependsOn: ['pack'], when: ({ input }) => !input.express, perform: () => 'truck' })
  .task('plane', { dependsOn: ['pack'], when: async ({ input }) => input.express, perform: () => 'plane' })
  .task('tell', {
    dependsOn: ['truck', 'plane'],
    triggerRule: 'none_failed_min_one_success',
    perform: ({ deps }) => deps.truck ?? deps.plane,
  });

test('decide which branch runs', async () => {
  for (const express of [false, true]) {
    const { engine, clock } = virtualEngine();
    const run = await engine.start(order, { express });
    const outputs = await clock.run(run.outputs());
    assert.is(outputs.tell, express ? 'plane' : 'truck');
    const { status, cause, attempts } = run.view().tasks[express ? 'truck' : 'plane'] ?? {};
    assert.equal([status, cause, attempts], ['skipped', 'condition', 0]);
  }
});

test('fail their task without a retry if they throw, reject, or say neither true nor false', async () => {
  const { engine, clock } = virtualEngine();
  let calls = 0;
  const count = (): boolean => {
    calls++;
    throw new Error('no idea');
  };
  const retry = { maxAttempts: 3 };
  const perform = (): void => assert.unreachable();
  const flow = createFlow('unsure')
    .task('throws', { when: count, retry, perform })
    .task('rejects', { when: () => Promise.reject(new Error('no idea')), retry, perform })
    .task('says 1', { when: () => 1 as never, perform });
  const view = await clock.run((await engine.start(flow)).settled());
  for (const { status, cause, attempts } of Object.values(view.tasks))
    assert.equal([status, cause, attempts], ['failed', 'condition', 0]);
  assert.is(calls, 1);
  assert.is(
    view.tasks['says 1']?.error?.message,
    '`when` of task `says 1` must return true or false, but returned 1',
  );
});

test('are asked once the rule says run, with outcomes, and before a slot is taken', async () => {
  const { engine, clock } = virtualEngine({ concurrency: 1 });
  const seen: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const flow = createFlow('asked')
    .task('first', {
      skippable: true,
      perform: () => {
        throw new SkipTask();
      },
    })
    .task('second', {
      dependsOn: ['first'],
      triggerRule: 'all_settled',
      when: ({ outcomes, deps, runId, taskId }) => {
        seen.push(outcomes.first, deps.first, runId, taskId);
        return promise;
      },
      perform: () => 2,
    })
    .task('never', { dependsOn: ['first'], when: () => assert.unreachable() as never, perform: () => 1 });
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.advance(10);
  assert.equal(seen, [{ status: 'skipped' }, undefined, 'r', 'second']);
  assert.is(run.view().tasks.second?.readyAt, undefined);
  const other = await engine.start(createFlow('other').task('one', { perform: () => 1 }));
  await clock.advance(10);
  assert.is(other.view().status, 'done');
  resolve(true);
  await clock.run(run.settled());
  assert.is(run.view().tasks.second?.readyAt, 20);
  assert.equal([run.view().tasks.never?.status, run.view().tasks.never?.cause], ['skipped', 'rule']);
});

test('are held by a pause', async () => {
  const { engine, clock } = virtualEngine();
  const asked: string[] = [];
  const flow = createFlow('held').task('a', {
    when: ({ taskId }) => asked.push(taskId) > 0,
    perform: () => 1,
  });
  const run = await engine.start(flow, undefined, { paused: true });
  await clock.advance(10);
  assert.equal(asked, []);
  run.resume();
  assert.is((await clock.run(run.settled())).status, 'done');
  assert.equal(asked, ['a']);
});

test('are abandoned by a cancel, which aborts their signal; a late answer changes nothing', async () => {
  const { engine, clock } = virtualEngine();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  let signal: AbortSignal | undefined;
  const flow = createFlow('abandoned').task('a', {
    when: (scope) => {
      signal = scope.signal;
      return promise;
    },
    perform: () => assert.unreachable(),
  });
  const run = await engine.start(flow);
  await clock.advance(1);
  run.cancel();
  const view = await clock.run(run.settled());
  assert.equal([view.status, view.tasks.a?.status], ['cancelled', 'cancelled']);
  assert.is(signal?.aborted, true);
  const { seq } = run;
  resolve(true);
  await clock.advance(10);
  assert.is(run.seq, seq);
});

test('take no longer than `totalTimeoutMs` of their task', async () => {
  const { engine, clock } = virtualEngine();
  let signal: AbortSignal | undefined;
  const flow = createFlow('slow').task('a', {
    totalTimeoutMs: 100,
    when: (scope) => {
      signal = scope.signal;
      return new Promise<boolean>(() => {});
    },
    perform: () => 1,
  });
  const view = await clock.run((await engine.start(flow)).settled());
  const { status, cause, error, endedAt } = view.tasks.a ?? {};
  assert.equal([status, cause, endedAt], ['failed', 'timeout', 100]);
  assert.is(error?.message, 'The condition of task `a` took longer than its `totalTimeoutMs` of 100 ms');
  assert.is((signal as AbortSignal | undefined)?.reason.name, 'TimeoutError');
});

test('are asked of runs in runs, maps and waits too', async () => {
  const { engine, clock } = virtualEngine();
  const inner = createFlow('inner').task('x', { perform: () => 1 });
  const no = (): boolean => false;
  const flow = createFlow('all kinds')
    .flow('flow', { flow: inner, when: no })
    .map('map', { over: () => [1], perform: () => 1, when: no })
    .waitFor('value', { when: no })
    .sleep('nap', { ms: 1, when: no })
    .waitFor('yes', { when: () => true, timeoutMs: 50, onTimeout: { value: 7 } });
  const run = await engine.start(flow);
  const outputs = await clock.run(run.outputs());
  assert.equal({ ...outputs }, { yes: 7 });
  const ends = Object.values(run.view().tasks).map(({ status, cause }) => cause ?? status);
  assert.equal(ends, ['condition', 'condition', 'condition', 'condition', 'done']);
});

test('see what their dependencies left, also where more settle while they are asked', async () => {
  const { engine, clock } = virtualEngine();
  const { promise, resolve } = Promise.withResolvers<void>();
  const seen: unknown[] = [];
  const flow = createFlow('early')
    .task('fast', { perform: () => 'fast' })
    .task('slow', { perform: () => clock.sleep(20).then(() => 'slow') })
    .task('one', {
      dependsOn: ['fast', 'slow'],
      triggerRule: 'one_success',
      when: async ({ deps }) => {
        await promise;
        seen.push({ ...deps });
        return true;
      },
      perform: ({ deps }: PerformScope) => ({ ...deps }),
    });
  const run = await engine.start(flow);
  await clock.advance(30);
  resolve();
  const outputs = await clock.run(run.outputs());
  assert.equal(seen, [{ fast: 'fast' }]);
  assert.equal(outputs.one, { fast: 'fast', slow: 'slow' });
});
