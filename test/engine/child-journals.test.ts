import { createFlow, createMemoryStore, type Flow, type PerformScope, type Run } from 'topple';
import * as assert from 'uvu/assert';
import { createActor } from 'xstate';
import type { ItemScope } from '../../src/model/perform.ts';
import { spec } from '../spec.ts';
import { ChanceStore, chance } from '../support/chance-store.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('journals of child runs');

type Noted = Pick<PerformScope, 'taskId' | 'signal' | 'idempotencyKey'>;

/** A list, a flow with a map inside, and a task after. Bodies take 10 ms, and note their keys. */
function world(options: Parameters<typeof virtualEngine>[0] = {}) {
  const { clock, engine } = virtualEngine(options);
  const calls: string[] = [];
  const perform = async ({ taskId, signal, idempotencyKey }: Noted) => {
    calls.push(idempotencyKey);
    await clock.sleep(10, signal);
    return taskId;
  };
  const inner = createFlow('inner')
    .task('x', { perform })
    .map('each', {
      dependsOn: ['x'],
      over: () => ['a', 'b', 'c', 'd'],
      concurrency: 2,
      perform: async (scope: ItemScope<string>) => `${await perform(scope)}${scope.item}`,
    });
  const flow = createFlow('root')
    .task('first', { perform })
    .flow('inner', { dependsOn: ['first'], flow: inner });
  return { clock, engine, calls, flow: flow as never as Flow };
}

const outputs = { first: 'first', inner: { x: 'x', each: ['0a', '1b', '2c', '3d'] } };

test('are part of the persisted snapshot of a run, from which it continues anywhere', async () => {
  for (const at of [5, 15, 25, 35]) {
    const before = world();
    const actor = createActor(before.engine.logic(before.flow), {
      clock: before.clock as never,
      input: undefined,
    });
    actor.start();
    await before.clock.advance(at);
    const snapshot = JSON.parse(JSON.stringify(actor.getPersistedSnapshot()));
    actor.stop();
    const after = world({ store: createMemoryStore() });
    const again = createActor(after.engine.logic(after.flow), {
      clock: after.clock as never,
      snapshot,
      input: undefined,
    });
    const done = new Promise((resolve) =>
      again.subscribe({ complete: () => resolve(again.getSnapshot().output) }),
    );
    again.start();
    assert.equal(await after.clock.run(done), { status: 'done', outputs }, `at ${at}`);
    const settled = before.calls.slice(0, Math.max(0, [1, 2, 4][Math.floor((at - 5) / 10) - 1] ?? 0));
    for (const key of settled) assert.not(after.calls.includes(key), `${key} at ${at}`);
    const runId = snapshot.run.id as string;
    const kept = (await after.engine.run(`${runId}/inner#1`)) as Run | undefined;
    assert.is(kept?.view().status, 'done', `at ${at}`);
  }
});

test('are all in the store of an engine that goes on from a snapshot, whoever goes on with them', async () => {
  const before = world();
  const actor = createActor(before.engine.logic(before.flow), {
    clock: before.clock as never,
    input: undefined,
  });
  actor.start();
  // All that is left is the end of the root.
  await before.clock.run(new Promise<void>((resolve) => actor.subscribe({ complete: resolve })));
  const whole = JSON.parse(JSON.stringify(actor.getPersistedSnapshot()));
  const isEnd = ({ type, taskId }: { type: string; taskId?: string }) =>
    type === 'run.done' || (type === 'task.done' && taskId === 'inner');
  whole.run.entries = whole.run.entries.filter((entry: never) => !isEnd(entry));
  const snapshot = { ...whole, status: 'active', value: 'running', output: undefined };
  for (const isLate of [false, true]) {
    const memory = createMemoryStore();
    const store = isLate ? new ChanceStore(chance(1), { memory }) : memory;
    const after = world({ store });
    const again = createActor(after.engine.logic(after.flow), {
      clock: after.clock as never,
      snapshot,
      input: undefined,
    });
    const done = new Promise<void>((resolve) => again.subscribe({ complete: resolve }));
    again.start();
    await after.clock.run(done);
    assert.equal([again.getSnapshot().output, after.calls], [{ status: 'done', outputs }, []]);
    const { id } = snapshot.run;
    for (const below of [`${id}/inner#1`, `${id}/inner#1/each#1`])
      assert.is(memory.read(below).at(-1)?.type, 'run.done', `${below}, ${isLate}`);
  }
});

test('refuse a persisted snapshot whose children are not what they must be', async () => {
  const { clock, engine, flow } = world();
  const actor = createActor(engine.logic(flow), { clock: clock as never, input: undefined });
  actor.start();
  await clock.advance(25);
  const good = JSON.stringify(actor.getPersistedSnapshot());
  actor.stop();
  const refusal = (
    change: (snapshot: {
      run: { id: string; children: { id: string; entries: { seq: number }[] }[] };
    }) => void,
  ) => {
    const snapshot = JSON.parse(good);
    change(snapshot.run === undefined ? snapshot : snapshot);
    let message = 'taken';
    const refused = createActor(engine.logic(flow), { snapshot, input: undefined });
    refused.subscribe({
      error: (error) => {
        message = (error as Error).message;
      },
    });
    refused.start();
    return message;
  };
  const [first] = JSON.parse(good).run.children;
  assert.match(
    refusal(({ run }) => void Object.assign(run, { children: 7 })),
    /run\.children` must be a list/,
  );
  assert.match(
    refusal(({ run }) => void Object.assign(run.children[0] as object, { id: 'other/inner#1' })),
    /below/,
  );
  assert.match(
    refusal(({ run }) => void Object.assign(run.children[0] as object, { id: `${run.id}/first#1` })),
    /below/,
  );
  assert.match(
    refusal(({ run }) => void Object.assign(run.children[0]?.entries[1] as object, { seq: 9 })),
    /children\[0\]\.entries\[1\]\.seq/,
  );
  assert.ok(first.entries.length > 2);
});

test('are forked with their root: settled ones as they were, others with what had settled', async () => {
  const store = createMemoryStore();
  const { clock, engine, flow, calls } = world({ store });
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.run(run.settled());
  const entries = store.read('r/inner#1/each#1');
  const half = entries.findIndex((entry) => entry.type === 'task.done' && entry.taskId === '1');
  const at = (entries[half] as { at: number }).at;
  calls.length = 0;
  const fork = await engine.fork('r', { at, id: 'f' });
  await clock.run(fork.settled());
  assert.equal(await fork.outputs(), outputs);
  assert.equal(calls, ['f/inner/each/2', 'f/inner/each/3']);
  assert.equal(
    store.list({ under: 'f' }).map(({ id, ending }) => [id, ending]),
    [
      ['f/inner#1', 'done'],
      ['f/inner#1/each#1', 'done'],
    ],
  );
  // Another engine knows the list by the journal alone.
  const later = world({ store });
  await later.clock.advance(clock.now());
  await later.engine.recover([later.flow]);
  const elsewhere = await later.engine.fork('r', { at, id: 'e' });
  await later.clock.run(elsewhere.settled());
  assert.equal(await elsewhere.outputs(), outputs);
  const whole = await engine.fork('r', { id: 'g' });
  await clock.run(whole.settled());
  assert.equal(store.list({ under: 'g' }).length, 2);
  calls.length = 0;
  whole.rerun(['inner']);
  await clock.run(whole.settled());
  assert.is(calls.length, 5);
  store.remove('g');
  assert.equal(store.list({ under: 'g' }), []);
});

test('follow their parent to another version of its flow', async () => {
  const store = createMemoryStore();
  const { clock, engine, flow, calls } = world({ store });
  await engine.start(flow, undefined, { id: 'r' });
  await clock.advance(25);
  await engine.stop();
  assert.equal(calls, ['r/first', 'r/inner/x', 'r/inner/each/0', 'r/inner/each/1']);
  const later = virtualEngine({ store });
  const seen: string[] = [];
  const perform = ({ idempotencyKey, taskId }: Noted) => {
    seen.push(idempotencyKey);
    return taskId;
  };
  const inner = createFlow('inner')
    .task('x', { perform })
    .map('each', { dependsOn: ['x'], over: () => [], perform: (scope: ItemScope) => perform(scope) })
    .task('new', { perform } as never);
  const changed = createFlow('root')
    .task('first', { perform })
    .flow('inner', { dependsOn: ['first'], flow: inner });
  const errors: unknown[] = [];
  const refusing = virtualEngine({
    store,
    logger: {
      info: () => {},
      warn: () => {},
      error: (_: unknown, error: unknown) => errors.push(error),
    } as never,
  });
  assert.equal(await refusing.engine.recover([changed as never]), []);
  assert.match(String(errors[0]), /another version of flow `root`/);
  const [run] = await later.engine.recover([changed as never], { onFlowChange: 'adopt' });
  const view = await later.clock.run((run as Run).settled());
  assert.is(view.status, 'done');
  assert.equal(
    seen.sort(),
    ['r/inner/each/0', 'r/inner/each/1', 'r/inner/each/2', 'r/inner/each/3', 'r/inner/new'].sort(),
  );
  assert.equal(await (run as Run).outputs(), {
    first: 'first',
    inner: { x: 'x', each: ['0', '1', '2', '3'], new: 'new' },
  });
});
