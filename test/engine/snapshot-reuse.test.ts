import { createEngine, createFlow, createMemoryStore, type EngineOptions, JournalError } from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { assign, createActor, setup, toPromise } from 'xstate';
import { spec } from '../spec.ts';
import { append } from '../support/stores.ts';
import { silent } from '../support/virtual.ts';

const test = spec('snapshot that is used again');

const engines: Readonly<Record<string, (() => EngineOptions) | undefined>> = {
  'the default engine': undefined,
  'an engine of its own': () => ({}),
  'an engine that keeps nothing settled': () => ({ keepSettled: 0 }),
  'an engine with a store': () => ({ store: createMemoryStore() }),
  'an engine with a store that keeps nothing settled': () => ({ store: createMemoryStore(), keepSettled: 0 }),
};

/** A run of three tasks of 100 ms each, one after the other. */
function world(options: EngineOptions | undefined) {
  const clock = createVirtualClock();
  const calls: string[] = [];
  const perform = async ({ taskId }: { readonly taskId: string }) => {
    calls.push(taskId);
    await clock.sleep(100);
    return taskId;
  };
  const flow = createFlow('again')
    .task('a', { perform })
    .task('b', { dependsOn: ['a'], perform })
    .task('c', { dependsOn: ['b'], perform });
  const logic =
    options === undefined ? flow.logic : createEngine({ clock, logger: silent, ...options }).logic(flow);
  const actorOf = (snapshot?: object) =>
    createActor(logic, { snapshot: snapshot as never, input: undefined, clock: clock as never });
  return { clock, calls, flow, logic, actorOf };
}

type World = ReturnType<typeof world>;
type FlowActor = ReturnType<World['actorOf']>;

/** Through JSON, as from a file. */
function persist(actor: FlowActor): object {
  return JSON.parse(JSON.stringify(actor.getPersistedSnapshot()));
}

/** Starts an actor that is to be refused, and gives what its observers hear. */
function refusalOf({ calls }: World, actor: FlowActor): JournalError {
  const before = calls.slice();
  let told: unknown;
  actor.subscribe({
    error: (error) => {
      told = error;
    },
  });
  actor.start();
  assert.equal(calls, before);
  assert.instance(told, JournalError);
  assert.equal([actor.getSnapshot().status, actor.getSnapshot().error], ['error', told]);
  return told as JournalError;
}

const all = { status: 'done', outputs: { a: 'a', b: 'b', c: 'c' } };

/** What an actor's last snapshot shows. */
function stand(actor: FlowActor): readonly unknown[] {
  const { status, context } = actor.getSnapshot();
  return [status, ...Object.values(context.tasks).map((task) => task.status)];
}

for (const [name, options] of Object.entries(engines)) {
  test(`is refused on ${name} while its run goes on, which is not touched`, async () => {
    const here = world(options?.());
    const original = here.actorOf().start();
    await here.clock.advance(50);
    const snapshot = persist(original);
    for (const late of [50, 150]) {
      const error = refusalOf(here, here.actorOf(snapshot));
      assert.equal([error.code, error.runId], ['under_way', original.getSnapshot().context.id]);
      await here.clock.advance(late);
    }
    assert.equal(stand(original), ['active', 'done', 'done', 'running']);
    assert.equal(await here.clock.run(toPromise(original)), all);
    assert.equal(here.calls, ['a', 'b', 'c']);
  });

  test(`is refused on ${name} once its run has settled or got further`, async () => {
    const here = world(options?.());
    const original = here.actorOf().start();
    await here.clock.advance(50);
    const first = persist(original);
    await here.clock.advance(100);
    const second = persist(original);
    original.stop();
    const stale = refusalOf(here, here.actorOf(first));
    assert.equal([stale.code, stale.seq, stale.knownSeq], ['stale', 3, 6]);
    assert.match(
      stale.message,
      /has continued since: the snapshot ends with entry 3, and 6 entries are known/,
    );

    const restored = here.actorOf(second).start();
    assert.equal(await here.clock.run(toPromise(restored)), all);
    assert.equal(here.calls, ['a', 'b', 'b', 'c']);
    for (const snapshot of [first, second]) assert.is(refusalOf(here, here.actorOf(snapshot)).code, 'stale');
    await here.clock.advance(1_000);
    assert.equal(here.calls, ['a', 'b', 'b', 'c']);
  });

  test(`is resumed on ${name} by the first of two actors that is started`, async () => {
    const here = world(options?.());
    const original = here.actorOf().start();
    await here.clock.advance(50);
    const snapshot = persist(original);
    const [one, two] = [here.actorOf(snapshot), here.actorOf(snapshot)];
    original.stop();
    two.start();
    assert.is(refusalOf(here, one).code, 'under_way');
    assert.equal(stand(one).slice(1), ['pending', 'pending', 'pending']);
    assert.equal(await here.clock.run(toPromise(two)), all);
    assert.equal(here.calls, ['a', 'a', 'b', 'c']);
  });

  test(`is resumed again on ${name} where nothing has happened since`, async () => {
    const here = world(options?.());
    const original = here.actorOf().start();
    const early = persist(original);
    original.stop();
    const restored = here.actorOf(early).start();
    await here.clock.advance(0);
    const snapshot = persist(restored);
    restored.stop();
    assert.equal(await here.clock.run(toPromise(here.actorOf(snapshot).start())), all);
  });

  test(`is taken on ${name} with what was not yet kept when it was taken`, async () => {
    const here = world(options?.());
    const original = here.actorOf();
    const snapshots: object[] = [];
    original.on('*', () => snapshots.push(persist(original)));
    original.start();
    await here.clock.advance(150);
    original.stop();
    const last = snapshots.at(-1) as object;
    assert.equal(await here.clock.run(toPromise(here.actorOf(last).start())), all);
    const error = refusalOf(here, here.actorOf(snapshots.at(-2)));
    assert.is(error.code, 'stale');
  });
}

test('is refused where the store has gone another way', async () => {
  const store = createMemoryStore();
  const here = world({ store });
  const original = here.actorOf().start();
  await here.clock.advance(50);
  const snapshot = persist(original) as { run: { id: string; entries: { at: number }[] } };
  original.stop();
  (snapshot.run.entries[2] as { at: number }).at += 1;
  const error = refusalOf(here, here.actorOf(snapshot));
  assert.equal([error.code, error.seq, error.knownSeq], ['stale', 3, 3]);
  assert.match(error.message, /has taken another path: entry 3/);
});

test('brings a store what it does not have, before anything goes on', async () => {
  const store = createMemoryStore();
  const here = world({ store });
  const original = here.actorOf().start();
  await here.clock.advance(150);
  const snapshot = persist(original);
  const { id } = original.getSnapshot().context;
  original.stop();
  const entries = store.read(id);
  store.remove(id);
  append(store, id, entries.slice(0, 2), 0);
  const restored = here.actorOf(snapshot).start();
  assert.equal(store.read(id).length, entries.length);
  assert.equal(await here.clock.run(toPromise(restored)), all);
});

test('tells the logger where nobody hears of the refusal', async () => {
  const logged: unknown[] = [];
  const here = world({ logger: { ...silent, error: (_, error) => logged.push(error) } });
  const original = here.actorOf().start();
  await here.clock.advance(50);
  const duplicate = here.actorOf(persist(original)).start();
  const { error } = duplicate.getSnapshot();
  assert.is((error as unknown as JournalError).code, 'under_way');
  assert.equal(logged, [error]);
  assert.equal(await here.clock.run(toPromise(original)), all);
});

test('is refused to a parent by onError, and leaves the names of the run with its actor', async () => {
  const here = world({});
  const parent = setup({
    actors: { flow: here.logic },
    types: { context: {} as { refused: unknown } },
  }).createMachine({
    context: { refused: undefined },
    initial: 'one',
    states: {
      one: { on: { next: 'two' } },
      two: {
        invoke: {
          src: 'flow',
          input: undefined,
          onError: { actions: assign({ refused: ({ event }) => event.error }) },
        },
      },
    },
    invoke: { id: 'first', src: 'flow', input: undefined },
  });
  const actor = createActor(parent, { clock: here.clock as never }).start();
  await here.clock.advance(50);
  const first = actor.getSnapshot().children.first as unknown as FlowActor;
  const { id } = first.getSnapshot().context;
  const persisted = actor.getPersistedSnapshot() as unknown as {
    children: Record<string, object>;
    value: string;
  };
  actor.stop();
  const restored = createActor(parent, {
    snapshot: {
      ...persisted,
      value: 'two',
      children: { ...persisted.children, '0.(machine).two': persisted.children.first },
    } as never,
    clock: here.clock as never,
  }).start();
  await here.clock.advance(0);
  assert.is((restored.getSnapshot().context.refused as JournalError).code, 'under_way');
  assert.is((restored.system.get(`${id}/a`) as FlowActor | undefined)?.getSnapshot().status, 'active');
  restored.stop();
});

test('is known for one on the default engine, of the last 10,000 runs that have left it', async () => {
  const here = world(undefined);
  const leave = (): object => {
    const actor = here.actorOf().start();
    const snapshot = actor.getPersistedSnapshot() as object;
    actor.stop();
    return snapshot;
  };
  const settle = (snapshot: object) => here.clock.run(toPromise(here.actorOf(snapshot).start()));
  const [first, second] = [leave(), leave()];
  await settle(first);
  await settle(second);
  for (let others = 0; others < 9_999; others++) leave();
  assert.is(refusalOf(here, here.actorOf(second)).code, 'stale');
  assert.equal(await settle(first), all);
});
