import { createFlow, createMemoryStore, type Run, StoreConflictError } from 'topple';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { lateReadingStore, storeOver } from '../support/stores.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('start');

const quick = createFlow('quick').task('a', { perform: () => 1 });
const endless = createFlow('endless').task('a', { perform: () => new Promise(() => {}) });
const empty = createFlow('empty');

/** Why a start was refused, as text. */
async function refusalOf(starting: Promise<unknown>): Promise<string> {
  const error = await starting.then(
    () => undefined,
    (refusal: unknown) => refusal,
  );
  assert.instance(error, StoreConflictError);
  const { runId, message } = error as StoreConflictError;
  return `${runId}: ${message}`;
}

test('asks the store nothing, but to keep', async () => {
  const memory = createMemoryStore();
  const asked: string[] = [];
  const store = storeOver(memory, {
    lastSeq(id) {
      asked.push('lastSeq');
      return memory.lastSeq(id);
    },
    read(id) {
      asked.push('read');
      return memory.read(id);
    },
    list(filter) {
      asked.push('list');
      return memory.list(filter);
    },
  });
  const { clock, engine } = virtualEngine({ store });
  const run = await engine.start(quick, undefined, { id: 'r' });
  await clock.run(run.settled());
  assert.equal([asked, memory.read('r').length], [[], run.seq]);
});

test('is refused where a store that takes its time has the id', async () => {
  const memory = createMemoryStore();
  const first = virtualEngine({ store: memory });
  await first.engine.start(quick, undefined, { id: 'r' });
  const { clock, engine } = virtualEngine({ store: lateReadingStore(memory, () => clock.sleep(10)) });
  assert.is(await refusalOf(engine.start(quick, undefined, { id: 'r' })), 'r: There is a run r already');
  assert.is(clock.now(), 0);
});

for (const inspect of [undefined, () => {}]) {
  for (const flow of [endless, empty]) {
    const which = `${flow.name} flow${inspect === undefined ? '' : ', inspected'}`;

    test(`that is refused leaves the live run of its id alone (${which})`, async () => {
      const { clock, engine } = virtualEngine({ inspect });
      const slow = createFlow('slow').task('a', { perform: () => clock.sleep(10).then(() => 'mine') });
      const run = await engine.start(slow, undefined, { id: 'r' });
      assert.is(await refusalOf(engine.start(flow, undefined, { id: 'r' })), 'r: There is a run r already');
      assert.is(await engine.run('r'), run);
      assert.equal(await clock.run(run.outputs()), { a: 'mine' });
    });

    test(`that is refused leaves the settled run of its id in memory (${which})`, async () => {
      const store = createMemoryStore();
      const { clock, engine } = virtualEngine({ store, inspect });
      const run = await engine.start(quick, undefined, { id: 'r' });
      await clock.run(run.settled());
      const before = [run.view(), store.read('r'), await engine.runs()];
      const signal = new AbortController().signal;
      const options = { id: 'r', paused: true, signal };
      assert.is(await refusalOf(engine.start(flow, undefined, options)), 'r: There is a run r already');
      await clock.advance(10);
      assert.is(await engine.run('r'), run);
      assert.equal([run.view(), store.read('r'), await engine.runs()], before);
      run.rerun();
      assert.is((await clock.run(run.settled())).status, 'done');
      assert.is(clock.pending, 0);
    });

    test(`that is refused leaves a run of its id that only the store has (${which})`, async () => {
      const store = createMemoryStore();
      const first = virtualEngine({ store });
      const { seq } = await first.engine.start(endless, undefined, { id: 'r' });
      await first.engine.stop();
      const { clock, engine } = virtualEngine({ store, inspect, flows: [endless] });
      const held = (await engine.run('r')) as Run;
      assert.is(await refusalOf(engine.start(flow, undefined, { id: 'r' })), 'r: There is a run r already');
      await clock.advance(10);
      assert.equal([store.read('r').length, held.view().status], [seq, 'running']);
      const [run] = await engine.recover([endless]);
      assert.is(run?.id, 'r');
    });
  }
}

test('takes the place of a settled run that the store has forgotten', async () => {
  const store = createMemoryStore();
  const { clock, engine } = virtualEngine({ store, keepSettled: 2 });
  for (const flow of [quick, empty]) {
    const old = await engine.start(flow, undefined, { id: flow.name });
    await clock.run(old.settled());
    store.remove(flow.name);
    const run = await engine.start(flow, undefined, { id: flow.name });
    assert.is(await engine.run(flow.name), run);
    await clock.run(run.settled());
    assert.is(await engine.run(flow.name), run);
  }
  assert.equal(
    (await engine.runs()).map(({ id }) => id),
    ['quick', 'empty'],
  );
});

test('outlives the settled runs whose place it took', async () => {
  const store = createMemoryStore();
  const { clock, engine } = virtualEngine({ store, keepSettled: 1 });
  const old = await engine.start(quick, undefined, { id: 'r' });
  await clock.run(old.settled());
  store.remove('r');
  const run = await engine.start(endless, undefined, { id: 'r' });
  const other = await engine.start(quick, undefined, { id: 'other' });
  await clock.run(other.settled());
  assert.equal(
    (await engine.runs()).map(({ id }) => id),
    ['r', 'other'],
  );
  assert.is(await engine.run('r'), run);
});

test('gives the error of a store that cannot keep as it is', async () => {
  const broken = new Error('disk full');
  const memory = createMemoryStore();
  const store = storeOver(memory, {
    append: () => {
      throw broken;
    },
  });
  const { engine } = virtualEngine({ store });
  for (const flow of [quick, empty]) {
    const error = await engine.start(flow, undefined, { id: 'r' }).catch((refusal: unknown) => refusal);
    assert.is(error, broken);
  }
  assert.is(await engine.run('r'), undefined);
});

test('that is refused is kept nowhere later, when its id is free', async () => {
  const store = createMemoryStore();
  const { clock, engine } = virtualEngine({ store });
  await clock.run((await engine.start(quick, undefined, { id: 'r' })).settled());
  await refusalOf(engine.start(endless, undefined, { id: 'r' }));
  store.remove('r');
  await clock.advance(10);
  assert.equal(store.read('r'), []);
});
