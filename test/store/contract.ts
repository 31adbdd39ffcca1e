import { type Entry, type MaybePromise, type RunFilter, type Store, StoreConflictError } from 'topple';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { appendOf } from '../support/stores.ts';

/** What every store keeps to. Call it with a way to make an empty one. */
export function storeContract(name: string, create: () => MaybePromise<Store>): void {
  const test = spec(`${name}, as every store`);

  test('gives back what was appended, in order', async () => {
    const store = await create();
    await append(store, 'r', [entry(1), entry(2)], 0);
    await append(store, 'r', [entry(3)], 2);
    assert.equal(await store.read('r'), [entry(1), entry(2), entry(3)]);
  });

  test('knows nothing of a run that was never appended to', async () => {
    const store = await create();
    assert.equal(await store.read('r'), []);
    assert.equal(await store.list(), []);
    await store.remove('r');
  });

  test('refuses an append that does not go on from the last entry, and keeps nothing of it', async () => {
    const store = await create();
    await append(store, 'r', [entry(1), entry(2)], 0);
    for (const expectedSeq of [0, 1, 3]) {
      const error = await refusal(() => append(store, 'r', [entry(expectedSeq + 1)], expectedSeq));
      assert.ok(error instanceof StoreConflictError && error.runId === 'r');
    }
    assert.instance(await refusal(() => append(store, 'other', [entry(5)], 4)), StoreConflictError);
    assert.is((await store.read('r')).length, 2);
    assert.equal(await store.read('other'), []);
  });

  test('keeps runs apart', async () => {
    const store = await create();
    for (const runId of ['__proto__', 'r', 'constructor'])
      await append(store, runId, [{ ...entry(1), runId }], 0);
    assert.equal(
      (await store.read('__proto__')).map(({ runId }) => runId),
      ['__proto__'],
    );
    assert.equal(
      (await store.list()).map(({ id }) => id),
      ['__proto__', 'r', 'constructor'],
    );
  });

  test('gives copies: what a caller does to them, or to what it gave, is not kept', async () => {
    const store = await create();
    const given = [entry(1)];
    await append(store, 'r', given, 0);
    given.push(entry(2));
    ((await store.read('r')) as Entry[]).push(entry(2));
    assert.is((await store.read('r')).length, 1);
  });

  test('gives values back as its texts of them have them, or, if it makes no texts, as they are', async () => {
    const store = await create();
    const output = { at: new Date(5) };
    const text = store.values?.write(output);
    output.at = new Date(6);
    const done: Entry = { type: 'task.done', at: 1, attempt: 1, output, seq: 1, runId: 'r', taskId: 'a' };
    await store.append({ ...appendOf('r', [done], 0, []), textAt: () => text });
    const kept = { at: new Date(store.values === undefined ? 6 : 5) };
    assert.equal(await store.read('r'), [{ ...done, output: kept }]);
  });

  test('lists runs by flow and by whether they have settled', async () => {
    const store = await create();
    const started = (runId: string, flow: string): Entry => ({
      type: 'run.started',
      at: 5,
      seq: 1,
      runId,
      version: 1,
      flow,
      flowHash: 'h',
      input: 1,
    });
    await append(store, 'a', [started('a', 'f')], 0);
    await append(
      store,
      'b',
      [started('b', 'g'), { type: 'run.done', at: 9, output: 1, seq: 2, runId: 'b' }],
      0,
    );
    await append(
      store,
      'c',
      [
        { type: 'run.cancelling', at: 1, cause: 'input', seq: 1, runId: 'c' },
        { type: 'run.failed', at: 2, seq: 2, runId: 'c' },
      ],
      0,
    );
    await append(store, 'd', [started('d', 'f'), { type: 'run.cancelled', at: 9, seq: 2, runId: 'd' }], 0);
    const a = { id: 'a', flow: 'f', startedAt: 5, endedAt: null, ending: undefined, seq: 1, order: 1 };
    const b = { id: 'b', flow: 'g', startedAt: 5, endedAt: 9, ending: 'done', seq: 2, order: 2 };
    const c = { id: 'c', flow: '', startedAt: null, endedAt: 2, ending: 'failed', seq: 2, order: 3 };
    const d = { id: 'd', flow: 'f', startedAt: 5, endedAt: 9, ending: 'cancelled', seq: 2, order: 4 };
    assert.equal(await store.list(), [a, b, c, d]);
    assert.equal(await store.list({ settled: false }), [a]);
    assert.equal(await store.list({ settled: true, flow: 'g' }), [b]);
    assert.equal(await store.list({ flow: 'f' }), [a, d]);
  });

  test('lists a page of runs, backwards too, from behind any of them', async () => {
    const store = await create();
    const ids = ['a', 'b', 'c', 'd', 'e'];
    for (const runId of ids) await append(store, runId, [{ ...entry(1), runId }], 0);
    await store.remove('b');
    const list = async (filter: RunFilter) => (await store.list(filter)).map(({ id }) => id);
    assert.equal(await list({ limit: 2 }), ['a', 'c']);
    assert.equal(await list({ newestFirst: true }), ['e', 'd', 'c', 'a']);
    const page = await store.list({ newestFirst: true, limit: 2 });
    assert.equal(
      page.map(({ id }) => id),
      ['e', 'd'],
    );
    const before = page.at(-1)?.order;
    assert.equal(await list({ newestFirst: true, before }), ['c', 'a']);
    await store.remove('d');
    assert.equal(await list({ newestFirst: true, before, limit: 1 }), ['c']);
    assert.equal(await list({ newestFirst: true, before, settled: true }), []);
  });

  test('counts a run that runs again as unsettled', async () => {
    const store = await create();
    await append(store, 'r', [{ type: 'run.done', at: 9, output: 1, seq: 1, runId: 'r' }], 0);
    await append(store, 'r', [{ type: 'task.rerun', at: 10, seq: 2, runId: 'r', taskId: 'a' }], 1);
    assert.is((await store.list({ settled: false })).length, 1);
  });

  test('tells the last `seq` of a run', async () => {
    const store = await create();
    assert.is(await store.lastSeq('r'), 0);
    await append(store, 'r', [entry(1), entry(2)], 0);
    await append(store, 'r', [entry(3)], 2);
    assert.is(await store.lastSeq('r'), 3);
    await store.remove('r');
    assert.is(await store.lastSeq('r'), 0);
  });

  test('reads a long journal in parts, if it does so, as in one', async () => {
    const store = await create();
    const entries = Array.from({ length: 5_000 }, (_, index) => entry(index + 1));
    await append(store, 'r', entries, 0);
    await append(store, 'r', [entry(5_001)], 5_000);
    const read: Entry[] = [];
    for await (const part of store.readInParts?.('r') ?? [await store.read('r')]) read.push(...part);
    assert.equal(read, [...entries, entry(5_001)]);
    for await (const part of store.readInParts?.('unknown') ?? [])
      assert.unreachable(`${part.length} entries`);
  });

  test('keeps outlines of flows, if it does so, the last of each hash', async () => {
    const store = await create();
    if (store.keepFlow === undefined) return;
    const tasks = Array.from({ length: 700 }, (_, index) => ({ id: `t${index}`, dependsOn: ['t "0"'] }));
    await store.keepFlow({ name: 'f', hash: 'h', tasks: [{ id: 'a' }] });
    await store.keepFlow({ name: 'f', hash: 'h', settings: { concurrency: 2 }, tasks });
    await store.keepFlow({ name: 'g "', hash: 'i', tasks: [] });
    const outline = await store.readFlow?.('h');
    assert.equal([outline?.name, outline?.settings, outline?.tasks], ['f', { concurrency: 2 }, tasks]);
    assert.is((await store.readFlow?.('i'))?.name, 'g "');
    assert.is(await store.readFlow?.('unknown'), undefined);
  });

  test('forgets a run, whose id may then be used again', async () => {
    const store = await create();
    await append(store, 'r', [entry(1)], 0);
    await store.remove('r');
    await store.remove('r');
    assert.equal(await store.read('r'), []);
    await append(store, 'r', [entry(1)], 0);
    assert.is((await store.read('r')).length, 1);
  });
}

function entry(seq: number): Entry {
  return { type: 'task.ready', at: seq, seq, runId: 'r', taskId: 'a' };
}

async function append(
  store: Store,
  runId: string,
  entries: readonly Entry[],
  expectedSeq: number,
): Promise<void> {
  await store.append(appendOf(runId, entries, expectedSeq, await store.read(runId)));
}

/** The error of a call that throws or rejects; `undefined` if it does neither. */
async function refusal(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error;
  }
}
