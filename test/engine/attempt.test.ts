import {
  CancelledError,
  createFlow,
  FatalError,
  type PerformScope,
  RetryAfterError,
  SkipTask,
  type TaskSettings,
  TimeoutError,
} from 'topple';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { spec } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('attempt');

/** Runs one task, `task`, and gives its view. */
async function attemptOf(options: TaskSettings & { readonly perform: (scope: PerformScope) => unknown }) {
  const { clock, engine } = virtualEngine();
  const flow = createFlow('one').task('task', options as { perform: () => unknown });
  const run = await engine.start(flow, undefined);
  return (await clock.run(run.settled())).tasks.task;
}

const nasty: [string, unknown, string][] = [
  ['undefined', undefined, 'A value that is not an error was thrown: undefined'],
  ['null', null, 'A value that is not an error was thrown: null'],
  ['a number', 42, 'A value that is not an error was thrown: 42'],
  ['a string', 'oops', 'A value that is not an error was thrown: oops'],
  ['a symbol', Symbol('s'), 'A value that is not an error was thrown: Symbol(s)'],
  ['a bigint', 10n, 'A value that is not an error was thrown: 10'],
  ['an object', { code: 7 }, 'A value that is not an error was thrown: {"code":7}'],
  ['a frozen error', Object.freeze(new Error('cold')), 'cold'],
  ['an error whose message throws', withThrowingMessage(), 'The error could not be read'],
  ['a revoked proxy', revokedProxy(), 'A value that is not an error was thrown: an unreadable object'],
  ['an object without a prototype', Object.create(null), 'A value that is not an error was thrown: {}'],
  ['a circular object', circular(), 'A value that is not an error was thrown: an unreadable object'],
];

for (const [what, thrown, message] of nasty) {
  test(`fails readably when the body throws ${what}`, async () => {
    for (const perform of [
      () => {
        throw thrown;
      },
      () => Promise.reject(thrown),
    ]) {
      const task = await attemptOf({ perform });
      assert.is(task?.status, 'failed');
      assert.is(task?.cause, 'exhausted');
      assert.is(task?.error?.message, message);
    }
  });
}

test('fails when a returned thenable throws, or rejects late', async () => {
  const throwing = {
    then: () => {
      throw new Error('no then');
    },
  };
  const getter = Object.defineProperty({}, 'then', {
    get: () => {
      throw new Error('no getter');
    },
  });
  const twice = {
    then: (resolve: (value: string) => void, reject: (error: Error) => void) => {
      resolve('first');
      reject(new Error('second'));
      resolve('third');
    },
  };
  assert.is((await attemptOf({ perform: () => throwing }))?.error?.message, 'no then');
  assert.is((await attemptOf({ perform: () => getter }))?.error?.message, 'no getter');
  assert.is((await attemptOf({ perform: () => twice }))?.output, 'first');
});

test('gives what a body returns at once, or later', async () => {
  assert.is((await attemptOf({ perform: () => 7 }))?.output, 7);
  assert.is((await attemptOf({ perform: async () => 8 }))?.output, 8);
  const nothing = await attemptOf({ perform: () => undefined });
  assert.equal([nothing?.status, nothing?.output], ['done', undefined]);
});

test('skips the task when the body throws SkipTask', async () => {
  const task = await attemptOf({
    skippable: true,
    perform: () => {
      throw new SkipTask('nothing new');
    },
  });
  assert.equal(
    [task?.status, task?.attempts, task?.cause, task?.error],
    ['skipped', 1, undefined, undefined],
  );
});

test('retries until an attempt is done, with the waits of the policy', async () => {
  const starts: number[] = [];
  const { clock, engine } = virtualEngine();
  const flow = createFlow('retry').task('task', {
    retry: { maxAttempts: 4, backoff: ({ attempt }) => attempt * 100 },
    perform: ({ attempt }) => {
      starts.push(clock.now());
      if (attempt < 3) throw new Error(`attempt ${attempt}`);
      return attempt;
    },
  });
  const run = await engine.start(flow);
  const events: unknown[] = [];
  run.on('task.retrying', ({ at, attempt, retryAt, error }) =>
    events.push([at, attempt, retryAt, error.message]),
  );
  const view = await clock.run(run.settled());
  assert.equal(starts, [0, 100, 300]);
  assert.equal(events, [
    [0, 1, 100, 'attempt 1'],
    [100, 2, 300, 'attempt 2'],
  ]);
  assert.equal(view.tasks.task, {
    status: 'done',
    attempts: 3,
    dependsOn: [],
    readyAt: 0,
    startedAt: 0,
    endedAt: 300,
    output: 3,
  });
});

test('makes maxAttempts attempts in all, and keeps the last error', async () => {
  let calls = 0;
  const task = await attemptOf({
    retry: { maxAttempts: 5, backoff: 1 },
    perform: () => {
      throw new Error(`call ${++calls}`);
    },
  });
  assert.equal([calls, task?.attempts, task?.cause, task?.error?.message], [5, 5, 'exhausted', 'call 5']);
});

test('does not retry a FatalError, nor what retryIf refuses', async () => {
  const fatal = await attemptOf({
    retry: { maxAttempts: 5 },
    perform: () => {
      throw new FatalError('no such number');
    },
  });
  assert.equal([fatal?.attempts, fatal?.cause, fatal?.error?.name], [1, 'fatal', 'FatalError']);
  const refused = await attemptOf({
    retry: { maxAttempts: 5, retryIf: () => false },
    perform: () => {
      throw new Error('bounce');
    },
  });
  assert.equal([refused?.attempts, refused?.cause], [1, 'fatal']);
});

test('waits as a RetryAfterError says', async () => {
  const task = await attemptOf({
    retry: { maxAttempts: 2, backoff: 5 },
    perform: ({ attempt }) => {
      if (attempt === 1) throw new RetryAfterError(1_234);
    },
  });
  assert.equal([task?.status, task?.endedAt], ['done', 1_234]);
});

test('ends an attempt at its time-out, and retries it', async () => {
  const reasons: unknown[] = [];
  const task = await attemptOf({
    timeoutMs: 100,
    retry: { maxAttempts: 2, backoff: 50 },
    perform: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reasons.push(signal.reason);
          reject(signal.reason);
        });
      }),
  });
  assert.equal([task?.status, task?.cause, task?.attempts, task?.endedAt], ['failed', 'timeout', 2, 250]);
  assert.instance(reasons[0], TimeoutError);
  assert.is(task?.error?.message, 'Attempt 2 of task `task` took longer than its `timeoutMs` of 100 ms');
});

test('gives a body that ignores its signal up after the grace', async () => {
  const task = await attemptOf({ timeoutMs: 100, graceMs: 40, perform: () => new Promise(() => {}) });
  assert.equal([task?.status, task?.cause, task?.endedAt], ['failed', 'timeout', 140]);
});

test('gives it up after the grace of its flow where it has none, and after 5 s where neither has', async () => {
  const endOf = async (ofFlow: number | undefined, ofTask: number | undefined) => {
    const { clock, engine } = virtualEngine();
    const perform = () => new Promise<never>(() => {});
    const flow = createFlow('slow', { graceMs: ofFlow }).task('task', {
      timeoutMs: 100,
      graceMs: ofTask,
      perform,
    });
    const run = await engine.start(flow);
    return (await clock.run(run.settled())).tasks.task?.endedAt;
  };
  assert.equal(
    [await endOf(30, 40), await endOf(30, undefined), await endOf(undefined, undefined)],
    [140, 130, 5_100],
  );
});

test('ignores reports that come after an attempt was ended', async () => {
  const { clock, engine } = virtualEngine();
  const flow = createFlow('late').task('task', {
    timeoutMs: 100,
    graceMs: 1_000,
    perform: async () => {
      await clock.sleep(150);
      return 'too late';
    },
  });
  const run = await engine.start(flow);
  const view = await clock.run(run.settled());
  assert.equal(
    [view.tasks.task?.status, view.tasks.task?.endedAt, view.tasks.task?.output],
    ['failed', 150, undefined],
  );
});

test('bounds all attempts and waits of a task by totalTimeoutMs', async () => {
  const waiting = await attemptOf({
    totalTimeoutMs: 250,
    retry: { maxAttempts: 10, backoff: 100 },
    perform: () => {
      throw new Error('again');
    },
  });
  assert.equal(
    [waiting?.status, waiting?.cause, waiting?.attempts, waiting?.endedAt],
    ['failed', 'timeout', 3, 250],
  );
  const running = await attemptOf({
    totalTimeoutMs: 250,
    graceMs: 10,
    retry: { maxAttempts: 10, backoff: 100 },
    perform: () => new Promise(() => {}),
  });
  assert.equal(
    [running?.status, running?.cause, running?.attempts, running?.endedAt],
    ['failed', 'timeout', 1, 260],
  );
});

test('checks the output, and passes on what the schema makes of it', async () => {
  const { clock, engine } = virtualEngine();
  const flow = createFlow('schema')
    .task('number', { output: z.coerce.number(), perform: () => '42' })
    .task('late', { output: z.string().refine(async (text) => text.length > 2), perform: () => 'no' })
    .task('sum', { dependsOn: ['number'], perform: ({ deps }) => deps.number + 1 });
  const run = await engine.start(flow);
  const { tasks } = await clock.run(run.settled());
  assert.equal([tasks.number?.output, tasks.sum?.output], [42, 43]);
  assert.equal(
    [tasks.late?.status, tasks.late?.cause, tasks.late?.error?.name],
    ['failed', 'output', 'OutputError'],
  );
});

test('reports progress, and none after the attempt has ended', async () => {
  const { clock, engine } = virtualEngine();
  let late = (_: number): void => {};
  const flow = createFlow('progress').task('task', {
    perform: async ({ progress, log }) => {
      late = progress;
      log('started');
      progress(0.5, 'half');
      await clock.sleep(10);
      progress(7);
      progress(Number.NaN);
    },
  });
  const run = await engine.start(flow);
  const seen: unknown[] = [];
  run.on('task.progress', ({ at, fraction, note, attempt }) => seen.push([at, fraction, note, attempt]));
  await clock.run(run.settled());
  late(1);
  assert.equal(seen.slice(-2), [
    [10, 1, undefined, 1],
    [10, 0, undefined, 1],
  ]);
});

test('gives a body its scope, with the same key for all attempts', async () => {
  const { clock, engine } = virtualEngine();
  const keys: string[] = [];
  const flow = createFlow('scope').task('a/b', {
    retry: { maxAttempts: 2, backoff: 0 },
    perform: ({ runId, taskId, attempt, idempotencyKey, input, deps, outcomes, signal }) => {
      keys.push(idempotencyKey);
      if (attempt === 1) throw new Error('again');
      return { runId, taskId, attempt, input, deps, outcomes, aborted: signal.aborted };
    },
  });
  const run = await engine.start(flow, { email: 'ada@example.org' }, { id: 'r1' });
  const view = await clock.run(run.settled());
  assert.equal(keys, ['r1/a%2Fb', 'r1/a%2Fb']);
  assert.equal(view.tasks['a/b']?.output, {
    runId: 'r1',
    taskId: 'a/b',
    attempt: 2,
    input: { email: 'ada@example.org' },
    deps: {},
    outcomes: {},
    aborted: false,
  });
});

test('gives an aborted signal to a body that asks for it late', async () => {
  const { clock, engine } = virtualEngine();
  let reason: unknown;
  const flow = createFlow('late-signal').task('task', {
    perform: async (scope) => {
      await clock.sleep(50);
      reason = scope.signal.reason;
    },
  });
  const run = await engine.start(flow);
  await clock.advance(10);
  run.cancel('enough');
  await clock.run(run.settled());
  assert.instance(reason, CancelledError);
  assert.is((reason as CancelledError).reason, 'enough');
});

function withThrowingMessage(): Error {
  return Object.defineProperty(new Error(), 'message', {
    get: () => {
      throw new Error('inner');
    },
  });
}

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function circular(): object {
  const self: Record<string, unknown> = {};
  self.self = self;
  return self;
}
