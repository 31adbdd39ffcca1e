import { createEngine, createFlow, createMemoryStore } from 'topple';
import { type BackgroundOptions, BusyError, createBackground } from 'topple/http';
import { drainOn } from 'topple/http/node';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { storeOver } from '../support/stores.ts';
import { silent } from '../support/virtual.ts';

const test = spec('drain');

function virtualBackground(options: BackgroundOptions = {}) {
  const clock = createVirtualClock();
  return { clock, background: createBackground({ clock, logger: silent, ...options }) };
}

/** The tasks of a response that is sent when `send` is called. */
function request(background: ReturnType<typeof createBackground>) {
  const delivery = background.open();
  const send = (): void => {
    delivery.handled();
    delivery.finished();
  };
  return { tasks: delivery.tasks, send, delivery };
}

test('is not held up by a logger that throws', async () => {
  const broken = (): never => {
    throw new Error('no disk');
  };
  const { clock, background } = virtualBackground({ logger: { error: broken, warn: broken, info: broken } });
  const { tasks, send } = request(background);
  tasks.add(() => Promise.reject(new Error('failed')));
  send();
  assert.equal(await clock.run(background.drain()), { settled: 1, leftovers: [] });
  assert.is(background.pending, 0);
});

test('lets what fits into the grace be done, and tells the rest by its ids', async () => {
  const { clock, background } = virtualBackground();
  const ran: string[] = [];
  const work = async (name: string, ms: number): Promise<void> => {
    await clock.sleep(ms);
    ran.push(name);
  };
  const fits = request(background);
  fits.tasks.add(work, 'a', 400);
  fits.tasks.add(work, 'b', 500);
  fits.send();
  const doesNot = request(background);
  doesNot.tasks.task('quick', { perform: () => work('quick', 100) });
  doesNot.tasks.task('slow', { perform: ({ signal }) => clock.sleep(5_000, signal) });
  doesNot.tasks.task('after', { dependsOn: ['slow'], perform: () => ran.push('after') });
  doesNot.send();
  const report = await clock.run(background.drain({ graceMs: 1_000, reason: 'the test ends' }));
  const { runId } = doesNot.tasks;
  assert.equal(report, {
    settled: 1,
    leftovers: [{ runId, flow: 'background', tasks: ['slow', 'after'], became: 'cancelled' }],
  });
  assert.equal(ran, ['quick', 'a', 'b']);
});

test('gives what is cancelled its reason, and waits for bodies that heed it', async () => {
  const { clock, background } = virtualBackground();
  const flow = createFlow('slow').task('body', {
    perform: async ({ signal }) => {
      await clock.sleep(60_000, signal).catch(() => {});
      await clock.sleep(300);
    },
  });
  const { tasks, send } = request(background);
  const run = await clock.run(tasks.start(flow));
  send();
  await clock.advance(10);
  const report = await clock.run(background.drain({ graceMs: 100, reason: 'the test ends' }));
  assert.equal(
    report.leftovers.map(({ tasks, became }) => [tasks, became]),
    [[['body'], 'cancelled']],
  );
  const { status, reason } = run.view();
  assert.equal([status, reason], ['cancelled', 'the test ends']);
  assert.is(clock.now(), 410);
});

test('reports work whose response was never sent', async () => {
  const { clock, background } = virtualBackground();
  const { tasks, delivery } = request(background);
  tasks.add(function never() {});
  const { leftovers } = await clock.run(background.drain({ graceMs: 100 }));
  assert.equal(leftovers, [
    { runId: tasks.runId, flow: 'background', tasks: ['never'], became: 'cancelled' },
  ]);
  // The handler goes on, and gets to know.
  assert.throws(
    () => tasks.add(() => {}),
    (error: unknown) => error instanceof BusyError && error.why === 'stopping',
  );
  delivery.handled();
  delivery.finished();
  assert.is(background.pending, 0);
});

test('does not go on with what a cancelled task had added', async () => {
  const { clock, background } = virtualBackground();
  const ran: string[] = [];
  const { tasks, send } = request(background);
  tasks.task('first', {
    perform: async ({ signal }) => {
      tasks.add(() => ran.push('follows'));
      await clock.sleep(5_000, signal);
    },
  });
  send();
  await clock.advance(10);
  assert.is(background.pending, 2);
  const { leftovers } = await clock.run(background.drain({ graceMs: 100 }));
  assert.equal(
    leftovers.map(({ tasks }) => tasks),
    [['first'], ['task']],
  );
  assert.equal([ran, background.pending], [[], 0]);
});

test('keeps runs of flows for the next start, where the store does', async () => {
  const clock = createVirtualClock();
  const store = createMemoryStore();
  const flow = createFlow('signup')
    .task('account', { perform: () => 7 })
    .task('mail', {
      dependsOn: ['account'],
      perform: ({ deps, signal }) => clock.sleep(5_000, signal).then(() => `mail to ${deps.account}`),
    });
  const engine = createEngine({ store, clock, logger: silent });
  const { background } = virtualBackground({ engine, clock });
  const { tasks, send } = request(background);
  const run = await clock.run(tasks.start(flow));
  tasks.task('work', { perform: ({ signal }) => clock.sleep(9_000, signal) });
  send();
  await clock.advance(10);
  const { leftovers } = await clock.run(background.drain({ graceMs: 100, leftovers: 'keep' }));
  assert.equal(
    leftovers.map(({ flow, tasks, became }) => [flow, tasks, became]),
    [
      ['background', ['work'], 'cancelled'],
      ['signup', ['mail'], 'kept'],
    ],
  );
  const next = createEngine({ store, clock, logger: silent });
  const [taken] = await next.recover([flow]);
  assert.is(taken?.id, run.id);
  assert.equal(await clock.run(taken?.outputs() ?? Promise.reject()), { account: 7, mail: 'mail to 7' });
});

test('keeps them unasked where the store outlives the process, and cancels them where that is said', async () => {
  const flow = createFlow('slow').task('a', { perform: () => new Promise(() => {}), graceMs: 0 });
  const endOf = async (leftovers?: 'cancel') => {
    const clock = createVirtualClock();
    const store = storeOver(createMemoryStore(), { isDurable: true });
    const engine = createEngine({ store, clock, logger: silent });
    const { background } = virtualBackground({ engine, clock });
    const { tasks, send } = request(background);
    await clock.run(tasks.start(flow, undefined, { id: 'r' }));
    send();
    await clock.advance(10);
    const report = await clock.run(background.drain({ graceMs: 100, leftovers }));
    return [report.leftovers.map(({ became }) => became), (await store.list())[0]?.ending];
  };
  assert.equal(await endOf(), [['kept'], undefined]);
  assert.equal(await endOf('cancel'), [['cancelled'], 'cancelled']);
});

test('ends the grace when its signal says so', async () => {
  const { clock, background } = virtualBackground();
  const { tasks, send } = request(background);
  tasks.task('endless', { perform: ({ signal }) => clock.sleep(1e9, signal) });
  send();
  await clock.advance(10);
  const second = new AbortController();
  const draining = background.drain({ graceMs: 1e8, signal: second.signal });
  second.abort();
  assert.is((await clock.run(draining)).leftovers.length, 1);
  assert.ok(clock.now() < 1_000);
});

test('is one, however often it is asked for', async () => {
  const { background } = virtualBackground();
  assert.is(background.drain(), background.drain());
  await background.drain();
  assert.ok(background.isBusy);
  assert.throws(() => request(background).tasks.add(() => {}), /shutting down/);
});

test('leaves an engine running that it was given', async () => {
  const clock = createVirtualClock();
  const engine = createEngine({ clock });
  await createBackground({ engine, clock }).drain();
  const run = await engine.start(createFlow('later').task('a', { perform: () => 1 }));
  assert.equal(await clock.run(run.outputs()), { a: 1 });
});

test('waits for a run whose id another was refused for', async () => {
  const { clock, background } = virtualBackground();
  const flow = createFlow('slow').task('body', { perform: () => clock.sleep(500) });
  const first = request(background);
  const run = await clock.run(first.tasks.start(flow, undefined, { id: 'twice' }));
  first.send();
  const second = request(background);
  const refused = await clock.run(
    second.tasks.start(flow, undefined, { id: 'twice' }).catch((error) => error),
  );
  assert.match(refused.message, /twice already/);
  second.send();
  assert.is(background.pending, 1);
  assert.equal((await clock.run(background.drain())).settled, 1);
  assert.is(run.view().status, 'done');
});

test('is not spoilt by options that will not do', async () => {
  const { clock, background } = virtualBackground();
  const refused: object[] = [{ graceMs: -1 }, { signal: 'SIGTERM' }, { grace: 1 }];
  for (const options of refused) {
    const error = await background.drain(options).catch((error) => error);
    assert.is(error.name, 'FlowError');
  }
  assert.is(background.isBusy, false);
  assert.equal(await clock.run(background.drain()), { settled: 0, leftovers: [] });
});

test('on a signal refuses options that will not do at once, and leaves the third signal to end the process', async () => {
  const { clock, background } = virtualBackground();
  const before = process.listenerCount('SIGUSR2');
  const refused: object[] = [
    { graceMs: -1, close() {} },
    { close: undefined },
    { close() {}, signals: 'SIGTERM' },
  ];
  for (const options of refused) {
    const error = await drainOn(background, options as never).catch((error) => error);
    assert.is(error.name, 'FlowError');
  }
  const closed = Promise.withResolvers<void>();
  const report = drainOn(background, { signals: ['SIGUSR2'], close: () => closed.promise });
  assert.is(process.listenerCount('SIGUSR2'), before + 1);
  process.emit('SIGUSR2');
  process.emit('SIGUSR2');
  assert.is(process.listenerCount('SIGUSR2'), before);
  closed.resolve();
  await clock.run(report);
});
