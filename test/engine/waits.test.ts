import {
  createFlow,
  DeliveryError,
  type Engine,
  FlowError,
  InputError,
  type Run,
  type RunView,
} from 'topple';
import { createVirtualClock, type VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { spec } from '../spec.ts';
import { lateStore } from '../support/late-store.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('tasks that wait');

const hourMs = 3_600_000;
const person = z.object({ by: z.string() });

/** The types of entries of a task, in order. */
function typesOf(run: Run<never> | Run, taskId: string): string[] {
  return run
    .entries()
    .filter((entry) => 'taskId' in entry && entry.taskId === taskId)
    .map(({ type }) => type);
}

/** The error of a promise that rejects. */
async function refusalOf(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was not refused');
}

const approval = createFlow('approval')
  .task('charge', { perform: () => 42 })
  .waitFor('approved', { dependsOn: ['charge'], schema: person, timeoutMs: hourMs })
  .task('ship', { dependsOn: ['approved'], perform: ({ deps }) => `for ${deps.approved.by}` });

test('wait without a slot, and are done with the value that is delivered', async () => {
  const { engine, clock } = virtualEngine({ concurrency: 1 });
  const run = await engine.start(approval);
  const other = await engine.start(createFlow('other').task('one', { perform: () => 1 }));
  await clock.advance(1_000);
  assert.is(other.view().status, 'done');
  const { status, until, timeoutAt, attempts } = run.view().tasks.approved ?? {};
  assert.equal([status, until, timeoutAt, attempts], ['waiting', undefined, hourMs, 0]);
  assert.is(await run.deliver('approved', { by: 'ada', more: 1 }), 'delivered');
  assert.equal(await clock.run(run.outputs()), { charge: 42, approved: { by: 'ada' }, ship: 'for ada' });
  assert.equal(typesOf(run, 'approved'), ['task.ready', 'task.waiting', 'task.delivered', 'task.done']);
  assert.is(run.view().tasks.approved?.timeoutAt, undefined);
  assert.equal(run.view().tasks.approved?.delivery, { at: 1_000 });
});

test('take the same key once, and refuse a second value', async () => {
  const { engine, clock } = virtualEngine();
  const run = await engine.start(approval);
  await clock.advance(1);
  const both = await Promise.all([
    run.deliver('approved', { by: 'ada' }, { key: 'k' }),
    run.deliver('approved', { by: 'bob' }, { key: 'k' }),
  ]);
  assert.equal(both, ['delivered', 'already']);
  await clock.run(run.settled());
  assert.is(await run.deliver('approved', { by: 'bob' }, { key: 'k' }), 'already');
  for (const options of [{}, { key: 'other' }]) {
    const error = await refusalOf(run.deliver('approved', { by: 'bob' }, options));
    assert.instance(error, DeliveryError);
    assert.is(error.code, 'settled');
  }
  assert.is(run.entries().filter(({ type }) => type === 'task.delivered').length, 1);
});

test('go on waiting after a value that the schema refuses, which leaves no entry', async () => {
  const { engine, clock } = virtualEngine();
  const run = await engine.start(approval);
  await clock.advance(1);
  const { seq } = run;
  const error = await refusalOf(run.deliver('approved', { by: 7 }));
  assert.instance(error, InputError);
  assert.match(error.message, /The value for task `approved` of flow `approval` is not valid: by: /);
  assert.is(run.seq, seq);
  assert.is(await run.deliver('approved', { by: 'ada' }), 'delivered');
});

test('take a value that came before they were ready, and no second one', async () => {
  const { engine, clock } = virtualEngine();
  const flow = createFlow('early')
    .task('slow', { perform: () => clock.sleep(100) })
    .waitFor('value', { dependsOn: ['slow'] });
  const run = await engine.start(flow);
  assert.is(await run.deliver('value', 7, { key: 'k' }), 'delivered');
  assert.is(await run.deliver('value', 8, { key: 'k' }), 'already');
  assert.is((await refusalOf(run.deliver('value', 8))).code, 'delivered');
  assert.equal(run.view().tasks.value?.delivery, { at: 0, key: 'k', value: 7 });
  assert.is(run.view().tasks.value?.status, 'pending');
  await clock.run(run.settled());
  assert.is(run.view().tasks.value?.output, 7);
  assert.equal(typesOf(run, 'value'), ['task.delivered', 'task.ready', 'task.done']);
});

test('refuse what is not for them: another task, an unknown one, a bad key', async () => {
  const { engine, clock } = virtualEngine();
  const run = await engine.start(approval);
  await clock.advance(1);
  assert.is((await refusalOf(run.deliver('charge', 1))).code, 'no_wait');
  assert.is((await refusalOf(run.deliver(['charge', 'x'], 1))).code, 'no_child');
  const unknown = await refusalOf(run.deliver('aproved', 1));
  assert.instance(unknown, FlowError);
  assert.is(unknown.code, 'unknown_task');
  assert.match(unknown.message, /Did you mean `approved`/);
  assert.match((await refusalOf(run.deliver('approved', 1, { key: '' }))).message, /`key`/);
  assert.match((await refusalOf(run.deliver([], 1))).message, /path of ids/);
  assert.is((await refusalOf(engine.deliver('nobody', 'approved', 1))).code, 'unknown_run');
  assert.is(await engine.deliver(run.id, 'approved', { by: 'ada' }), 'delivered');
});

/** Runs a flow with one wait until it has settled. */
async function late(onTimeout: 'fail' | 'skip' | { value: string } | undefined): Promise<RunView> {
  const { engine, clock } = virtualEngine();
  const flow = createFlow('late')
    .waitFor('value', { schema: z.number(), timeoutMs: 100, ...(onTimeout && { onTimeout }) })
    .task('after', { dependsOn: ['value'], perform: ({ deps }) => deps.value });
  const run = await engine.start(flow);
  return clock.run(run.settled());
}

test('fail, are skipped or have a value once their time is over, without a grace', async () => {
  const failed = await late(undefined);
  assert.equal([failed.status, failed.endedAt], ['failed', 100]);
  const { status, cause, error, attempts } = failed.tasks.value ?? {};
  assert.equal([status, cause, attempts, error?.name], ['failed', 'timeout', 0, 'TimeoutError']);
  assert.is(error?.message, 'The wait of task `value` took longer than its `timeoutMs` of 100 ms');
  assert.is((await late('fail')).tasks.value?.status, 'failed');
  const skipped = await late('skip');
  assert.equal([skipped.tasks.value?.status, skipped.tasks.value?.cause], ['skipped', 'timeout']);
  assert.equal([skipped.status, skipped.tasks.after?.status], ['done', 'skipped']);
  const valued = await late({ value: 'none' });
  assert.equal([valued.tasks.value?.output, valued.tasks.after?.output], ['none', 'none']);
});

test('count from when they are ready', async () => {
  const { engine, clock } = virtualEngine();
  const flow = createFlow('counted')
    .task('first', { perform: () => clock.sleep(1_000) })
    .waitFor('value', { dependsOn: ['first'], timeoutMs: 100, onTimeout: 'skip' })
    .sleep('nap', { dependsOn: ['first'], ms: 250 });
  const view = await clock.run((await engine.start(flow)).settled());
  assert.equal([view.tasks.value?.endedAt, view.tasks.nap?.endedAt], [1_100, 1_250]);
  assert.is(view.tasks.nap?.output, 1_250);
});

test('sleep until the instant that a function returns once, a Date or a number', async () => {
  const { engine, clock } = virtualEngine();
  let calls = 0;
  const flow = createFlow('until', { input: z.object({ at: z.number() }) })
    .task('first', { perform: () => 10 })
    .sleep('date', {
      dependsOn: ['first'],
      until: ({ input, deps }) => {
        calls++;
        return new Date(input.at + deps.first);
      },
    })
    .sleep('number', { dependsOn: ['first'], until: ({ input }) => input.at })
    .sleep('past', { dependsOn: ['first'], until: () => -5 });
  const run = await engine.start(flow, { at: 500 });
  await clock.advance(1);
  assert.is(run.view().tasks.date?.until, 510);
  const view = await clock.run(run.settled());
  const ends = ['date', 'number', 'past'].map((id) => [view.tasks[id]?.endedAt, view.tasks[id]?.output]);
  assert.equal(ends, [
    [510, 510],
    [500, 500],
    [0, -5],
  ]);
  assert.is(calls, 1);
});

test('fail, cause `input`, where there is no instant', async () => {
  const { engine, clock } = virtualEngine();
  const flow = createFlow('no instant')
    .sleep('throws', {
      until: () => {
        throw new RangeError('no such day');
      },
    })
    .sleep('nonsense', { until: () => new Date('nonsense') })
    .sleep('text', { until: () => '2030-01-01' as never });
  const view = await clock.run((await engine.start(flow)).settled());
  const ends = Object.values(view.tasks).map(({ status, cause, error }) => [status, cause, error?.name]);
  assert.equal(ends, [
    ['failed', 'input', 'RangeError'],
    ['failed', 'input', 'TypeError'],
    ['failed', 'input', 'TypeError'],
  ]);
});

/** A virtual clock that does not tell when its time of day is set, as that of a machine. */
function silentClock(): { clock: VirtualClock; engine: Engine } {
  const clock = createVirtualClock();
  const { engine } = virtualEngine({
    clock: {
      now: clock.now,
      monotonicNow: clock.monotonicNow,
      setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
      clearTimeout: (id) => clock.clearTimeout(id),
      whenIdle: (callback) => clock.whenIdle(callback),
      hold: (until) => clock.hold(until),
    },
  });
  return { clock, engine };
}

test('are not late by more than a minute where the time of day is set, or the machine slept', async () => {
  const { engine, clock } = silentClock();
  const run = await engine.start(createFlow('nap').sleep('nap', { ms: 10 * hourMs }));
  await clock.advance(1_000);
  clock.stepWall(11 * hourMs);
  await clock.advance(60_000);
  assert.is(run.view().status, 'done');
});

test('are not late at all on a clock that tells when its time of day is set', async () => {
  const { engine, clock } = virtualEngine();
  const run = await engine.start(createFlow('nap').sleep('nap', { ms: 10 * hourMs }));
  await clock.advance(1_000);
  clock.stepWall(11 * hourMs);
  await clock.advance(0);
  assert.equal([run.view().status, clock.monotonicNow()], ['done', 1_000]);
});

test('wait longer where the time of day is set back', async () => {
  for (const { engine, clock } of [virtualEngine(), silentClock()]) {
    const run = await engine.start(createFlow('nap').sleep('nap', { ms: 1_000 }));
    await clock.advance(10);
    clock.stepWall(-500);
    await clock.advance(1_000);
    assert.is(run.view().status, 'running');
    await clock.run(run.settled());
    assert.is(clock.monotonicNow(), 1_500);
  }
});

test('take one step for each wait on a virtual clock, not one for each minute', async () => {
  const { engine, clock } = virtualEngine();
  let steps = 0;
  const counting = clock.setTimeout.bind(clock);
  clock.setTimeout = (callback, ms) => {
    steps++;
    return counting(callback, ms);
  };
  const dayMs = 24 * hourMs;
  const flow = createFlow('months')
    .sleep('first', { ms: 20 * dayMs })
    .waitFor('second', { dependsOn: ['first'], timeoutMs: 20 * dayMs, onTimeout: 'skip' });
  const view = await clock.run((await engine.start(flow)).settled());
  assert.equal([view.status, view.endedAt], ['done', 40 * dayMs]);
  assert.ok(steps < 10, `${steps}`);
});

test('share one timer of the clock, however many there are', async () => {
  const { engine, clock } = virtualEngine();
  const flow = createFlow('many')
    .sleep('nap', { ms: hourMs })
    .waitFor('value', { timeoutMs: 2 * hourMs });
  for (let n = 0; n < 100; n++) await engine.start(flow);
  await clock.advance(1);
  assert.is(clock.pending, 1);
});

test('take values and sleep on while the run is paused', async () => {
  const { engine, clock } = virtualEngine();
  const flow = createFlow('paused')
    .waitFor('value')
    .sleep('nap', { ms: 50 })
    .sleep('computed', { until: () => 60 })
    .task('after', { dependsOn: ['value', 'nap', 'computed'], perform: () => 1 });
  const run = await engine.start(flow);
  run.pause();
  assert.is(await run.deliver('value', 1), 'delivered');
  await clock.advance(1_000);
  const statuses = Object.values(run.view().tasks).map(({ status }) => status);
  assert.equal(statuses, ['done', 'done', 'done', 'pending']);
  assert.is(run.view().tasks.computed?.endedAt, 60);
  run.resume();
  assert.is((await clock.run(run.settled())).status, 'done');
});

test('are cancelled with their run, and take nothing then', async () => {
  const { engine, clock } = virtualEngine();
  const run = await engine.start(createFlow('ends').waitFor('value').sleep('nap', { ms: 1_000 }));
  await clock.advance(1);
  run.cancel('enough');
  assert.is((await refusalOf(run.deliver('value', 1))).code, 'settled');
  const view = await clock.run(run.settled());
  assert.equal(
    Object.values(view.tasks).map(({ status }) => status),
    ['cancelled', 'cancelled'],
  );
  await clock.advance(0);
  assert.is(clock.pending, 0);
  assert.is((await refusalOf(run.deliver('value', 1))).code, 'settled');
});

test('forget value and key in a rerun, and wait again', async () => {
  const { engine, clock } = virtualEngine();
  const run = await engine.start(approval);
  await run.deliver('approved', { by: 'ada' }, { key: 'k' });
  await clock.run(run.settled());
  run.rerun(['approved']);
  await clock.advance(1);
  assert.is(run.view().tasks.approved?.status, 'waiting');
  assert.is(await run.deliver('approved', { by: 'bob' }, { key: 'k' }), 'delivered');
  assert.is((await clock.run(run.outputs())).ship, 'for bob');
});

test('take values by a path, in the current life of a child run', async () => {
  const { engine, clock } = virtualEngine();
  const publish = createFlow('publish').waitFor('ok', { schema: person });
  const flow = createFlow('parent')
    .task('first', { perform: () => clock.sleep(10) })
    .flow('publish', { dependsOn: ['first'], flow: publish })
    .map('each', { over: () => [1, 2], perform: publish, input: () => undefined });
  const run = await engine.start(flow);
  assert.is((await refusalOf(run.deliver(['publish', 'ok'], { by: 'ada' }))).code, 'no_child');
  await clock.advance(10);
  assert.is(await run.deliver(['publish', 'ok'], { by: 'ada' }, { key: 'k' }), 'delivered');
  assert.is(await run.deliver(['each', '0', 'ok'], { by: 'bob' }), 'delivered');
  assert.is(await run.deliver(['each', '1', 'ok'], { by: 'eve' }), 'delivered');
  assert.is((await refusalOf(run.deliver(['each', '2', 'ok'], { by: 'eve' }))).code, 'unknown_task');
  const outputs = await clock.run(run.outputs());
  assert.equal(outputs.each, [{ ok: { by: 'bob' } }, { ok: { by: 'eve' } }]);
  assert.is(await run.deliver(['publish', 'ok'], { by: 'x' }, { key: 'k' }), 'already');
  assert.is((await refusalOf(run.deliver(['publish', 'ok'], { by: 'x' }))).code, 'settled');
  run.rerun(['publish']);
  await clock.advance(1);
  assert.is(await run.deliver(['publish', 'ok'], { by: 'new' }, { key: 'k' }), 'delivered');
  assert.equal((await clock.run(run.outputs())).publish, { ok: { by: 'new' } });
});

test('are told of a delivery only once it is kept, where a store takes its time', async () => {
  const store = lateStore({ isByHand: true });
  const { engine } = virtualEngine({ store });
  const run = await store.landUntil(engine.start(createFlow('kept').waitFor('value')));
  let answer: string | undefined;
  const delivering = run.deliver('value', 1, { key: 'k' }).then((given) => {
    answer = given;
  });
  const again = run.deliver('value', 1, { key: 'k' });
  await store.landBefore('task.delivered');
  assert.is(answer, undefined);
  await store.landUntil(delivering);
  assert.is(answer, 'delivered');
  assert.is(await store.landUntil(again), 'already');
  assert.is((await store.landUntil(run.settled())).status, 'done');
});

test('answer who delivers that a store has failed, or the engine was stopped', async () => {
  const store = lateStore({ isByHand: true });
  const { engine } = virtualEngine({ store });
  const run = await store.landUntil(engine.start(createFlow('cut').waitFor('value')));
  const delivering = run.deliver('value', 1);
  await store.landBefore('task.delivered');
  store.tellLastSeq = async () => {
    throw new Error('gone');
  };
  store.flights[0]?.fail(new Error('gone'));
  assert.is((await refusalOf(delivering)).name, 'StoreError');
});

test('are refused a delivery by an engine that was stopped', async () => {
  const { engine, clock } = virtualEngine();
  const run = await engine.start(approval);
  await clock.advance(1);
  await engine.stop();
  assert.is((await refusalOf(run.deliver('approved', { by: 'ada' }))).name, 'EngineStoppedError');
});

test('refuse options that fit no wait', () => {
  const flow = createFlow('bad');
  const refusal = (make: () => unknown): string => {
    try {
      make();
    } catch (error) {
      assert.instance(error, FlowError);
      return (error as Error).message;
    }
    throw new Error('it was taken');
  };
  assert.match(
    refusal(() => flow.sleep('a', {} as never)),
    /`ms` of task `a`/,
  );
  assert.match(
    refusal(() => flow.sleep('a', { ms: 1, until: () => 1 } as never)),
    /`ms` of task `a`/,
  );
  assert.match(
    refusal(() => flow.sleep('a', { ms: -1 })),
    /`ms`/,
  );
  assert.match(
    refusal(() => flow.sleep('a', { until: 5 as never })),
    /`until`/,
  );
  assert.match(
    refusal(() => flow.sleep('a', { ms: 1, perform: () => 1 } as never)),
    /`perform`/,
  );
  assert.match(
    refusal(() => flow.waitFor('a', { schema: {} as never })),
    /`schema`/,
  );
  assert.match(
    refusal(() => flow.waitFor('a', { onTimeout: 'skip' })),
    /`onTimeout`.*left out/,
  );
  assert.match(
    refusal(() => flow.waitFor('a', { timeoutMs: 1, onTimeout: 'end' as never })),
    /`onTimeout`/,
  );
  assert.match(
    refusal(() => flow.waitFor('a', { retry: { maxAttempts: 2 } } as never)),
    /`retry`/,
  );
  assert.match(
    refusal(() => flow.task('a', { perform: () => 1, when: true as never })),
    /`when`/,
  );
});
