import { createEngine, createFlow, createMemoryStore, type Entry, type Flow, type RunView } from 'topple';
import * as assert from 'uvu/assert';
import { createActor } from 'xstate';
import { spec } from '../spec.ts';
import { silent, virtualEngine } from '../support/virtual.ts';

const test = spec('undo of actors, snapshots and shared stores');

function world(sleep: (ms: number, signal: AbortSignal) => Promise<void>, undone: string[]): Flow {
  const compensate = async ({ taskId, signal }: { taskId: string; signal: AbortSignal }) => {
    await sleep(100, signal);
    undone.push(taskId);
  };
  const inner = createFlow('inner')
    .task('x', { perform: () => 1, compensate })
    .task('y', { dependsOn: ['x'], perform: () => 1, compensate });
  return createFlow('order')
    .task('a', { perform: () => 1, compensate })
    .flow('inner', { flow: inner, dependsOn: ['a'] })
    .task('b', {
      dependsOn: ['inner'],
      perform: () => {
        throw new Error('no');
      },
    }) as never as Flow;
}

const plain = (entries: readonly Entry[]): unknown[] =>
  entries.map(({ runId: _, ...entry }) =>
    JSON.parse(
      JSON.stringify(entry, (key, value) => (key === 'stack' || key === 'runId' ? undefined : value)),
    ),
  );

test('is the same in an interpreted run', async () => {
  const journals: unknown[][] = [];
  for (const kind of ['logic', 'machine'] as const) {
    const { clock } = virtualEngine();
    const undone: string[] = [];
    const flow = world((ms, signal) => clock.sleep(ms, signal), undone);
    const logic = flow[kind];
    const actor = createActor(logic as never, { clock, input: undefined } as never) as never as {
      start(): void;
      on(type: '*', listener: (entry: Entry) => void): void;
      getSnapshot(): { status: string; value: string; output: unknown };
    };
    const entries: Entry[] = [];
    actor.on('*', (entry) => entries.push(entry));
    actor.start();
    await clock.advance(150);
    assert.is(actor.getSnapshot().value, 'compensating', kind);
    await clock.advance(1_000);
    assert.equal([actor.getSnapshot().status, actor.getSnapshot().value], ['done', 'failed'], kind);
    assert.equal(undone, ['y', 'x', 'a'], kind);
    journals.push(plain(entries));
  }
  assert.ok((journals[0]?.length ?? 0) > 10);
  assert.equal(journals[1], journals[0]);
});

test('goes on from a snapshot that was taken while it was under way', async () => {
  const undone: string[] = [];
  const before = virtualEngine();
  const flow = world((ms, signal) => before.clock.sleep(ms, signal), undone);
  const actor = createActor(
    before.engine.logic(flow) as never,
    { clock: before.clock, input: undefined } as never,
  );
  actor.start();
  await before.clock.advance(150);
  const snapshot = JSON.parse(JSON.stringify(actor.getPersistedSnapshot()));
  actor.stop();
  assert.equal(undone, ['y']);
  const after = virtualEngine({ logger: console });
  const again = world((ms, signal) => after.clock.sleep(ms, signal), undone);
  const restored = createActor(
    after.engine.logic(again) as never,
    { clock: after.clock, snapshot, input: undefined } as never,
  ) as never as { start(): void; getSnapshot(): { value: string; context: RunView } };
  restored.start();
  await after.clock.advance(1_000);
  const { value, context } = restored.getSnapshot();
  assert.is(value, 'failed');
  assert.equal(context.compensation?.tasks, { a: 'undone', inner: 'undone' });
  assert.equal(undone, ['y', 'x', 'a']);
});

test('shows the runs that undo, from the store too, and deep events with their paths', async () => {
  const store = createMemoryStore();
  const { clock, engine } = virtualEngine({ store });
  const flow = world((ms, signal) => clock.sleep(ms, signal), []);
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.run(run.settled());
  const paths = new Set<string>();
  for await (const { path, type } of run.events({ deep: true }))
    if (type === 'task.done' || type === 'task.undone') paths.add(`${path.join('/')} ${type}`);
  assert.equal(
    [...paths].sort(),
    [
      ' task.done',
      ' task.undone',
      'inner task.done',
      'inner task.undone',
      'inner/#undo task.done',
      '#undo task.done',
    ].sort(),
  );
  const other = createEngine({ store, logger: silent });
  await other.recover([flow]);
  for (const id of ['r', 'r/#undo#1', 'r/inner#1', 'r/inner#1/#undo#1']) {
    const [here, there] = [await engine.run(id), await other.run(id)];
    assert.equal(there?.view(), here?.view(), id);
    assert.equal(Object.keys(there?.view().tasks ?? {}).length, id === 'r' ? 3 : 2, id);
  }
});
