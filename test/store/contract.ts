import {
  type Entry,
  type MaybePromise,
  type RunFilter,
  type RunSummary,
  type Store,
  StoreConflictError,
} from 'topple';
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
    await keep(store, 'r/a#1');
    const id = 'r/a#1';
    await append(store, id, [{ type: 'run.done', at: 9, output: 1, seq: 2, runId: id }], 1);
    assert.is((await store.list({ under: 'r', settled: true })).length, 1);
    await append(store, id, [{ type: 'task.rerun', at: 10, seq: 3, runId: id, taskId: 'a' }], 2);
    const [run] = await store.list({ under: 'r', settled: false });
    assert.equal([run?.endedAt, run?.ending, run?.seq], [null, undefined, 3]);
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

  test('keeps the journals of child runs as any other', async () => {
    const store = await create();
    for (const id of ['r', 'r/a#1', 'r/a#1/b#1']) await append(store, id, [entry(1, id)], 0);
    await append(store, 'r/a#1', [entry(2, 'r/a#1'), entry(3, 'r/a#1')], 1);
    assert.equal(await store.read('r'), [entry(1)]);
    assert.equal(
      await store.read('r/a#1'),
      [1, 2, 3].map((seq) => entry(seq, 'r/a#1')),
    );
    assert.equal(
      await Promise.all(['r/a#1', 'r/a#1/b#1', 'r/a#2'].map((id) => store.lastSeq(id))),
      [3, 1, 0],
    );
    const parts: Entry[] = [];
    for await (const part of store.readInParts?.('r/a#1/b#1') ?? [await store.read('r/a#1/b#1')])
      parts.push(...part);
    assert.equal(parts, [entry(1, 'r/a#1/b#1')]);
    for (const [id, expectedSeq] of [
      ['r/a#1', 0],
      ['r/a#1', 2],
      ['r/a#2', 1],
    ] as const) {
      const error = await refusal(() => append(store, id, [entry(expectedSeq + 1, id)], expectedSeq));
      assert.ok(error instanceof StoreConflictError && error.runId === id);
    }
  });

  test('refuses a child run without its root or its parent, and keeps nothing of it', async () => {
    const store = await create();
    await keep(store, 'r', 'r/a#1');
    for (const [id, missing] of [
      ['s/a#1', 's'],
      ['r/b#1/c#1', 'r/b#1'],
      ['/a#1', ''],
    ] as const) {
      const error = await refusal(() => append(store, id, [entry(1, id)], 0));
      assert.instance(error, StoreConflictError);
      assert.match((error as Error).message, `is below run ${missing}, which the store does not have`);
      assert.is((error as StoreConflictError).runId, id);
      assert.equal(await store.read(id), []);
    }
    await store.remove('r');
    for (const expectedSeq of [0, 1])
      assert.instance(
        await refusal(() => append(store, 'r/a#1', [entry(expectedSeq + 1, 'r/a#1')], expectedSeq)),
        StoreConflictError,
      );
    assert.equal(await store.list(), []);
  });

  test('lists the runs below a run when asked for them, and roots otherwise', async () => {
    const store = await create();
    await keep(store, 'r', 'r/a#1', 's', 'r/a#1/b#1', 'r/a#10', 's/a#1', 'r/a#1/b#1/c#1', 'r/a%2Fb#1', 'rr');
    await append(store, 'r/a#1/b#1', [{ type: 'run.done', at: 9, output: 1, seq: 2, runId: 'r/a#1/b#1' }], 1);
    const list = async (filter: RunFilter) => (await store.list(filter)).map(({ id }) => id);
    const belowR = ['r/a#1', 'r/a#1/b#1', 'r/a#10', 'r/a#1/b#1/c#1', 'r/a%2Fb#1'];
    assert.equal(await list({}), ['r', 's', 'rr']);
    assert.equal(await list({ under: 'r' }), belowR);
    assert.equal(await list({ under: 'r', newestFirst: true }), belowR.toReversed());
    assert.equal(await list({ under: 'r/a#1' }), ['r/a#1/b#1', 'r/a#1/b#1/c#1']);
    assert.equal(await list({ under: 'r/a#1', newestFirst: true }), ['r/a#1/b#1/c#1', 'r/a#1/b#1']);
    for (const under of ['rr', 'r/a#10', 'r/a#2', 'unknown', 'unknown/a#1', 'r/a', ''])
      assert.equal(await list({ under }), [], under);
    assert.equal(await list({ under: 'r', settled: true }), ['r/a#1/b#1']);
    assert.equal(
      await list({ under: 'r/a#1', settled: false, flow: 'r/a#1/b#1/c#1' }),
      ['r/a#1/b#1/c#1'],
      'each is of a flow of its own',
    );
    const orders = (await store.list({ under: 'r' })).map(({ order }) => order);
    assert.equal(
      orders,
      [...new Set(orders)].sort((a, b) => a - b),
    );
    const settled = { id: 'r/a#1/b#1', flow: 'r/a#1/b#1', startedAt: 1, endedAt: 9, ending: 'done', seq: 2 };
    assert.equal(await store.list({ under: 'r/a#1', limit: 1 }), [{ ...settled, order: orders[1] }]);
  });

  test('lists a page of the runs below a run, from behind any of them', async () => {
    const store = await create();
    await keep(store, 'r', 'r/a#1', 'r/b#1', 'r/a#1/x#1', 'r/a#1/y#1', 'r/a#1/z#1');
    for (const under of ['r', 'r/a#1']) {
      const all = await store.list({ under, newestFirst: true });
      const pages: RunSummary[] = [];
      for (let before: number | undefined; ; before = pages.at(-1)?.order) {
        const page = await store.list({ under, newestFirst: true, before, limit: 2 });
        if (page.length === 0) break;
        assert.ok(page.length <= 2);
        pages.push(...page);
      }
      assert.equal(pages, all);
      assert.equal(await store.list({ under, limit: 2 }), all.toReversed().slice(0, 2));
    }
  });

  test('removes a run with all below it, and no other', async () => {
    const store = await create();
    await keep(store, 'r', 'r/a#1', 'r/a#1/b#1', 'r/a#10', 'r/a%23#1', 's', 's/a#1');
    const below = async (under: string) => (await store.list({ under })).map(({ id }) => id);
    await store.remove('r/a#1');
    await store.remove('r/a#1');
    await store.remove('unknown/a#1');
    assert.equal(await below('r'), ['r/a#10', 'r/a%23#1']);
    assert.equal(
      await Promise.all(['r/a#1', 'r/a#1/b#1', 'r/a#10'].map((id) => store.lastSeq(id))),
      [0, 0, 1],
    );
    await keep(store, 'r/a#1', 'r/a#1/b#1');
    assert.equal(await below('r/a#1'), ['r/a#1/b#1']);
    await store.remove('r');
    assert.equal(await below('r'), []);
    for (const id of ['r', 'r/a#1', 'r/a#1/b#1', 'r/a#10']) assert.equal(await store.read(id), []);
    assert.equal(await below('s'), ['s/a#1']);
    await keep(store, 'r', 'r/a#1');
    assert.equal(await below('r'), ['r/a#1'], 'the ids may be used again at once');
  });

  test('keeps a tree as a whole, if it does so, or nothing of it', async () => {
    const store = await create();
    if (store.appendTree === undefined) return;
    const tree = (...ids: string[]) => ids.map((id) => appendOf(id, [start(id), entry(2, id)], 0, []));
    await store.appendTree([]);
    await store.appendTree(tree('r', 'r/a#1', 'r/a#1/b#1'));
    assert.equal(await store.read('r/a#1/b#1'), [start('r/a#1/b#1'), entry(2, 'r/a#1/b#1')]);
    for (const ids of [
      ['s', 's/a#1/b#1'],
      ['s', 's/a#1', 's/a#1'],
      ['s', 'r/c#1'],
      ['s', 's/a#1', 't'],
      ['r', 'r/c#1'],
      ['r/c#1'],
    ]) {
      const error = await refusal(() => store.appendTree?.(tree(...ids)));
      assert.instance(error, StoreConflictError, ids.join());
    }
    assert.equal(
      (await store.list()).map(({ id }) => id),
      ['r'],
    );
    assert.is((await store.list({ under: 'r' })).length, 2);
    assert.is(await store.lastSeq('s'), 0);
    await store.append(appendOf('r/a#1', [entry(3, 'r/a#1')], 2, []));
    assert.is(await store.lastSeq('r/a#1'), 3);
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

function entry(seq: number, runId = 'r'): Entry {
  return { type: 'task.ready', at: seq, seq, runId, taskId: 'a' };
}

/** The start of a run of a flow that has the same name. */
function start(runId: string): Entry {
  return { type: 'run.started', at: 1, seq: 1, runId, version: 1, flow: runId, flowHash: 'h', input: 1 };
}

/** Begins runs, in that order. */
async function keep(store: Store, ...runIds: readonly string[]): Promise<void> {
  for (const runId of runIds) await append(store, runId, [start(runId)], 0);
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
