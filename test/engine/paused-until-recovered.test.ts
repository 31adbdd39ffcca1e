import { createFlow, createMemoryStore, FlowError, type Run } from 'topple';
import { createSqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { tempFile } from '../support/sqlite.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('a run that is paused until it is recovered');

const flow = createFlow('f').task('a', { perform: ({ runId }) => runId });
const options = { id: 'r', paused: 'until_recovered' } as const;

test('starts nothing before it is resumed', async () => {
  const { engine, clock } = virtualEngine();
  const run = await engine.start(flow, undefined, options);
  await clock.advance(1_000);
  assert.is(run.view().status, 'paused');
  run.resume();
  assert.equal(await clock.run(run.outputs()), { a: 'r' });
});

for (const [where, open] of [
  ['in memory', async () => createMemoryStore()],
  ['on disk', () => createSqliteStore(tempFile())],
] as const)
  test(`is resumed by its recovery, ${where}`, async () => {
    const store = await open();
    const before = virtualEngine({ store });
    await before.engine.start(flow, undefined, options);
    await before.engine.stop();
    const after = virtualEngine({ store });
    const [run] = await after.engine.recover([flow]);
    assert.equal(await after.clock.run((run as Run).outputs()), { a: 'r' });
    const types = (await store.read('r')).map(({ type }) => type).filter((type) => type.startsWith('run.'));
    assert.equal(types, ['run.started', 'run.paused', 'run.resumed', 'run.done']);
    await after.engine.stop();
    if ('close' in store) await store.close();
  });

test('stays paused if somebody paused it after it was resumed, or paused a fork of it', async () => {
  const store = createMemoryStore();
  const before = virtualEngine({ store });
  const run = await before.engine.start(flow, undefined, options);
  const fork = await before.engine.fork('r', { id: 'fork' });
  fork.pause();
  run.resume();
  run.pause();
  await before.engine.stop();
  const after = virtualEngine({ store });
  for (const recovered of await after.engine.recover([flow])) {
    await after.clock.advance(1_000);
    assert.is(recovered.view().status, 'paused', recovered.id);
  }
});

test('is cancelled, not resumed, if it was being cancelled', async () => {
  const store = createMemoryStore();
  const before = virtualEngine({ store });
  const run = await before.engine.start(flow, undefined, options);
  run.cancel('no');
  assert.is((await run.settled()).status, 'cancelled');
});

test('has a word of its own', async () => {
  const { engine } = virtualEngine();
  const start = engine.start(flow, undefined, { paused: 'yes' as never });
  const error = await start.then(
    () => assert.unreachable('it started') as never,
    (refused: Error) => refused,
  );
  assert.instance(error, FlowError);
  assert.is(
    (error as Error).message,
    '`paused` of flow `f` must be true, false or `until_recovered`, but is "yes"',
  );
});
