import {
  createFlow,
  createMemoryStore,
  type Engine,
  EngineStoppedError,
  FlowError,
  type MemoryStore,
  type Run,
  type Store,
} from 'topple';
import type { VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { lateReadingStore, storeOver } from '../support/stores.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('recovery');

const ids = (runs: readonly { readonly id: string }[]) => runs.map(({ id }) => id);

/** A flow whose bodies note that they were called, and wait for their run's clock. */
function noting(clock: () => VirtualClock) {
  const calls: string[] = [];
  const flow = createFlow('left').task('a', {
    perform: async ({ runId }) => {
      calls.push(runId);
      await clock().sleep(100);
    },
  });
  return { flow, calls };
}

/** A store with three unsettled runs, and an engine on it. @param over makes the engine's store of that one */
async function world(over: (memory: MemoryStore, clock: () => VirtualClock) => Store) {
  const memory = createMemoryStore();
  let { clock, engine } = virtualEngine({ store: memory });
  const { flow, calls } = noting(() => clock);
  for (const id of ['r1', 'r2', 'r3']) await engine.start(flow, undefined, { id });
  await clock.advance(1);
  await engine.stop();
  calls.length = 0;
  const errors: unknown[] = [];
  const logger = { ...silent, error: (...line: unknown[]) => errors.push(...line) };
  ({ clock, engine } = virtualEngine({ store: over(memory, () => clock), logger }));
  return { memory, clock, engine, flow, calls, errors };
}

test('needs no clock where the store answers at once', async () => {
  const { engine, flow } = await world((memory) => memory);
  const recovered = await engine.recover([flow]);
  assert.equal(await Promise.all(['r1', 'r2', 'r3'].map((id) => engine.run(id))), recovered);
  assert.equal(ids(recovered), ['r1', 'r2', 'r3']);
});

const laters: Record<string, (clock: () => VirtualClock) => () => Promise<unknown>> = {
  microtask: () => () => Promise.resolve(),
  'macrotask of its clock': (clock) => () => clock().sleep(0),
  'while of its clock': (clock) => () => clock().sleep(10),
};

for (const [how, later] of Object.entries(laters)) {
  const late = (memory: MemoryStore, clock: () => VirtualClock) => lateReadingStore(memory, later(clock));

  test(`resumes the runs in the order of a store that answers a ${how} later`, async () => {
    const { clock, engine, flow, calls } = await world(late);
    const runs = await clock.run(engine.recover([flow]));
    assert.equal(ids(runs), ['r1', 'r2', 'r3']);
    const views = await clock.run(Promise.all(runs.map((run) => run.settled())));
    assert.equal(
      [views.map(({ status }) => status), calls],
      [
        ['done', 'done', 'done'],
        ['r1', 'r2', 'r3'],
      ],
    );
  });

  test(`gives each run to one of two calls (${how})`, async () => {
    const { clock, engine, flow, calls } = await world(late);
    const both = await clock.run(Promise.all([engine.recover([flow]), engine.recover([flow])]));
    assert.equal(both.flatMap(ids).sort(), ['r1', 'r2', 'r3']);
    await clock.run(Promise.all(both.flat().map((run) => run.settled())));
    assert.equal([calls, ids(await clock.run(engine.recover([flow])))], [['r1', 'r2', 'r3'], []]);
  });

  test(`leaves a run alone that starts meanwhile, with an id that it then finds (${how})`, async () => {
    const { clock, engine, flow, calls } = await world((memory, now) =>
      lateReadingStore(memory, later(now), 'answer'),
    );
    const recovering = engine.recover([flow]);
    const started = await engine.start(flow, undefined, { id: 'new' });
    const runs = await clock.run(recovering);
    assert.equal(ids(runs), ['r1', 'r2', 'r3']);
    assert.is(await engine.run('new'), started);
    await clock.run(Promise.all([...runs, started].map((run) => run.settled())));
    assert.equal(calls.sort(), ['new', 'r1', 'r2', 'r3']);
  });

  test(`does not run again what has settled since it was read (${how})`, async () => {
    const { memory, clock, engine, flow } = await world(late);
    let calls = 0;
    const quick = createFlow('quick').task('a', { perform: () => ++calls });
    const waiting = await engine.start(quick, undefined, { id: 'quick', paused: true });
    const recovering = engine.recover([flow, quick]);
    waiting.resume();
    await clock.run(waiting.settled());
    assert.equal(ids(await clock.run(recovering)), ['r1', 'r2', 'r3']);
    assert.equal([calls, memory.read('quick').at(-1)?.type], [1, 'run.done']);
  });
}

/** Resolves each step by hand. */
function gate() {
  const waiting: (() => void)[] = [];
  let told = Promise.withResolvers<void>();
  const next = () => {
    told.resolve();
    return new Promise<void>((resolve) => waiting.push(resolve));
  };
  /** Waits for a step to be asked for. */
  const asked = async (): Promise<void> => {
    while (waiting.length === 0) await told.promise;
    told = Promise.withResolvers();
  };
  const open = async (): Promise<void> => {
    await asked();
    waiting.shift()?.();
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  return { next, asked, open };
}

test('leaves a run alone that starts between its list and its read', async () => {
  const { next, asked, open } = gate();
  const { memory, clock, engine, flow, calls } = await world((store) => lateReadingStore(store, next));
  const recovering = engine.recover([flow]);
  await asked();
  // An id of the list is free again.
  memory.remove('r1');
  const started = await engine.start(flow, undefined, { id: 'r1' });
  for (let step = 0; step < 3; step++) await open();
  assert.equal(ids(await recovering), ['r2', 'r3']);
  await clock.run(started.settled());
  assert.equal(calls.sort(), ['r1', 'r2', 'r3']);
  assert.equal(memory.read('r1').at(-1)?.type, 'run.done');
});

test('leaves a run alone that another engine settles, or removes, after it was listed', async () => {
  const { next, open } = gate();
  const { memory, engine, flow, errors, calls } = await world((store) => lateReadingStore(store, next));
  const recovering = engine.recover([flow]);
  const other = virtualEngine({ store: memory });
  const [r1] = await other.engine.recover([flow.provide({ a: { perform: () => 'elsewhere' } } as never)]);
  await other.clock.run((r1 as Run).settled());
  memory.remove('r2');
  const before = memory.read('r1');
  for (let step = 0; step < 4; step++) await open();
  // The third has settled there too.
  assert.equal([await recovering, errors, calls], [[], [], []]);
  assert.equal(memory.read('r1'), before);
});

test('ends when the engine is stopped, and resumes nothing after that', async () => {
  const { next, open } = gate();
  const { memory, clock, engine, flow, calls } = await world((store) => lateReadingStore(store, next));
  const recovering = engine.recover([flow]).catch((error: unknown) => error);
  await open();
  await open();
  const first = (await engine.run('r1')) as Run;
  assert.is(first.view().status, 'running');
  await engine.stop();
  const before = memory.read('r2');
  await open();
  const error = await recovering;
  assert.instance(error, EngineStoppedError);
  await clock.advance(1_000);
  assert.equal([memory.read('r2'), calls, clock.pending], [before, [], 0]);
  assert.instance(await engine.recover([flow]).catch((refusal: unknown) => refusal), EngineStoppedError);
});

test('rejects if the runs cannot be listed, and logs those that cannot be read', async () => {
  const broken = new Error('torn page');
  for (const fail of [
    () => {
      throw broken;
    },
    () => Promise.reject(broken),
  ]) {
    const unlisted = await world((memory) => storeOver(memory, { list: fail as never }));
    assert.is(await unlisted.engine.recover([unlisted.flow]).catch((error: unknown) => error), broken);
    const { engine, flow, errors } = await world((memory) =>
      storeOver(memory, { read: ((id: string) => (id === 'r2' ? fail() : memory.read(id))) as never }),
    );
    assert.equal(ids(await engine.recover([flow])), ['r1', 'r3']);
    assert.equal(errors, [
      'Run r2 of flow `left` cannot be recovered; it stays in the store as it is',
      broken,
    ]);
  }
});

test('checks what it is given before it asks the store', async () => {
  const asked: string[] = [];
  const { engine, flow } = await world((memory) =>
    storeOver(memory, {
      list(filter) {
        asked.push('list');
        return memory.list(filter);
      },
    }),
  );
  const refused = async (call: (engine: Engine) => Promise<unknown>) =>
    assert.instance(await call(engine).catch((error: unknown) => error), FlowError);
  await refused((it) => it.recover([flow, flow]));
  await refused((it) => it.recover(['left' as never]));
  await refused((it) => it.recover(flow as never));
  await refused((it) => it.runs({ limit: 0 }));
  await refused((it) => it.run(7 as never));
  assert.equal(asked, []);
});
