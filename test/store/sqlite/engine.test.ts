import { createEngine, createFlow, StoreError } from 'topple';
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

test('ends a run whose entries find no room with the code `full`, and no other', async () => {
  const store = await createSqliteStore(':memory:', { maxBytes: 100 * 1_024 });
  const engine = createEngine({ store });
  const flow = (size: number) => createFlow('sized').task('a', { perform: () => 'x'.repeat(size) });
  const [large, small] = await Promise.all([engine.start(flow(200_000)), engine.start(flow(1))]);
  const error = await large.settled().catch((thrown: unknown) => thrown);
  assert.instance(error, StoreError);
  assert.is((error as StoreError).code, 'full');
  assert.match((error as StoreError).message, /could not keep entries .* is used up/);
  assert.is((await small.settled()).status, 'done');
  await engine.stop();
  await store.close();
});
