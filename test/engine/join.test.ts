import {
  createEngine,
  createFlow,
  createMemoryStore,
  FlowError,
  InputError,
  NotUnderWayError,
  type Run,
  StoreConflictError,
  StoreError,
} from 'topple';
import { createSqliteStore, type SqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { spec } from '../spec.ts';
import { ChanceStore, chance } from '../support/chance-store.ts';
import { tempFile } from '../support/sqlite.ts';
import { storeOver } from '../support/stores.ts';
import { silent } from '../support/virtual.ts';

const test = spec('a start that joins');

const join = { id: 'r', onExisting: 'join' } as const;

/** A flow whose task waits until it is released, and counts how often it is performed. */
function counted() {
  let calls = 0;
  const release = Promise.withResolvers<void>();
  const flow = createFlow('f', {
    input: z.object({ email: z.string().trim().toLowerCase(), tags: z.array(z.string()).default([]) }),
  }).task('a', {
    perform: async ({ input }) => {
      calls++;
      await release.promise;
      return input.email;
    },
  });
  return { flow, release: release.resolve, calls: () => calls };
}

const ada = { email: 'ada@example.org' };

async function refusalOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => assert.unreachable('it was not refused') as never,
    (error: Error) => error,
  );
}

/** Two stores on one file, as two processes have them. */
async function twoStores(): Promise<readonly [SqliteStore, SqliteStore]> {
  const path = tempFile();
  return [await createSqliteStore(path), await createSqliteStore(path)];
}

for (const [where, open] of [
  ['in memory', async () => createMemoryStore()],
  ['on disk', () => createSqliteStore(tempFile())],
  ['in a store that takes its time', async () => new ChanceStore(chance(16), { failureRate: 0.3 })],
] as const) {
  test(`gives the run that is under way, or has settled, ${where}`, async () => {
    const { flow, release, calls } = counted();
    const store = await open();
    const engine = createEngine({ store, logger: silent });
    const run = await engine.start(flow, ada, join);
    assert.is(await engine.start(flow, ada, join), run);
    // Of the same input, as the schema returns it.
    assert.is(await engine.start(flow, { tags: [], email: ' ADA@example.org ' }, join), run);
    release();
    assert.equal(await run.outputs(), { a: 'ada@example.org' });
    assert.is(await engine.start(flow, ada, join), run);
    assert.is(calls(), 1);

    const other = createEngine({ store, logger: silent });
    const stored = await other.start(flow, ada, join);
    assert.equal(await stored.outputs(), { a: 'ada@example.org' });
    assert.is(calls(), 1);
    await engine.stop();
    await other.stop();
    if ('close' in store) await store.close();
  });

  test(`is one run for all that come at once, ${where}`, async () => {
    const { flow, release, calls } = counted();
    const store = await open();
    const engine = createEngine({ store, logger: silent });
    const runs = await Promise.all(Array.from({ length: 20 }, () => engine.start(flow, ada, join)));
    assert.is(new Set(runs).size, 1);
    release();
    await (runs[0] as Run).settled();
    assert.is(calls(), 1);
    await engine.stop();
    if ('close' in store) await store.close();
  });
}

test('of another process has a run of its own only if it is faster', async () => {
  const { flow, release, calls } = counted();
  const stores = await twoStores();
  const engines = stores.map((store) => createEngine({ store, logger: silent }));
  const runs = await Promise.all(
    Array.from({ length: 10 }, (_, at) => (engines[at % 2] as (typeof engines)[0]).start(flow, ada, join)),
  );
  assert.ok(runs.every(({ id }) => id === 'r'));
  release();
  const ends = await Promise.allSettled(runs.map((run) => run.settled()));
  const elsewhere = ends.filter(({ status }) => status === 'rejected');
  assert.is(elsewhere.length, 5);
  for (const { reason } of elsewhere as PromiseRejectedResult[]) assert.instance(reason, NotUnderWayError);
  assert.is(calls(), 1);
  for (const engine of engines) await engine.stop();
  for (const store of stores) await store.close();
});

test('is refused with another input, live, settled and elsewhere, and changes nothing', async () => {
  const { flow, release, calls } = counted();
  const [store, second] = await twoStores();
  const engine = createEngine({ store, logger: silent });
  const other = createEngine({ store: second, logger: silent });
  const run = await engine.start(flow, ada, join);
  const refused = async (at: typeof engine) => {
    const error = await refusalOf(at.start(flow, { email: 'eve@example.org' }, join));
    assert.instance(error, InputError);
    assert.is(
      error.message,
      'Input of flow `f` is not valid: must be that of run "r", which there is already: with another input use another id',
    );
  };
  await refused(engine);
  await refused(other);
  release();
  await run.settled();
  const before = await store.read('r');
  await refused(engine);
  await refused(other);
  assert.equal(await store.read('r'), before);
  assert.is(calls(), 1);
  await engine.stop();
  await other.stop();
  await store.close();
  await second.close();
});

test('compares the input that was kept, whatever a body has done to it since', async () => {
  const flow = createFlow('f', { input: z.object({ list: z.array(z.number()) }) }).task('a', {
    perform: ({ input }) => input.list.push(4),
  });
  const store = await createSqliteStore(tempFile());
  const engine = createEngine({ store, logger: silent });
  const run = await engine.start(flow, { list: [1] }, join);
  await run.settled();
  assert.is(await engine.start(flow, { list: [1] }, join), run);
  assert.instance(await refusalOf(engine.start(flow, { list: [1, 4] }, join)), InputError);
  await engine.stop();
  await store.close();
});

test('does not join a run of another flow', async () => {
  const store = createMemoryStore();
  const engine = createEngine({ store, logger: silent });
  await engine.start(createFlow('one'), undefined, { id: 'r' });
  const error = await refusalOf(createEngine({ store }).start(createFlow('two'), undefined, join));
  assert.instance(error, StoreConflictError);
  assert.is(error.message, 'There is a run r already, of flow `one`, so one of flow `two` cannot join it');
});

test('leaves the run as it is: no signal, pause or option of those that join counts', async () => {
  const { flow, release } = counted();
  const engine = createEngine({ logger: silent });
  const run = await engine.start(flow, ada, join);
  const aborted = AbortSignal.abort('late');
  await engine.start(flow, ada, { ...join, signal: aborted, paused: true, concurrency: 1 });
  assert.is(run.view().status, 'running');
  release();
  assert.is((await run.settled()).status, 'done');
});

test('fails with the store, for all that wanted to join', async () => {
  const { flow, calls } = counted();
  const memory = createMemoryStore();
  const failing = {
    ...storeOver(memory, {}),
    isAsync: true,
    append: async () => {
      throw new Error('no disk');
    },
  };
  const engine = createEngine({ store: failing, logger: silent });
  const ends = await Promise.allSettled([1, 2, 3].map(() => engine.start(flow, ada, join)));
  for (const end of ends) assert.instance((end as PromiseRejectedResult).reason, StoreError);
  assert.is(calls(), 0);
});

test('gives up where the id stays taken by a run that nobody finds', async () => {
  const { flow } = counted();
  const memory = createMemoryStore();
  const store = storeOver(memory, {
    append: ({ runId }) => {
      throw new StoreConflictError(runId, 'taken');
    },
  });
  const engine = createEngine({ store, logger: silent });
  assert.instance(await refusalOf(engine.start(flow, ada, join)), StoreConflictError);
});

test('without it an id that is taken is refused', async () => {
  const { flow } = counted();
  const engine = createEngine({ logger: silent });
  await engine.start(flow, ada, { id: 'r' });
  for (const onExisting of ['reject', undefined] as const)
    assert.instance(await refusalOf(engine.start(flow, ada, { id: 'r', onExisting })), StoreConflictError);
});

test('needs an id, and knows two words', async () => {
  const { flow } = counted();
  const engine = createEngine({ logger: silent });
  const refused = async (options: never, message: string) => {
    const error = await refusalOf(engine.start(flow, ada, options));
    assert.instance(error, FlowError);
    assert.is(error.message, message);
  };
  await refused(
    { onExisting: 'join' } as never,
    '`id` of flow `f` must be given with `onExisting: join`: it says which run to join, but is undefined',
  );
  await refused(
    { id: 'r', onExisting: 'Join' } as never,
    '`onExisting` of flow `f` must be `reject` or `join`, but is "Join"',
  );
});

test('finds a run as it is now, where it ran again elsewhere', async () => {
  let calls = 0;
  const flow = createFlow('f').task('a', { perform: () => ++calls });
  const [store, second] = await twoStores();
  const engine = createEngine({ store, logger: silent });
  const other = createEngine({ store: second, logger: silent });
  const run = await engine.start(flow, undefined, join);
  assert.equal(await run.outputs(), { a: 1 });
  const again = await other.start(flow, undefined, join);
  again.rerun();
  assert.equal(await again.outputs(), { a: 2 });
  for (const found of [await engine.start(flow, undefined, join), await engine.run('r')])
    assert.equal(await found?.outputs(), { a: 2 });
  await engine.stop();
  await other.stop();
  await store.close();
  await second.close();
});
