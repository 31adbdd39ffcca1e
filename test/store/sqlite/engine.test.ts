import { createEngine, createFlow } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';

const test = spec('engine on an SQLite store');

test('removes no settled run unless it is told how many to keep', async () => {
  const flow = createFlow('quick').task('a', { perform: () => 1 });
  for (const [keepSettled, kept] of [
    [undefined, 1_010],
    [2, 2],
  ] as const) {
    const store = await createSqliteStore(':memory:');
    const engine = createEngine({ store, keepSettled });
    const runs = await Promise.all(Array.from({ length: 1_010 }, () => engine.start(flow)));
    await Promise.all(runs.map((run) => run.settled()));
    await engine.stop();
    assert.is((await store.list()).length, kept);
    await store.close();
  }
});

test('keeps the outputs of tasks once, whatever their ids', async () => {
  const store = await createSqliteStore(':memory:');
  const engine = createEngine({ store });
  const flow = createFlow('ids')
    .task('__proto__', { perform: () => new Date(1) })
    .task('b', { dependsOn: ['__proto__'], perform: () => undefined });
  const run = await engine.start(flow, undefined, { id: 'r' });
  const outputs = await run.outputs();
  assert.equal(Object.keys(outputs), ['__proto__', 'b']);
  await engine.stop();
  const after = createEngine({ store, flows: [flow] });
  assert.equal(await (await after.run('r'))?.outputs(), outputs);
  await store.close();
});
