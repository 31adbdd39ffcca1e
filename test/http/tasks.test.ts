import { createEngine, createFlow, FlowError } from 'topple';
import {
  ArgumentsError,
  type BackgroundOptions,
  BusyError,
  createBackground,
  createTask,
  type RouteOptions,
  taskScope,
} from 'topple/http';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { fromPromise } from 'xstate';
import { z } from 'zod';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';

const test = spec('background tasks');

function open(options: BackgroundOptions = {}, route?: RouteOptions) {
  const clock = createVirtualClock();
  const background = createBackground({ clock, logger: silent, ...options });
  const delivery = background.open(route);
  const { tasks } = delivery;
  /** Sends the response, and waits until everything is done. */
  const send = async (): Promise<void> => {
    delivery.handled();
    delivery.finished();
    await clock.run(delivery.settled());
  };
  return { clock, background, delivery, tasks, send };
}

test('are named for their functions, with a number where a name is taken', () => {
  const { tasks } = open();
  function mail(): void {}
  for (const perform of [mail, mail, () => {}, mail]) tasks.add(perform);
  tasks.add(Object.defineProperty(() => {}, 'name', { value: 5 }));
  assert.equal(tasks.order(), ['mail', 'mail-2', 'task', 'mail-3', 'task-2']);
});

test('of one name find a free number at once, however many there are, and past ids that were given', () => {
  const { tasks } = open();
  tasks.task('mail-3', { perform: () => {} });
  const mail = (): void => {};
  const began = performance.now();
  const ids = Array.from({ length: 30_000 }, () => tasks.add(mail).id);
  assert.equal(ids.slice(0, 4), ['mail', 'mail-2', 'mail-4', 'mail-5']);
  assert.is(ids.at(-1), 'mail-30001');
  // Where each looks from the first number on, it takes 20 s.
  assert.ok(performance.now() - began < 5_000);
});

test('keep list and tasks beside it apart', async () => {
  const { tasks, clock, send } = open();
  const at: [string, number][] = [];
  const note = async (name: string, ms: number): Promise<void> => {
    await clock.sleep(ms);
    at.push([name, clock.now()]);
  };
  tasks.add(note, 'first', 100);
  tasks.task('beside', { perform: () => note('beside', 20) });
  const last = tasks.add(note, 'second', 100);
  tasks.task('after', { dependsOn: [last], perform: () => note('after', 5) });
  await send();
  assert.equal(at, [
    ['beside', 20],
    ['first', 100],
    ['second', 200],
    ['after', 205],
  ]);
});

test('refuse bad ids, duplicates, bodies and options where they are added', () => {
  const { tasks } = open();
  tasks.task('a', { perform: () => 1 });
  const refused: [RegExp, () => unknown][] = [
    [/There are two tasks `a` in flow `background`/, () => tasks.task('a', { perform: () => 1 })],
    [/`id` of `tasks.task` must be a string/, () => tasks.task(1 as never, { perform: () => 1 })],
    [/needs a body/, () => tasks.task('b', {} as never)],
    [
      /does not take `dependOn`. Did you mean `dependsOn`\?/,
      () => tasks.task('b', { dependOn: [] } as never),
    ],
    [/`dependsOn` of task `b`/, () => tasks.task('b', { dependsOn: 'a', perform: () => 1 } as never)],
    [/cycle: b → b/, () => tasks.task('b', { dependsOn: ['b'], perform: () => 1 })],
    [/`function` of `tasks.add` must be a function/, () => tasks.add('mail' as never)],
    [/does its work when it is called; wrap a generator/, () => tasks.add(function* () {})],
    [/does its work when it is called; wrap a generator/, () => tasks.add(async function* () {})],
    [/`perform` of `createTask\('a'\)`.* generator/, () => createTask('a', { *perform() {} })],
  ];
  for (const [pattern, add] of refused) assert.throws(add, pattern);
  // What was refused is not there.
  assert.equal(tasks.order(), ['a']);
});

test('name a circle of any length by its path, when it closes', () => {
  const { tasks } = open();
  for (let i = 0; i < 1_000; i++) tasks.task(`t${i}`, { dependsOn: [`t${i + 1}`], perform: () => 1 });
  assert.throws(
    () => tasks.task('t1000', { dependsOn: ['t0'], perform: () => 1 }),
    (error: unknown) => error instanceof FlowError && error.code === 'cycle' && error.path?.length === 1_002,
  );
  assert.throws(() => tasks.order(), /Task `t999` depends on `t1000`, which is not/);
});

test('allow no dependency that is still to come once the response has gone', async () => {
  const { tasks, send } = open();
  let refused: unknown;
  tasks.add(() => {
    try {
      tasks.task('late', { dependsOn: ['later'], perform: () => 1 });
    } catch (error) {
      refused = error;
    }
  });
  await send();
  assert.match(String(refused), /Task `late` depends on `later`, which is not in flow `background`/);
});

test('run actors as bodies', async () => {
  const { tasks, background, send } = open();
  const double = fromPromise(async ({ input }: { input: number }) => input * 2);
  const one = tasks.task('one', { perform: () => 1 });
  tasks.task('two', { dependsOn: [one], actor: double, input: ({ deps }) => deps.one });
  await send();
  assert.is((await background.engine.run(tasks.runId))?.view().tasks.two?.output, 2);
});

test('that are made by createTask have checked arguments, retries and limits', async () => {
  const { tasks, send } = open();
  const attempts: unknown[] = [];
  const mail = createTask('mail', {
    args: z.tuple([z.email(), z.string().default('hello')]),
    retry: { maxAttempts: 3, backoff: 1_000 },
    perform: (to, words) => {
      attempts.push([to, words, taskScope()?.attempt]);
      if (attempts.length < 3) throw new Error('greylisted');
    },
  });
  tasks.add(mail, 'ada@example.org');
  await send();
  assert.equal(attempts, [
    ['ada@example.org', 'hello', 1],
    ['ada@example.org', 'hello', 2],
    ['ada@example.org', 'hello', 3],
  ]);
  assert.throws(
    () => tasks.add(mail, 'nobody'),
    (error: unknown) =>
      error instanceof ArgumentsError && error.taskId === 'mail' && error.issues[0]?.path[0] === 0,
  );
  assert.throws(() => mail('nobody'), /Arguments of background task `mail` are not valid: 0: /);
});

test('refuse a schema that does not answer at once, and options that will not do', () => {
  const { tasks } = open();
  const slow = createTask('slow', {
    args: z.tuple([z.string().refine(async () => true)]),
    perform: (text: string) => text,
  });
  assert.throws(() => tasks.add(slow, 'a'), /`args` of `createTask\('slow'\)` must be a synchronous schema/);
  assert.throws(() => createTask('a', { perform: () => 1, retrys: 1 } as never), /does not take `retrys`/);
  assert.throws(() => createTask('a', { perform: () => 1, args: {} } as never), /a Standard Schema/);
  assert.throws(() => createTask('a', { perform: () => 1, retry: { maxAttempts: 0 } }), /maxAttempts/);
  assert.throws(() => createTask(1 as never, { perform: () => 1 }), /`id` of `createTask`/);
});

test('know their attempt from inside', async () => {
  const { tasks, send } = open();
  let key: string | undefined;
  tasks.add(function mail() {
    key = taskScope()?.idempotencyKey;
  });
  assert.is(taskScope(), undefined);
  await send();
  assert.is(key, `${tasks.runId}/mail`);
});

test('count against maxPending from the first that is added until the last has settled', async () => {
  const { tasks, background, send } = open({ maxPending: 1 });
  const other = background.open().tasks;
  tasks.reserve();
  tasks.add(() => {});
  assert.throws(
    () => other.add(() => {}),
    (error: unknown) => error instanceof BusyError && error.why === 'full' && error.statusCode === 503,
  );
  const flow = createFlow('flow').task('a', { perform: () => 1 });
  const refused = await other.start(flow).catch((error) => error);
  assert.instance(refused, BusyError);
  await send();
  assert.is(background.pending, 0);
  other.add(() => {});
  assert.is(background.pending, 1);
});

test('of a response that is dropped leave no trace, whatever their handler still adds', async () => {
  const { tasks, background, delivery, clock } = open();
  const ran: string[] = [];
  const flow = createFlow('flow').task('a', { perform: () => ran.push('flow') });
  tasks.add(() => ran.push('before'));
  delivery.threw(new Error('no luck'));
  tasks.add(() => ran.push('after'));
  const run = await clock.run(tasks.start(flow));
  await clock.run(run.settled());
  delivery.finished();
  await clock.run(delivery.settled());
  assert.equal([ran, background.pending, run.view().status], [[], 0, 'cancelled']);
});

for (const onDisconnect of ['run', 'discard'] as const) {
  test(`may name one another though the client has hung up, where onDisconnect is ${onDisconnect}`, async () => {
    const { tasks, delivery, clock } = open({ onDisconnect });
    const ran: string[] = [];
    tasks.task('before', { perform: () => ran.push('before') });
    delivery.disconnected();
    tasks.task('a', { dependsOn: ['b', 'before'], perform: () => ran.push('a') });
    tasks.task('b', { perform: () => ran.push('b') });
    assert.equal(tasks.order(), ['before', 'b', 'a']);
    delivery.handled();
    await clock.run(delivery.settled());
    assert.equal(ran, onDisconnect === 'run' ? ['before', 'b', 'a'] : []);
  });
}

test('that a handler adds after its response run at once', async () => {
  const { tasks, delivery, clock } = open();
  const ran: string[] = [];
  delivery.finished();
  tasks.add(() => ran.push('one'));
  tasks.add(() => ran.push('two'));
  await clock.run(delivery.settled());
  assert.equal(ran, ['one', 'two']);
  delivery.handled();
});

test('run so many at a time as engine and route say', async () => {
  const clock = createVirtualClock();
  const engine = createEngine({ clock, concurrency: 3, pools: { mail: 1 } });
  const background = createBackground({ engine, clock });
  let now = { all: 0, mail: 0 };
  const most = { all: 0, mail: 0 };
  const work = (isMail: boolean) => async (): Promise<void> => {
    now = { all: now.all + 1, mail: now.mail + (isMail ? 1 : 0) };
    most.all = Math.max(most.all, now.all);
    most.mail = Math.max(most.mail, now.mail);
    await clock.sleep(10);
    now = { all: now.all - 1, mail: now.mail - (isMail ? 1 : 0) };
  };
  for (let i = 0; i < 10; i++) {
    const isMail = i % 2 === 0;
    const delivery = background.open(isMail ? { pool: 'mail' } : {});
    delivery.tasks.task('work', { perform: work(isMail) });
    delivery.handled();
    delivery.finished();
  }
  await clock.run(background.drain());
  assert.equal(most, { all: 3, mail: 1 });
});

test('refuse options that will not do', () => {
  const background = createBackground();
  const refused: [RegExp, () => unknown][] = [
    [
      /does not take `maxPendings`. Did you mean `maxPending`\?/,
      () => createBackground({ maxPendings: 1 } as never),
    ],
    [
      /`maxPending` of `createBackground` must be an integer of at least 1/,
      () => createBackground({ maxPending: 0 }),
    ],
    [
      /`stallTimeoutMs` of `createBackground` must be a number of at least 1/,
      () => createBackground({ stallTimeoutMs: 0 }),
    ],
    [
      /`onError` of `createBackground` must be `continue` or `stop`/,
      () => createBackground({ onError: 'halt' } as never),
    ],
    [
      /`onDisconnect` of `withTasks` must be `run` or `discard`/,
      () => background.open({ onDisconnect: 'stop' } as never),
    ],
    [/`name` of `withTasks`/, () => background.open({ name: '' })],
    [
      /`concurrency` of `createBackground` must be left to `createEngine`/,
      () => createBackground({ engine: createEngine(), concurrency: 3 }),
    ],
  ];
  for (const [pattern, make] of refused) assert.throws(make, pattern);
});

test('cancel what follows where somebody cancels their run', async () => {
  const { tasks, background, clock, delivery } = open();
  const ran: string[] = [];
  tasks.task('first', {
    perform: async ({ signal }) => {
      tasks.add(() => ran.push('follows'));
      await clock.sleep(1_000, signal);
    },
  });
  delivery.handled();
  delivery.finished();
  await clock.advance(10);
  (await background.engine.run(tasks.runId))?.cancel('enough');
  await clock.run(delivery.settled());
  assert.equal([ran, background.pending], [[], 0]);
});

test('have one line in the log for what somebody gave as a reason, whatever that is', async () => {
  const lines: string[] = [];
  const { error, info } = silent;
  const logger = { error, info, warn: (line: string) => void lines.push(line) };
  const { tasks, background, clock, delivery } = open({ logger });
  tasks.task('slow', { perform: ({ signal }) => clock.sleep(1_000, signal) });
  delivery.handled();
  delivery.finished();
  await clock.advance(10);
  (await background.engine.run(tasks.runId))?.cancel('enough\r\nERROR all is lost\u2028\u001b[2J');
  await clock.run(delivery.settled());
  assert.equal(lines, [
    `Background run ${tasks.runId} of \`background\` was cancelled: enough ERROR all is lost [2J`,
  ]);
});
