import { createEngine, createFlow, type Engine, type Run } from 'topple';
import { createSqliteStore, type SqliteStore } from 'topple/sqlite';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { spec } from '../spec.ts';
import { tempFile } from '../support/sqlite.ts';
import { silent } from '../support/virtual.ts';

const test = spec('values for runs of other engines');

const inner = createFlow('inner').waitFor('ok');
const flow = createFlow('shared')
  .waitFor('value', { schema: z.object({ at: z.date() }) })
  .flow('child', { flow: inner })
  .waitFor('last', { dependsOn: ['value'] });

interface Party {
  readonly store: SqliteStore;
  readonly engine: Engine;
  close(): Promise<void>;
}

/** An engine with a store of its own on a file, as another process has it. Nobody who lives is held dead. */
async function open(file: string): Promise<Party> {
  const store = await createSqliteStore(file, {
    leaseMs: 3_600_000,
    silenceMs: 3_600_000,
    synchronous: 'normal',
  });
  const engine = createEngine({ store, logger: silent, flows: [flow] });
  const close = async (): Promise<void> => {
    await engine.stop();
    await store.close();
  };
  return { store, engine, close };
}

async function nameOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    (answer) => `no error, but ${answer}`,
    (error: Error & { code?: string }) => `${error.name} ${error.code ?? ''}`.trim(),
  );
}

const at = new Date(5);

test('are taken by the engine that has the run, and refused by its words', async () => {
  const file = tempFile();
  const [one, other] = [await open(file), await open(file)];
  const run = await one.engine.start(flow, undefined, { id: 'r' });
  const { engine } = other;
  assert.is(await nameOf(engine.deliver('r', 'value', { at: 'never' })), 'InputError');
  assert.is(await nameOf(engine.deliver('r', 'valeu', 1)), 'FlowError unknown_task');
  assert.is(await nameOf(engine.deliver('r', 'child', 1)), 'DeliveryError no_wait');
  assert.is(await nameOf(engine.deliver('r', 'value', { at: () => {} })), 'InputError');
  assert.is(await engine.deliver('r', 'value', { at }, { key: 'k' }), 'delivered');
  assert.is(await engine.deliver('r', 'value', { at }, { key: 'k' }), 'already');
  assert.is(await nameOf(engine.deliver('r', 'value', { at })), 'DeliveryError settled');
  assert.is(await engine.deliver('r', ['child', 'ok'], undefined), 'delivered');
  const held = (await engine.run('r')) as Run;
  assert.is(await held.deliver('last', [1]), 'delivered');
  const outputs = await run.outputs();
  assert.equal([outputs.value.at.getTime(), outputs.child, outputs.last], [5, { ok: undefined }, [1]]);
  assert.is(await engine.deliver('r', 'value', { at }, { key: 'k' }), 'already');
  await Promise.all([one.close(), other.close()]);
});

test('are kept for a run that nobody has, which is taken over for this, and given up again', async () => {
  const file = tempFile();
  const one = await open(file);
  await one.engine.start(flow, undefined, { id: 'r' });
  await one.close();
  const other = await open(file);
  const { engine } = other;
  assert.is(await engine.deliver('r', 'value', { at }, { key: 'k' }), 'delivered');
  assert.is(await engine.deliver('r', 'value', { at }, { key: 'k' }), 'already');
  assert.is(await nameOf(engine.deliver('r', 'value', { at })), 'DeliveryError settled');
  assert.is(await engine.deliver('r', 'last', 2), 'delivered');
  const third = await open(file);
  const [run] = (await third.engine.recover([flow])) as Run[];
  assert.equal(run?.view().tasks.last?.output, 2);
  for (let answer = ''; answer !== 'delivered'; )
    answer = await (run as Run).deliver(['child', 'ok'], 3).catch(({ code }) => code);
  assert.equal((await run?.settled())?.status, 'done');
  await Promise.all([other.close(), third.close()]);
});

test('are never held delivered if an earlier topple has the run, which does not know them', async () => {
  const file = tempFile();
  const [one, other] = [await open(file), await open(file)];
  await one.engine.start(flow, undefined, { id: 'r' });
  // It did what it took for a command, and had nothing to say.
  await one.store.watch({ flows: [], requested: () => undefined });
  assert.is(await nameOf(other.engine.deliver('r', 'value', { at })), 'StoreError refused');
  await Promise.all([one.close(), other.close()]);
});
