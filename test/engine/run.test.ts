import { getEventListeners } from 'node:events';
import {
  CancelledError,
  createFlow,
  createFlowFromGraph,
  createMemoryStore,
  type Entry,
  InputError,
  type Run,
  RunFailedError,
  SkipTask,
  type TaskView,
} from 'topple';
import * as assert from 'uvu/assert';
import { createActor } from 'xstate';
import { z } from 'zod';
import { spec } from '../spec.ts';
import { append, storeOver } from '../support/stores.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('run');

const never = () => new Promise<never>(() => {});
const statusesOf = (view: { tasks: Record<string, { status: string }> }) =>
  Object.fromEntries(Object.entries(view.tasks).map(([id, { status }]) => [id, status]));

test('passes outputs from task to task and returns them by id', async () => {
  const flow = createFlow('sum', { input: z.object({ n: z.number() }) })
    .task('a', { perform: ({ input }) => input.n })
    .task('b', { dependsOn: ['a'], perform: async ({ deps }) => deps.a * 2 })
    .task('c', { dependsOn: ['a', 'b'], perform: ({ deps }) => deps.a + deps.b });
  assert.equal(await flow.run({ n: 2 }), { a: 2, b: 4, c: 6 });
});

test('returns what `output` makes of the tasks, and fails when that throws', async () => {
  const flow = createFlow('sum')
    .task('a', { perform: () => 1 })
    .task('b', { perform: () => 2 });
  assert.is(await flow.output(({ deps }) => deps.a + deps.b).run(), 3);
  const broken = flow.output(() => {
    throw new Error('no sum');
  });
  const run = await broken.start();
  const view = await run.settled();
  assert.equal([view.status, view.cause, view.reason], ['failed', 'output', 'no sum']);
  const error = await run.outputs().catch((failure: unknown) => failure);
  assert.instance(error, RunFailedError);
  assert.is((error as Error & { cause: Error }).cause.message, 'no sum');
});

test('refuses input that the schema refuses, before anything starts', async () => {
  let calls = 0;
  const flow = createFlow('input', { input: z.object({ email: z.email() }) }).task('a', {
    perform: () => calls++,
  });
  const error = await flow.run({ email: 'nobody' }).catch((refusal: unknown) => refusal);
  assert.instance(error, InputError);
  assert.equal((error as InputError).issues, [{ message: 'Invalid email address', path: ['email'] }]);
  assert.is(calls, 0);
});

test('accepts input with a schema that takes its time, and passes on what it makes of it', async () => {
  const schema = z.string().transform(async (text) => text.toUpperCase());
  const flow = createFlow('slow', { input: schema }).task('a', { perform: ({ input }) => input });
  assert.equal(await flow.run('ada'), { a: 'ADA' });
});

test('settles with a failed task as a value, and rejects only where outputs are asked for', async () => {
  const flow = createFlow('failing')
    .task('a', {
      perform: () => {
        throw new TypeError('broken');
      },
    })
    .task('b', { dependsOn: ['a'], perform: () => 1 })
    .task('c', { perform: () => 2 });
  const run = await flow.start();
  assert.equal(statusesOf(await run.settled()), { a: 'failed', b: 'upstream_failed', c: 'done' });
  assert.is(run.view().tasks.b?.cause, 'upstream');
  const error = (await run.outputs().catch((failure: unknown) => failure)) as RunFailedError;
  assert.instance(error, RunFailedError);
  assert.instance(error.cause, TypeError);
  assert.equal(
    error.failures.map(({ taskId, cause }) => [taskId, cause]),
    [['a', 'exhausted']],
  );
  assert.match(error.message, 'task `a` failed with TypeError: broken');
});

test('is done when only optional tasks fail, and what hangs on them follows its rules', async () => {
  const flow = createFlow('optional')
    .task('sms', {
      optional: true,
      perform: () => {
        throw new Error('400');
      },
    })
    .task('after', { dependsOn: ['sms'], optional: true, perform: () => 1 })
    .task('audit', {
      dependsOn: ['sms', 'after'],
      triggerRule: 'all_settled',
      perform: ({ outcomes, deps }) => [
        outcomes.sms.status,
        outcomes.sms.error?.message,
        deps.sms,
        outcomes.after.status,
      ],
    });
  const run = await flow.start();
  const view = await run.settled();
  assert.is(view.status, 'done');
  assert.equal(statusesOf(view), { sms: 'failed', after: 'upstream_failed', audit: 'done' });
  assert.equal(view.tasks.audit?.output, ['failed', '400', undefined, 'upstream_failed']);
});

test('fails when an optional task and one that counts fail', async () => {
  const flow = createFlow('mixed')
    .task('sms', {
      optional: true,
      perform: () => {
        throw new Error('400');
      },
    })
    .task('mail', {
      perform: () => {
        throw new Error('550');
      },
    });
  assert.is((await (await flow.start()).settled()).status, 'failed');
});

test('skips what all_success needs of a task that skipped itself', async () => {
  const flow = createFlow('skip')
    .task('a', {
      skippable: true,
      perform: () => {
        throw new SkipTask('nothing');
      },
    })
    .task('b', { dependsOn: ['a'], perform: () => 1 })
    .task('c', { dependsOn: ['b'], triggerRule: 'none_failed', perform: ({ deps }) => deps });
  const run = await flow.start();
  const view = await run.settled();
  assert.equal(statusesOf(view), { a: 'skipped', b: 'skipped', c: 'done' });
  assert.equal([view.tasks.a?.cause, view.tasks.b?.cause], [undefined, 'rule']);
  assert.equal(await run.outputs(), { c: {} });
});

test('is done at once when it has no tasks', async () => {
  const run = await createFlow('empty').start();
  assert.equal((await run.settled()).status, 'done');
  assert.equal(await run.outputs(), {});
});

test('gives its events in order, without gaps, and replays them from the first', async () => {
  const flow = createFlow('events')
    .task('a', { perform: () => 1 })
    .task('b', { dependsOn: ['a'], perform: () => 2 });
  const run = await flow.start(undefined, { id: 'e1' });
  await run.settled();
  const events: Entry[] = [];
  for await (const event of run.events()) events.push(event);
  assert.equal(
    events.map((event) => event.seq),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  assert.equal(
    events.map((event) => ('taskId' in event ? `${event.type} ${event.taskId}` : event.type)),
    [
      'run.started',
      'task.ready a',
      'task.started a',
      'task.done a',
      'task.ready b',
      'task.started b',
      'task.done b',
      'run.done',
    ],
  );
  assert.ok(events.every((event) => event.runId === 'e1'));
});

test('ends its events when a reader stops, and follows a run that is under way', async () => {
  const { clock, engine } = virtualEngine();
  const flow = createFlow('follow').task('a', { perform: () => clock.sleep(10) });
  const run = await engine.start(flow);
  const seen: string[] = [];
  const reading = (async () => {
    for await (const event of run.events()) {
      seen.push(event.type);
      if (event.type === 'task.done') break;
    }
  })();
  await clock.run(reading);
  assert.equal(seen, ['run.started', 'task.ready', 'task.started', 'task.done']);
});

test('gives the events after a `seq` alone, and says what its last one is', async () => {
  const run = await createFlow('after')
    .task('a', { perform: () => 1 })
    .start();
  await run.settled();
  const seqsAfter = async (after: number) => {
    const seqs: number[] = [];
    for await (const { seq } of run.events({ after })) seqs.push(seq);
    return seqs;
  };
  assert.equal([run.seq, await seqsAfter(3), await seqsAfter(5), await seqsAfter(99)], [5, [4, 5], [], []]);
  const refusal = await seqsAfter(-1).catch((error: unknown) => error);
  assert.match((refusal as Error).message, '`after` of `run.events` must be an integer of at least 0');
});

test('lets a reader go whose signal is aborted, while it waits and while it reads', async () => {
  const { clock, engine } = virtualEngine();
  const run = await engine.start(createFlow('wait').task('a', { perform: () => clock.sleep(10) }));
  await clock.advance(1);
  const controller = new AbortController();
  const { signal } = controller;
  const waiting = run.events({ after: run.seq, signal });
  const next = waiting.next();
  const reading = run.events({ signal });
  assert.is((await reading.next()).value?.seq, 1);
  assert.is(getEventListeners(signal, 'abort').length, 2);
  controller.abort();
  assert.equal([await next, await reading.next()], Array(2).fill({ done: true, value: undefined }));
  assert.is(getEventListeners(signal, 'abort').length, 0);
  assert.is((await run.events({ signal }).next()).done, true);
  assert.is((await clock.run(run.settled())).status, 'done');
});

test("keeps a listener's throw to the logger", async () => {
  const errors: string[] = [];
  const { clock, engine } = virtualEngine({
    logger: { ...silent, error: (message) => errors.push(message) },
  });
  const run = await engine.start(createFlow('listen').task('a', { perform: () => 1 }));
  const seen: string[] = [];
  run.on('task.done', () => {
    throw new Error('listener');
  });
  const subscription = run.on('*', ({ type }) => {
    seen.push(type);
    if (type === 'task.done') subscription.unsubscribe();
  });
  assert.is((await clock.run(run.settled())).status, 'done');
  assert.equal(errors, ['A listener of task.done threw']);
  assert.is(seen.at(-1), 'task.done');
});

test('cancels waiting tasks at once and gives those under way their signal', async () => {
  const { clock, engine } = virtualEngine();
  const reasons: unknown[] = [];
  const flow = createFlow('cancel')
    .task('heeds', {
      perform: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reasons.push(signal.reason);
            reject(new Error('stopped'));
          });
        }),
    })
    .task('ignores', { graceMs: 30, perform: never })
    .task('waits', {
      retry: { maxAttempts: 2, backoff: 1_000 },
      perform: () => {
        throw new Error('first');
      },
    })
    .task('after', { dependsOn: ['heeds'], perform: () => 1 })
    .task('cleanup', { dependsOn: ['ignores'], triggerRule: 'always', perform: () => 'ran' });
  const run = await engine.start(flow);
  await clock.advance(100);
  assert.is(run.view().tasks.waits?.status, 'retrying');
  run.cancel('enough');
  run.cancel('twice');
  assert.is(run.view().status, 'cancelling');
  const view = await clock.run(run.settled());
  assert.equal(statusesOf(view), {
    heeds: 'cancelled',
    ignores: 'cancelled',
    waits: 'cancelled',
    after: 'cancelled',
    cleanup: 'done',
  });
  assert.equal(
    [view.status, view.cause, view.reason, view.endedAt],
    ['cancelled', 'cancelled', 'enough', 130],
  );
  assert.instance(reasons[0], CancelledError);
  const error = (await run.outputs().catch((failure: unknown) => failure)) as RunFailedError;
  assert.equal([error.status, error.reason], ['cancelled', 'enough']);
  run.cancel('late');
  assert.is(run.view().reason, 'enough');
});

test('cancels when the signal given to start is aborted, before or after', async () => {
  const { clock, engine } = virtualEngine();
  const flow = createFlow('signal').task('a', { graceMs: 0, perform: never });
  const controller = new AbortController();
  const run = await engine.start(flow, undefined, { signal: controller.signal });
  await clock.advance(5);
  controller.abort('user left');
  assert.equal((await clock.run(run.settled())).reason, 'user left');
  const late = await engine.start(flow, undefined, { signal: AbortSignal.abort('too late') });
  assert.equal((await clock.run(late.settled())).status, 'cancelled');
});

test('fails, cause timeout, when its own time is over', async () => {
  const { clock, engine } = virtualEngine();
  const flow = createFlow('limit', { totalTimeoutMs: 100 })
    .task('a', { graceMs: 10, perform: never })
    .task('b', { dependsOn: ['a'], perform: () => 1 });
  const run = await engine.start(flow);
  const view = await clock.run(run.settled());
  assert.equal([view.status, view.cause, view.endedAt], ['failed', 'timeout', 110]);
  assert.equal(
    [view.tasks.a?.status, view.tasks.a?.cause, view.tasks.b?.cause],
    ['cancelled', 'timeout', 'timeout'],
  );
  const sooner = await engine.start(flow, undefined, { totalTimeoutMs: 20 });
  assert.is((await clock.run(sooner.settled())).endedAt, 110 + 30);
});

test('starts no attempt while paused, and lets those under way go on', async () => {
  const { clock, engine } = virtualEngine();
  const flow = createFlow('pause')
    .task('a', { perform: () => clock.sleep(10) })
    .task('b', { dependsOn: ['a'], perform: () => clock.sleep(10) })
    .task('c', {
      retry: { maxAttempts: 2, backoff: 5 },
      perform: ({ attempt }) => {
        if (attempt === 1) throw new Error('once');
      },
    });
  const run = await engine.start(flow);
  await clock.advance(0);
  run.pause();
  await clock.advance(100);
  assert.equal(statusesOf(run.view()), { a: 'done', b: 'pending', c: 'retrying' });
  assert.is(run.view().status, 'paused');
  run.resume();
  const view = await clock.run(run.settled());
  assert.equal([view.tasks.b?.startedAt, view.tasks.b?.endedAt, view.tasks.c?.endedAt], [100, 110, 100]);
  assert.is(view.status, 'done');
});

test('starts paused when it is told to, and falls when it is resumed', async () => {
  const { clock, engine } = virtualEngine();
  const flow = createFlow('held').task('a', { perform: () => clock.now() });
  const run = await engine.start(flow, undefined, { paused: true });
  await clock.advance(50);
  assert.equal([run.view().status, run.view().tasks.a?.status], ['paused', 'pending']);
  run.resume();
  assert.equal((await clock.run(run.settled())).tasks.a?.output, 50);
  const refusal = await engine
    .start(flow, undefined, { paused: 1 as never })
    .catch((error: unknown) => error);
  assert.match(String(refusal), '`paused` of flow `held` must be true, false or `until_recovered`, but is 1');
});

test('settles while paused when nothing is left to start', async () => {
  const { clock, engine } = virtualEngine();
  const run = await engine.start(createFlow('pause').task('a', { perform: () => clock.sleep(10) }));
  await clock.advance(0);
  run.pause();
  assert.is((await clock.run(run.settled())).status, 'done');
});

test('runs failed tasks again under the same id, with all downstream', async () => {
  const { clock, engine } = virtualEngine();
  let broken = true;
  const calls: string[] = [];
  const flow = createFlow('rerun')
    .task('a', { perform: () => calls.push('a') })
    .task('b', {
      dependsOn: ['a'],
      perform: () => {
        calls.push('b');
        if (broken) throw new Error('b');
        return 'b';
      },
    })
    .task('c', {
      dependsOn: ['b'],
      perform: ({ deps }) => {
        calls.push('c');
        return deps.b;
      },
    });
  const run = await engine.start(flow);
  const seen: string[] = [];
  run.on('*', (event) => seen.push(`${event.seq} ${event.type}`));
  assert.equal((await clock.run(run.settled())).status, 'failed');
  const { actor, id } = run;
  broken = false;
  run.rerun();
  assert.throws(() => run.rerun(), /has not settled/);
  assert.is(run.id, id);
  assert.is.not(run.actor, actor);
  assert.equal((await clock.run(run.settled())).status, 'done');
  assert.equal(calls, ['a', 'b', 'b', 'c']);
  assert.equal(await run.outputs(), { a: 1, b: 'b', c: 'b' });
  assert.equal(
    seen.map((line) => Number(line.split(' ')[0])),
    Array.from(seen, (_, i) => i + 3),
  );
  assert.is(seen.filter((line) => line.endsWith('task.rerun')).length, 2);
  run.rerun(['c']);
  await clock.run(run.settled());
  assert.equal(calls.slice(4), ['c']);
  run.rerun();
  await clock.run(run.settled());
  assert.equal(calls.slice(5), ['a', 'b', 'c']);
  assert.throws(() => run.rerun(['nobody']), /no task `nobody`/);
});

test('runs again on the default engine, which keeps nothing', async () => {
  let broken = true;
  const flow = createFlow('again').task('a', {
    perform: () => {
      if (broken) throw new Error('a');
      return 'A';
    },
  });
  const run = await flow.start();
  assert.is((await run.settled()).status, 'failed');
  broken = false;
  run.rerun();
  assert.equal(await run.outputs(), { a: 'A' });
});

test('runs again where the store has forgotten it', async () => {
  const { clock, engine } = virtualEngine({ keepSettled: 0 });
  const run = await engine.start(createFlow('again').task('a', { perform: () => clock.now() }));
  await clock.run(run.settled());
  run.rerun();
  assert.is((await clock.run(run.settled())).status, 'done');
  assert.equal(await engine.runs(), []);
});

test('does not run again where there is nothing to run, and keeps a journal that can be read', async () => {
  const store = createMemoryStore();
  const { clock, engine } = virtualEngine({ store });
  const flow = createFlow('some').task('a', { perform: () => 1 });
  const run = await engine.start(flow, undefined, { id: 'some' });
  const empty = await engine.start(createFlow('none'), undefined, { id: 'none' });
  await clock.run(run.settled());
  assert.throws(
    () => run.rerun([]),
    /^`taskIds` of `run.rerun` must be left out, or a list of one task or more/,
  );
  assert.throws(() => empty.rerun(), /^Run none has no tasks that could run again/);
  await clock.advance(0);
  assert.equal([store.read('some').length, store.read('none').length], [run.seq, 2]);
});

test('does not run again where it never ran, since its input was refused', async () => {
  const { clock, engine } = virtualEngine();
  const flow = createFlow('refused', { input: z.number() }).task('a', { perform: ({ input }) => input });
  const actor = createActor(engine.logic(flow), { input: 'x' as never, clock }).start();
  const run = await engine.run(actor.getSnapshot().context.id);
  await clock.run((run as Run).settled());
  assert.throws(() => run?.rerun(), /never started, since its input was refused/);
});

test('returns what `output` makes also when it is an option, or when tasks come after it', async () => {
  const make = ({ deps }: { deps: Record<string, unknown> }) => Object.keys(deps).length;
  const option = createFlow('option', { output: make })
    .task('a', { perform: () => 1 })
    .task('b', { perform: () => 2 });
  const total: number = await option.run();
  assert.is(total, 2);
  assert.is(
    await createFlow('method')
      .task('a', { perform: () => 1 })
      .output(make)
      .task('b', { perform: () => 2 })
      .run(),
    2,
  );
});

test('fails when `output` returns a promise', async () => {
  const flow = createFlow('late')
    .task('a', { perform: () => 1 })
    .output(() => Promise.reject(new Error('unseen')));
  const view = await (await flow.start()).settled();
  assert.equal([view.status, view.cause], ['failed', 'output']);
  assert.match(String(view.reason), /`output` of flow `late` returned a promise/);
});

test('blames a task that counts, not an optional one that failed before it', async () => {
  const flow = createFlow('blame')
    .task('sms', {
      optional: true,
      perform: () => {
        throw new Error('sms');
      },
    })
    .task('mail', {
      dependsOn: ['sms'],
      triggerRule: 'all_settled',
      perform: () => {
        throw new Error('mail');
      },
    });
  const error = (await flow.run().catch((failure: unknown) => failure)) as RunFailedError & { cause: Error };
  assert.equal([error.cause.message, error.failures.map(({ taskId }) => taskId)], ['mail', ['mail']]);
});

test('shows a body its dependencies as they were when it started', async () => {
  const { clock, engine } = virtualEngine();
  const flow = createFlow('early')
    .task('fast', { perform: () => 'fast' })
    .task('slow', { perform: () => clock.sleep(10).then(() => 'slow') })
    .task('first', {
      dependsOn: ['fast', 'slow'],
      triggerRule: 'one_success',
      perform: async (scope) => {
        await clock.sleep(20);
        return [{ ...scope.deps }, scope.outcomes.slow.status];
      },
    });
  const view = await clock.run((await engine.start(flow)).settled());
  assert.equal(view.tasks.first?.output, [{ fast: 'fast' }, 'running']);
});

test('has keys of its own, whatever stands in ids', async () => {
  const { clock, engine } = virtualEngine();
  const key = ({ idempotencyKey }: { idempotencyKey: string }) => idempotencyKey;
  const flow = createFlow('keys').task('a', { perform: key }).task('b/a', { perform: key });
  const views = await Promise.all(
    ['r', 'r%2Fb', 'r%'].map(async (id) =>
      clock.run((await engine.start(flow, undefined, { id })).settled()),
    ),
  );
  const keys = views.flatMap(({ tasks }) => Object.values(tasks).map(({ output }) => output));
  assert.equal(keys, ['r/a', 'r/b%2Fa', 'r%2Fb/a', 'r%2Fb/b%2Fa', 'r%/a', 'r%/b%2Fa']);
});

test('keeps what happened before it tells of it, and before a dependent starts', async () => {
  const store = createMemoryStore();
  const { clock, engine } = virtualEngine({ store });
  const kept = (): string[] => store.read('r').map(({ type }) => type);
  const flow = createFlow('order')
    .task('a', { perform: () => 1 })
    .task('b', { dependsOn: ['a'], perform: () => kept().includes('task.done') });
  const run = await engine.start(flow, undefined, { id: 'r' });
  const told: boolean[] = [];
  run.on('*', ({ seq }) => told.push(store.read('r').length >= seq));
  const view = await clock.run(run.settled());
  assert.is(view.tasks.b?.output, true);
  assert.ok(told.length > 3 && told.every(Boolean));
});

test('causes no unhandledRejection, whatever is left unawaited', async () => {
  const unhandled: unknown[] = [];
  const listen = (error: unknown): void => {
    unhandled.push(error);
  };
  process.on('unhandledRejection', listen);
  const failing = createFlow('loose', { input: z.string() }).task('a', {
    retry: { maxAttempts: 2, backoff: (() => Promise.reject(new Error('backoff'))) as never },
    perform: () => Promise.reject(new Error('a')),
  });
  void failing.run('x');
  void failing.start(1 as never);
  const run = await failing.start('x');
  void run.settled();
  void run.outputs();
  const held = createFlow('held').task('a', { perform: never });
  const { engine } = virtualEngine();
  void engine.start(held, undefined, { concurrency: 0 });
  const stopped = await engine.start(held);
  void stopped.settled();
  void stopped.outputs();
  await engine.stop();
  void engine.start(held);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', listen);
  assert.equal(unhandled, []);
});

test('leaves the event loop its turns, however long tasks go on without waiting', async () => {
  const tasks = new Map(
    Array.from({ length: 20_000 }, (_, i) => [`${i}`, { dependsOn: i === 0 ? [] : [`${i - 1}`] }]),
  );
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await createFlowFromGraph({ tasks }, async () => 1).run();
  isOver = true;
  assert.ok(turns > 3, `the event loop had ${turns} turns`);
});

test('ends with its last task: a cancel that comes after changes nothing', async () => {
  for (const hasActor of [false, true]) {
    const { clock, engine } = virtualEngine();
    let run: Run<number> | undefined;
    const flow = createFlow('last')
      .task('a', { perform: () => 1 })
      .output(({ deps }): number => {
        run?.cancel('as the output is made');
        return deps.a + 1;
      });
    run = await engine.start(flow, undefined, { id: 'r' });
    if (hasActor) run.actor.subscribe(() => {});
    const seen: string[] = [];
    run.on('task.done', () => run.cancel('by a listener'));
    run.on('*', ({ type }) => seen.push(type));
    const view = await clock.run(run.settled());
    assert.equal([view.status, view.reason], ['done', undefined]);
    assert.equal(seen, ['task.started', 'task.done', 'run.done']);
    assert.is(await run.outputs(), 2);
    run.cancel('afterwards');
    assert.is(run.view().status, 'done');
  }
});

test('ends in one append with its last task', async () => {
  const store = createMemoryStore();
  const appended: string[][] = [];
  const append: typeof store.append = (given) => {
    appended.push(given.entries.map(({ type }) => type));
    store.append(given);
  };
  const { clock, engine } = virtualEngine({ store: storeOver(store, { append }) });
  const flow = createFlow('last').task('a', { perform: () => clock.sleep(1) });
  const run = await engine.start(flow);
  await clock.run(run.settled());
  assert.equal(appended, [['run.started', 'task.ready'], ['task.started'], ['task.done', 'run.done']]);
});

test('is cancelled and awaited when it is disposed', async () => {
  const flow = createFlow('using').task('a', { graceMs: 0, perform: never });
  let view: ReturnType<Awaited<ReturnType<typeof flow.start>>['view']> | undefined;
  {
    await using run = await flow.start();
    run.on('run.cancelled', () => {
      view = run.view();
    });
  }
  assert.equal([view?.status, view?.reason], ['cancelled', 'disposed']);
});

const oddIds = [
  '',
  ...['__proto__', 'hasOwnProperty', 'constructor', 'toString', '0', '1'],
  ...['🦀', 'a b/c', 'two\nlines', '\0', '\ud800', '\udfff', 'x'.repeat(10_000)],
];

for (const isInspected of [false, true]) {
  test(`takes any string as an id${isInspected ? ', inspected' : ''}`, async () => {
    const store = createMemoryStore();
    const inspect = isInspected ? () => {} : undefined;
    const first = virtualEngine({ store, inspect });
    let flow = createFlow('odd') as ReturnType<typeof createFlow>;
    for (const id of oddIds) flow = flow.task(id, { perform: () => id }) as never;
    const perform = ({ deps, outcomes }: { deps: object; outcomes: object }) =>
      [deps, outcomes].map(Object.keys);
    const all = flow
      .task('long', { perform: () => first.clock.sleep(100) })
      .task('last', { dependsOn: [...oddIds, 'long'] as never, perform });
    const run = await first.engine.start(all, undefined, { id: 'r' });
    await first.clock.advance(1);
    const ready = store.read('r').flatMap((entry) => (entry.type === 'task.ready' ? [entry.taskId] : []));
    assert.equal(ready, [...oddIds, 'long']);
    assert.equal(Object.keys(run.view().tasks).sort(), [...oddIds, 'long', 'last'].sort());
    assert.is(run.actor.system.get('r/long' as never)?.id, 'long');
    await first.engine.stop();

    const second = virtualEngine({ store: copyOf(store), inspect });
    const [taken] = await second.engine.recover([all.provide({ long: { perform: () => 'long' } } as never)]);
    const view = await second.clock.run((taken as Run).settled());
    const outputs = (await taken?.outputs()) as Record<string, unknown>;
    for (const id of oddIds) {
      const { status, output } = (Object.hasOwn(view.tasks, id) && view.tasks[id]) as TaskView;
      assert.equal([status, output, Object.hasOwn(outputs, id), outputs[id]], ['done', id, true, id]);
    }
    const keys = [...oddIds, 'long'].sort();
    assert.equal(
      (outputs.last as string[][]).map((list) => list.sort()),
      [keys, keys],
    );
    assert.is(Object.getPrototypeOf(view.tasks), Object.prototype);
    taken?.rerun(['']);
    const again = await second.clock.run((taken as Run).settled());
    const rerun = (await second.engine.run('r')) === taken && taken?.view().tasks;
    assert.equal([again.status, Object.keys(rerun as object).length], ['done', keys.length + 1]);
  });
}

/** The same entries, as a store that writes JSON gives them back. */
function copyOf(store: ReturnType<typeof createMemoryStore>) {
  const copy = createMemoryStore();
  for (const { id } of store.list()) append(copy, id, JSON.parse(JSON.stringify(store.read(id))), 0);
  return copy;
}
