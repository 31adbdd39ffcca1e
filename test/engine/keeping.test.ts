// A store that takes its time: how a run's entries get into it, and when `start` resolves.

import {
  createEngine,
  createFlow,
  createFlowFromGraph,
  createMemoryStore,
  FlowError,
  type Run,
  type Store,
} from 'topple';
import * as assert from 'uvu/assert';
import { type AnyActorRef, createActor, setup } from 'xstate';
import { EngineRuns } from '../../src/engine/engine.ts';
import { spec } from '../spec.ts';
import { bodiesByHand, lateEngine, lateStore, rest, watched } from '../support/late-store.ts';
import { storeOver } from '../support/stores.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('appends that take time');

test('has one append of a run under way: what is recorded meanwhile is the next', async () => {
  const { engine, store } = lateEngine();
  const { perform, end, calls } = bodiesByHand();
  const flow = createFlow('wide').task('a', { perform }).task('b', { perform }).task('c', { perform });
  const starting = engine.start(flow, undefined, { id: 'r' });
  await rest();
  assert.equal(
    store.flights.map(({ types }) => types),
    [['run.started', 'task.ready', 'task.ready', 'task.ready']],
  );
  await store.landOne();
  const run = await starting;
  assert.equal(calls, ['a', 'b', 'c']);
  assert.equal(
    store.flights.map(({ types }) => types),
    [['task.started', 'task.started', 'task.started']],
  );
  await end('b');
  await end('a');
  assert.is(store.flights.length, 1);
  await store.landOne();
  assert.equal(
    store.flights.map(({ given, types }) => [given.expectedSeq, given.seq, types]),
    [[7, 9, ['task.done', 'task.done']]],
  );
  await end('c');
  assert.is(store.flights.length, 1);
  await store.landOne();
  assert.equal(
    store.flights.map(({ given, types }) => [given.expectedSeq, given.seq, types]),
    [[9, 11, ['task.done', 'run.done']]],
  );
  await store.landOne();
  assert.is((await run.settled()).status, 'done');
  assert.equal([store.count, store.flights.length], [4, 0]);
  assert.equal(
    store.memory.read('r').map((entry) => [entry.seq, 'taskId' in entry ? entry.taskId : entry.type]),
    [
      [1, 'run.started'],
      ...[2, 'a', 3, 'b', 4, 'c', 5, 'a', 6, 'b', 7, 'c', 8, 'b', 9, 'a', 10, 'c'].flatMap(
        (value, at, all) => (at % 2 === 0 ? [[value, all[at + 1]]] : []),
      ),
      [11, 'run.done'],
    ],
  );
});

test('has an append of each run under way', async () => {
  const { engine, store } = lateEngine();
  const { perform, calls } = bodiesByHand();
  const flow = createFlow('two').task('a', { perform });
  const [one, two] = ['one', 'two'].map((id) => watched(engine.start(flow, undefined, { id })));
  await rest();
  assert.equal(
    store.flights.map(({ given }) => given.runId),
    ['one', 'two'],
  );
  store.flights[1]?.land();
  await rest();
  assert.equal([one?.value, (two as { value: Run }).value.id, calls], [undefined, 'two', ['a']]);
});

test('starts a run once its first append is kept, with its pause if it starts paused', async () => {
  const { engine, store } = lateEngine();
  const { perform, calls } = bodiesByHand();
  const flow = createFlow('start').task('a', { perform });
  const starting = watched(engine.start(flow, undefined, { id: 'r', paused: true }));
  await rest();
  assert.equal([starting, calls], [{}, []]);
  const { types } = await store.landOne();
  assert.equal(types, ['run.started', 'task.ready', 'run.paused']);
  const run = starting.value as Run;
  assert.equal([run.view().status, run.seq, calls], ['paused', 3, []]);
  run.resume();
  await rest();
  // A crash would leave it paused.
  assert.equal([store.flights[0]?.types, calls], [['run.resumed'], []]);
  await store.landOne();
  assert.equal(calls, ['a']);
});

test('starts a run without tasks once its end is kept', async () => {
  const { engine, store } = lateEngine();
  const starting = watched(engine.start(createFlow('empty'), undefined, { id: 'r' }));
  await rest();
  assert.equal(starting, {});
  assert.equal((await store.landOne()).types, ['run.started', 'run.done']);
  const run = starting.value as Run;
  assert.is((await run.settled()).status, 'done');
});

test('refuses an id that is taken by the conflict of the first append, without a read', async () => {
  const { engine, store } = lateEngine();
  const flow = createFlow('ids').task('a', { perform: () => 1 });
  const run = await store.landUntil(engine.start(flow, undefined, { id: 'r' }));
  await store.landUntil(run.settled());
  const error = await store.landUntil(engine.start(flow, undefined, { id: 'r' }).catch((refusal) => refusal));
  assert.equal([error.name, error.runId], ['StoreConflictError', 'r']);
  assert.equal(store.calls, []);
  // The first run is not disturbed.
  assert.is(await engine.run('r'), run);
  assert.is(run.view().status, 'done');
  assert.is((await engine.run('r'))?.view().status, 'done');
});

test('refuses the id of a run that is starting', async () => {
  const { engine, store } = lateEngine();
  const flow = createFlow('ids').task('a', { perform: () => 1 });
  const first = watched(engine.start(flow, undefined, { id: 'r' }));
  const second = watched(engine.start(flow, undefined, { id: 'r' }));
  await rest();
  assert.is((second.error as Error).name, 'StoreConflictError');
  await store.landOne();
  assert.is((first.value as Run).id, 'r');
});

/** Runs a chain of so many tasks on a store that lands by itself, after so much of the clock's time. */
async function appendsOfChain(length: number, perform: () => unknown, appendMs = 0): Promise<number> {
  const store = lateStore();
  let ms = 0;
  const clock = { now: () => ms, setTimeout, clearTimeout: () => {} };
  const { append } = store;
  store.append = async (given) => {
    await append(given);
    ms += appendMs;
  };
  const tasks = Object.fromEntries(
    Array.from({ length }, (_, task) => [`t${task}`, { dependsOn: task === 0 ? [] : [`t${task - 1}`] }]),
  );
  const engine = createEngine({ store, clock: clock as never, logger: silent });
  const run = await engine.start(createFlowFromGraph({ name: 'chain', tasks }, perform));
  assert.is((await run.settled()).status, 'done');
  return store.count;
}

test('makes one append for each task of a chain, and two if the bodies take their time', async () => {
  const n = 40;
  for (const appendMs of [0, 4, 50]) {
    assert.is(await appendsOfChain(n, () => 1, appendMs), n + 1);
    assert.is(
      await appendsOfChain(n, async () => Promise.resolve(1).then((one) => one + 1), appendMs),
      n + 1,
    );
  }
  const slow = await appendsOfChain(n, () => rest());
  assert.ok(slow <= 2 * n + 1, `${slow} appends`);
});

test('makes the next append in the turn in which one has landed, unless it has nothing but starts', async () => {
  // Its time stands still, so turns follow one another without the event loop.
  const clock = { now: () => 0, setTimeout, clearTimeout: () => {} };
  const { engine, store } = lateEngine({ clock: clock as never });
  const { perform, endNow } = bodiesByHand();
  const flow = createFlow('turns').task('a', { perform }).task('b', { perform }).task('c', { perform });
  const paused = await store.landUntil(engine.start(flow, undefined, { id: 'r', paused: true }));
  paused.resume();
  const types = () => store.flights.map((flight) => flight.types.join(' '));
  const microtasks = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await undefined;
  };
  await microtasks();
  // The starts of the bodies came while this was under way.
  assert.equal(types(), ['run.resumed']);
  store.flights[0]?.land();
  await microtasks();
  assert.equal(types(), []);
  await rest();
  assert.equal(types(), ['task.started task.started task.started']);
  endNow('a');
  await microtasks();
  store.flights[0]?.land();
  await microtasks();
  assert.equal(types(), ['task.done']);
  store.flights[0]?.land();
  await microtasks();
  endNow('b');
  await microtasks();
  assert.equal(types(), ['task.done']);
});

const watchers: Record<string, (run: Run) => void> = {
  'run.on': (run) => void run.on('run.done', () => {}),
  'run.events': (run) => void run.events().next(),
  "a listener of the run's actor": (run) => void run.actor.on('*', () => {}),
  "a subscriber to the run's actor": (run) => void run.actor.subscribe(() => {}),
};

/** Whether the start of a body was given to the store as it was called, and once the event loop had its turn. */
async function isStartAppended(watch: (run: Run) => void, inspect?: () => void): Promise<readonly boolean[]> {
  const { engine, store } = lateEngine({ inspect });
  const seen: boolean[] = [];
  const note = (): void => void seen.push(store.flights.some(({ types }) => types.includes('task.started')));
  const flow = createFlow('watched')
    .task('a', { perform: () => 1 })
    .task('b', {
      dependsOn: ['a'],
      perform: async () => {
        await undefined;
        note();
        await new Promise<void>((resolve) => setImmediate(resolve));
        note();
      },
    });
  const run = await store.landUntil(engine.start(flow, undefined, { id: 'r', paused: true }));
  watch(run as Run);
  run.resume();
  await store.landUntil(run.settled());
  return seen;
}

test('keeps a start by itself a turn later', async () => {
  assert.equal(await isStartAppended(() => {}), [false, true]);
});

for (const [name, watch] of Object.entries(watchers)) {
  test(`keeps a start at once where there is ${name}`, async () => {
    assert.equal(await isStartAppended(watch), [true, true]);
  });
}

test('keeps a start at once in an inspected engine, and where a parent gets the events', async () => {
  assert.equal(
    await isStartAppended(
      () => {},
      () => {},
    ),
    [true, true],
  );

  const { engine, store } = lateEngine();
  let isAppended: boolean | undefined;
  const flow = createFlow('child', { forwardEvents: true }).task('a', {
    perform: async () => {
      await undefined;
      isAppended = store.flights.some(({ types }) => types.includes('task.started'));
    },
  });
  const parent = setup({ actors: { flow: engine.logic(flow) } }).createMachine({ invoke: { src: 'flow' } });
  createActor(parent).start();
  await rest();
  await store.landOne();
  assert.is(isAppended, true);
});

test('lets the event loop have its turn, however soon the store answers', async () => {
  const memory = createMemoryStore();
  const store: Store = {
    ...storeOver(memory, {}),
    isAsync: true,
    append: async (given) => memory.append(given),
  };
  let ms = 0;
  // Its time passes as it is read: a slice is over after a few tasks.
  const clock = { now: () => ++ms, setTimeout, clearTimeout: () => {} };
  const engine = createEngine({ store, clock: clock as never, logger: silent });
  const tasks = Object.fromEntries(
    Array.from({ length: 200 }, (_, task) => [`t${task}`, { dependsOn: task === 0 ? [] : [`t${task - 1}`] }]),
  );
  let turns = 0;
  const turn = (): void => {
    turns++;
    immediate = setImmediate(turn);
  };
  let immediate = setImmediate(turn);
  const run = await engine.start(createFlowFromGraph({ name: 'chain', tasks }, () => 1));
  await run.settled();
  clearImmediate(immediate);
  assert.ok(turns > 10, `${turns} turns`);
});

test('refuses an interpreted run, and calls no body', async () => {
  const store = lateStore();
  let calls = 0;
  const flow = createFlow('interpreted').task('a', { perform: () => calls++ });
  const machine = new EngineRuns({ logger: silent }, store).machine(flow.definition);
  const actor = createActor(machine, { input: undefined }) as unknown as AnyActorRef & { start(): void };
  let told: unknown;
  actor.subscribe({
    error: (error) => {
      told = error;
    },
  });
  actor.start();
  await rest();
  assert.instance(told, FlowError);
  assert.match(
    (told as Error).message,
    /^`flow\.machine` of flow `interpreted` needs a store that keeps entries at once/,
  );
  assert.equal([calls, store.count], [0, 0]);
});

test('asks a store that keeps at once for nothing more than an append a turn', async () => {
  const memory = createMemoryStore();
  const asked: string[] = [];
  const unasked = (): never => assert.unreachable() as never;
  const store = storeOver(memory, {
    append: (given) => {
      asked.push(given.entries.map(({ type }) => type).join(' '));
      memory.append(given);
    },
    lastSeq: unasked,
    read: unasked,
    list: unasked,
    remove: unasked,
  });
  const { engine, clock } = virtualEngine({ store });
  const run = await engine.start(createFlow('sync').task('a', { perform: () => 1 }));
  await clock.run(run.settled());
  assert.equal(asked, ['run.started task.ready', 'task.started', 'task.done run.done']);
});
