import {
  type Append,
  createEngine,
  createFlow,
  createMemoryStore,
  EngineStoppedError,
  type Flow,
  type Run,
  type Store,
  StoreConflictError,
  StoreError,
} from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { silent } from '../support/virtual.ts';

const test = spec('forks of trees of runs');

type Changes = { [Method in keyof Store]?: Store[Method] | undefined };

/** A run with a settled child run, and one under way at 15 ms; each body takes 10 ms. */
async function world(change: (store: Store) => Changes = () => ({})) {
  const clock = createVirtualClock();
  const memory = createMemoryStore();
  const appends: string[] = [];
  const base: Store = {
    append: (given) => {
      appends.push(given.runId);
      memory.append(given);
    },
    appendTree: (runs) => {
      appends.push(runs.map(({ runId }) => runId).join(' '));
      memory.appendTree(runs);
    },
    lastSeq: (id) => memory.lastSeq(id),
    read: (id) => memory.read(id),
    list: (filter) => memory.list(filter),
    remove: (id) => memory.remove(id),
  };
  const store = { ...base, ...change(base) } as Store;
  const calls: string[] = [];
  const perform = async ({ idempotencyKey }: { idempotencyKey: string }) => {
    calls.push(idempotencyKey);
    await clock.sleep(10);
    return idempotencyKey;
  };
  const inner = createFlow('inner')
    .task('x', { perform })
    .task('y', { dependsOn: ['x'], perform });
  const flow = createFlow('root')
    .flow('one', { flow: createFlow('leaf').task('a', { perform }) })
    .flow('two', { flow: createFlow('middle').flow('in', { flow: inner }) });
  const engine = createEngine({ store, clock, logger: silent });
  const run = (await engine.start(flow as never as Flow, undefined, { id: 'r' })) as Run;
  await clock.advance(15);
  calls.length = appends.length = 0;
  return { clock, memory, store, engine, run, flow: flow as never as Flow, calls, appends };
}

const idsIn = (store: ReturnType<typeof createMemoryStore>, id: string) =>
  [...store.list().map((run) => run.id), ...store.list({ under: id }).map((run) => run.id)].filter((one) =>
    one.startsWith(id),
  );

const tree = ['f', 'f/one#1', 'f/two#1', 'f/two#1/in#1'];

test('are kept whole before anything in them goes on', async () => {
  const { clock, engine, memory, calls, appends } = await world();
  const fork = await engine.fork('r', { id: 'f' });
  assert.is(appends[0], tree.join(' '));
  await clock.run(fork.settled());
  assert.equal(
    calls.filter((key) => key.startsWith('f/')),
    ['f/two/in/y'],
  );
  assert.equal(idsIn(memory, 'f'), tree);
  for (const id of tree) assert.match(memory.read(id).at(-1)?.type ?? '', /^run\.done$/, id);
});

test('call no body before their tree is kept', async () => {
  const gate = Promise.withResolvers<void>();
  const { clock, engine, calls } = await world((base) => ({
    appendTree: async (runs) => {
      await gate.promise;
      return base.appendTree?.(runs);
    },
  }));
  const forking = engine.fork('r', { id: 'f' });
  // The clock is held meanwhile.
  const advancing = clock.advance(100);
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(calls, []);
  gate.resolve();
  const fork = await forking;
  await advancing;
  await clock.run(fork.settled());
  assert.ok(calls.includes('f/two/in/y'));
});

test('do not come to be where the id is taken, or the store fails', async () => {
  const taken = await world();
  await refused(taken.engine.fork('r', { id: 'r' }), (error) => {
    assert.instance(error, StoreConflictError);
    assert.match((error as Error).message, 'There is a run r already');
  });
  const elsewhere = await world((base) => ({
    appendTree: (runs) => {
      base.append({ ...(runs[0] as Append) });
      throw new StoreConflictError('f', 'another was faster');
    },
  }));
  await refused(elsewhere.engine.fork('r', { id: 'f' }), (error) =>
    assert.match((error as Error).message, 'There is a run f already'),
  );
  assert.equal(idsIn(elsewhere.memory, 'f'), ['f'], 'it is the run of another');
  assert.equal(elsewhere.calls, []);
});

test('of a store that cannot keep a tree at once are kept from the root down, and removed if that fails', async () => {
  const whole = await world(() => ({ appendTree: undefined }));
  const fork = await whole.engine.fork('r', { id: 'f' });
  assert.equal(whole.appends.slice(0, 4), tree);
  await whole.clock.run(fork.settled());
  assert.is(fork.view().status, 'done');
  const cut = await world((base) => ({
    appendTree: undefined,
    append: (given) => {
      if (given.runId === 'f/two#1') throw new StoreError('full', 'no room');
      return base.append(given);
    },
  }));
  await refused(cut.engine.fork('r', { id: 'f' }), (error) => assert.instance(error, StoreError));
  assert.equal(idsIn(cut.memory, 'f'), []);
});

test('are no more if the engine is stopped before they begin', async () => {
  const gate = Promise.withResolvers<void>();
  const { engine, memory } = await world((base) => ({
    appendTree: async (runs) => {
      await gate.promise;
      return base.appendTree?.(runs);
    },
  }));
  const forking = engine.fork('r', { id: 'f' });
  forking.catch(() => {});
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  await engine.stop();
  gate.resolve();
  await refused(forking, (error) => assert.instance(error, EngineStoppedError));
  assert.equal(idsIn(memory, 'f'), []);
});

async function refused(promise: Promise<unknown>, check: (error: unknown) => void): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error !== undefined, 'it resolves');
  check(error);
}
