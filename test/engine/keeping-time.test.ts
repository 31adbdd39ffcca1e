// A store that takes its time, and a virtual clock: what a store does takes none of its time.

import { createEngine, createFlow, type Run } from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { createActor } from 'xstate';
import { spec } from '../spec.ts';
import { lateStore, rest, watched } from '../support/late-store.ts';
import { silent } from '../support/virtual.ts';

const test = spec('virtual time while an append is under way');

function world({ isByHand = true } = {}) {
  const clock = createVirtualClock();
  const store = lateStore({ isByHand });
  const engine = createEngine({ clock, store, logger: silent });
  const flow = createFlow('slow')
    .task('a', { timeoutMs: 15, perform: () => clock.sleep(10).then(() => clock.now()) })
    .task('b', { dependsOn: ['a'], perform: () => clock.sleep(10).then(() => clock.now()) });
  return { clock, store, engine, flow };
}

test('stands still until the append has landed, and goes on after', async () => {
  const { clock, store, engine, flow } = world();
  const starting = watched(engine.start(flow, undefined, { id: 'r' }));
  const advanced = watched(clock.advance(12));
  await rest();
  assert.equal([clock.now(), advanced], [0, {}]);
  await store.landOne();
  // The start of `a` is under way.
  assert.equal([clock.now(), (starting.value as Run).id, store.flights.length], [0, 'r', 1]);
  await store.landOne();
  // The end of `a`, at 10 ms.
  assert.equal([clock.now(), advanced, store.flights.length], [10, {}, 1]);
  await store.landOne();
  await store.landOne();
  assert.equal([clock.now(), 'value' in advanced], [12, true]);
  const { tasks } = await store.landUntil(clock.run((starting.value as Run).settled()));
  assert.equal([tasks.a?.output, tasks.b?.output, tasks.b?.startedAt], [10, 20, 10]);
});

test('is the same as with a store that keeps at once', async () => {
  const { clock, engine, flow } = world({ isByHand: false });
  const run = await engine.start(flow);
  const view = await clock.run(run.settled());
  const plain = world();
  const other = await createEngine({ clock: plain.clock, logger: silent }).start(plain.flow);
  assert.equal({ ...view, id: '' }, { ...(await plain.clock.run(other.settled())), id: '' });
});

test('stands still while the store is asked about an append that failed, and while it is made again', async () => {
  const { clock, store, engine, flow } = world();
  const asked = Promise.withResolvers<number>();
  store.tellLastSeq = () => asked.promise;
  void engine.start(flow, undefined, { id: 'r' });
  const advanced = watched(clock.advance(5));
  await rest();
  store.flights[0]?.fail(new Error('disk full'));
  await rest();
  assert.equal([clock.now(), advanced], [0, {}]);
  asked.resolve(0);
  await rest();
  assert.equal([clock.now(), store.flights.length], [0, 1]);
  await store.landOne();
  await store.landOne();
  assert.equal([clock.now(), 'value' in advanced], [5, true]);
});

test('stands still while a snapshot is compared with the store', async () => {
  const { clock, store, engine, flow } = world();
  const actor = createActor(engine.logic(flow), { input: undefined, clock: clock as never }).start();
  await rest();
  await store.landOne();
  const snapshot = (actor as unknown as { getPersistedSnapshot(): object }).getPersistedSnapshot();
  const next = world();
  const read = Promise.withResolvers<never[]>();
  next.store.read = () => read.promise;
  createActor(next.engine.logic(flow), { snapshot: snapshot as never, clock: next.clock as never }).start();
  const advanced = watched(next.clock.advance(5));
  await rest();
  assert.equal([next.clock.now(), advanced], [0, {}]);
  read.resolve([]);
  await rest();
  // What the store lacks.
  assert.equal([next.clock.now(), next.store.flights[0]?.given.expectedSeq], [0, 0]);
  await next.store.landOne();
  await next.store.landOne();
  assert.equal([next.clock.now(), 'value' in advanced], [5, true]);
});

test('lets everything else happen that needs no time', async () => {
  const { store, engine, flow } = world();
  const calls: string[] = [];
  const other = createFlow('other')
    .task('a', { perform: () => calls.push('a') })
    .task('b', { dependsOn: ['a'], perform: () => calls.push('b') });
  void engine.start(flow, undefined, { id: 'hangs' });
  const starting = watched(engine.start(other, undefined, { id: 'other' }));
  await rest();
  const landOther = async (): Promise<void> => {
    store.flights.find(({ given }) => given.runId === 'other')?.land();
    await rest();
  };
  for (let landings = 0; landings < 6; landings++) await landOther();
  assert.equal([calls, (starting.value as Run).view().status], [['a', 'b'], 'done']);
  assert.equal(
    store.flights.map(({ given }) => given.runId),
    ['hangs'],
  );
});

test('lets a run end whose append hangs, when it is stopped', async () => {
  const { clock, store, engine, flow } = world();
  const starting = watched(engine.start(flow));
  await rest();
  await store.landOne();
  const settled = watched(clock.run((starting.value as Run).settled()));
  await engine.stop({ storeTimeoutMs: 1 });
  await rest();
  assert.is((settled.error as Error).name, 'StoreError');
});

test('is held by every promise, whether it resolves or rejects', async () => {
  const clock = createVirtualClock();
  const one = Promise.withResolvers<void>();
  const two = Promise.withResolvers<void>();
  for (const { promise } of [one, two]) clock.hold(promise);
  const advanced = watched(clock.advance(10));
  await rest();
  let isIdle = false;
  clock.whenIdle(() => {
    isIdle = true;
  });
  await rest();
  assert.equal([clock.now(), isIdle], [0, true]);
  one.reject(new Error('failed'));
  await rest();
  assert.is(clock.now(), 0);
  two.resolve();
  await rest();
  assert.equal([clock.now(), 'value' in advanced], [10, true]);
});

test('is held from within what falls due', async () => {
  const clock = createVirtualClock();
  const held = Promise.withResolvers<void>();
  clock.setTimeout(() => clock.hold(held.promise), 5);
  const advanced = watched(clock.advance(10));
  await rest();
  assert.equal([clock.now(), advanced], [5, {}]);
  held.resolve();
  await rest();
  assert.equal([clock.now(), 'value' in advanced], [10, true]);
});
