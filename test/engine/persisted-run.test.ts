import fc from 'fast-check';
import { createEngine, createFlow, createMemoryStore, type Entry, FlowError, JournalError } from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { createActor, setup, toPromise } from 'xstate';
import { spec } from '../spec.ts';
import { append } from '../support/stores.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('persisted run');

/** A flow with a bit of everything, and what its run looks like after a while, and at its end. */
async function persisted() {
  const clock = createVirtualClock(1_000);
  const time = { clock };
  const engine = createEngine({ clock, logger: silent, random: () => 0.5 });
  const flow = createFlow('persisted')
    .task('first', {
      perform: ({ progress }) => {
        progress(0.5);
        return { n: 1 };
      },
    })
    .task('second', {
      dependsOn: ['first'],
      retry: { maxAttempts: 2, backoff: 10 },
      perform: ({ attempt }) => {
        if (attempt === 1) throw new Error('once');
        return [2];
      },
    })
    .task('third', { dependsOn: ['second'], perform: () => time.clock.sleep(100).then(() => 3) })
    .task('never', { dependsOn: ['third'], triggerRule: 'all_failed', perform: () => 4 });
  const logic = engine.logic(flow);
  const actor = createActor(logic, { input: { some: 'input' }, clock: clock as never }).start();
  await clock.advance(50);
  const active = JSON.stringify(actor.getPersistedSnapshot());
  await clock.run(toPromise(actor));
  const done = JSON.stringify(actor.getPersistedSnapshot());
  return { flow, active, done, time };
}

/** What an engine of its own makes of a snapshot. */
function restore(flow: Awaited<ReturnType<typeof persisted>>['flow'], snapshot: unknown) {
  const clock = createVirtualClock(2_000);
  const engine = createEngine({ clock, logger: silent });
  const actor = createActor(engine.logic(flow), {
    snapshot: snapshot as never,
    input: undefined,
    clock: clock as never,
  });
  return { clock, actor, error: (actor.getSnapshot() as { readonly error?: unknown }).error };
}

test('is refused, with the place, where it is not what a run gave', async () => {
  const { flow, active, done } = await persisted();
  const change = (text: string, to: (snapshot: Record<string, object>) => unknown): unknown => {
    return to(JSON.parse(text));
  };
  const run = (text: string, fields: object): unknown =>
    change(text, (snapshot) => ({ ...snapshot, run: { ...snapshot.run, ...fields } }));
  const cases: readonly (readonly [snapshot: unknown, place: string])[] = [
    ['text', 'snapshot'],
    [{}, 'status'],
    [change(active, (snapshot) => ({ ...snapshot, status: 'busy' })), 'status'],
    [change(active, (snapshot) => ({ ...snapshot, value: 'pending' })), 'value'],
    [change(active, (snapshot) => ({ ...snapshot, run: null })), 'run'],
    [run(active, { id: '' }), 'run.id'],
    [run(active, { flow: 'another' }), 'run.flow'],
    [run(active, { entries: {} }), 'run.entries'],
    [run(active, { entries: [{}] }), 'run.entries[0].type'],
    [change(done, (snapshot) => ({ ...snapshot, status: 'active', value: 'running' })), 'status'],
    [change(active, (snapshot) => ({ ...snapshot, status: 'done', value: 'done' })), 'status'],
    [change(done, (snapshot) => ({ ...snapshot, value: 'failed' })), 'value'],
    [change(done, (snapshot) => ({ ...snapshot, output: { status: 'failed' } })), 'output'],
  ];
  for (const [snapshot, place] of cases) {
    const { actor, error } = restore(flow, snapshot);
    assert.is(actor.getSnapshot().status as string, 'error');
    assert.instance(error, JournalError);
    const { code, place: found, message } = error as JournalError;
    assert.equal([code, found], ['malformed', place]);
    assert.match(message, /^Persisted snapshot of (a run|run "[-0-9a-f]+") of flow `persisted`: /);
  }
});

test('is told to a parent by onError', async () => {
  const { flow } = await persisted();
  const parent = setup({ actors: { flow: flow.logic } }).createMachine({
    initial: 'on',
    states: {
      on: { invoke: { id: 'run', src: 'flow', input: undefined, onError: 'refused' } },
      refused: { type: 'final' },
    },
  });
  const actor = createActor(parent).start();
  const snapshot = JSON.parse(JSON.stringify(actor.getPersistedSnapshot()));
  actor.stop();
  snapshot.children.run.snapshot.run.entries = [{}];
  const restored = createActor(parent, { snapshot });
  restored.start();
  assert.is(restored.getSnapshot().value, 'refused');
});

/** A change to one place of a JSON value, taken by its number among all places. */
const changes = fc.record({
  place: fc.nat(10_000),
  to: fc.oneof(
    fc.constantFrom('delete', 'repeat', 'swap'),
    fc.constantFrom(null, -1, 0, 1, 2.5, 1e21, '', 'first', 'task.done', 'run.started', [], {}, [{}], true),
    fc.jsonValue().map((value) => [value]),
  ),
});

/** All places of a JSON value, from the outside in. */
function placesOf(value: unknown): { owner: Record<string, unknown> | unknown[]; key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.keys(value).flatMap((key) => [
    { owner: value as Record<string, unknown>, key },
    ...placesOf((value as Record<string, unknown>)[key]),
  ]);
}

function mutate(snapshot: object, { place, to }: { readonly place: number; readonly to: unknown }): void {
  const places = placesOf(snapshot);
  const { owner, key } = places[place % places.length] as (typeof places)[number];
  if (!Array.isArray(owner)) {
    if (to === 'delete') delete owner[key];
    else owner[key] = to;
    return;
  }
  const at = Number(key);
  if (to === 'delete') owner.splice(at, 1);
  else if (to === 'repeat') owner.splice(at, 0, owner[at]);
  else if (to === 'swap') owner.splice(at, 2, owner[at + 1], owner[at]);
  else owner[at] = to;
}

test('is either refused before it is started, or gone on with to the end, whatever was changed in it', async () => {
  const { flow, active, done, time } = await persisted();
  const counts = { refused: 0, taken: 0 };
  const property = fc.asyncProperty(
    fc.constantFrom(active, done),
    fc.array(changes, { minLength: 1, maxLength: 3 }),
    async (text, changed) => {
      const snapshot = JSON.parse(text);
      for (const change of changed) mutate(snapshot, change);
      const { clock, actor, error } = restore(flow, snapshot);
      if ((actor.getSnapshot().status as string) === 'error' && snapshot.status !== 'error') {
        counts.refused++;
        assert.ok(error instanceof JournalError || error instanceof FlowError);
        assert.ok(error instanceof FlowError || typeof error.place === 'string');
        return;
      }
      counts.taken++;
      if (snapshot.status !== 'active') return;
      time.clock = clock;
      actor.start();
      const { status } = await clock.run(toPromise(actor));
      const { context } = actor.getSnapshot();
      assert.is(context.status, status);
      assert.ok(Object.values(context.tasks).every((task) => task.endedAt !== undefined));
    },
  );
  await fc.assert(property, { seed: 13, numRuns: 2_000 });
  assert.ok(counts.refused > 1_000 && counts.taken > 100, JSON.stringify(counts));
});

test('a journal in a store that is none is left there, and logged with its place', async () => {
  const store = createMemoryStore();
  const started = { type: 'run.started', at: 1, seq: 1, runId: 'r', version: 1, flow: 'f', flowHash: 'h' };
  append(store, 'r', [started as Entry, {} as Entry], 0);
  const logged: unknown[] = [];
  const { engine } = virtualEngine({
    store,
    logger: { ...silent, error: (message, details) => logged.push([message, details]) },
  });
  const flow = createFlow('f').task('a', { perform: () => 1 });
  (started as { flowHash: string }).flowHash = flow.definition.hash;
  assert.equal(await engine.recover([flow]), []);
  const [[message, error]] = logged as [[string, JournalError]];
  assert.match(message, /Run r of flow `f` cannot be recovered/);
  assert.instance(error, JournalError);
  assert.equal([error.place, store.read('r').length], ['entries[1].type', 2]);
});
