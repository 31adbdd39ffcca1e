import { type Entry, type RunFilter, type Store, StoreConflictError } from 'topple';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';

/** What every store keeps to. Call it with a way to make an empty one. */
export function storeContract(name: string, create: () => Store): void {
  const test = spec(`${name}, as every store`);

  test('gives back what was appended, in order', () => {
    const store = create();
    store.append('r', [entry(1), entry(2)], 0);
    store.append('r', [entry(3)], 2);
    assert.equal(store.read('r'), [entry(1), entry(2), entry(3)]);
  });

  test('knows nothing of a run that was never appended to', () => {
    const store = create();
    assert.equal(store.read('r'), []);
    assert.equal(store.list(), []);
    store.remove('r');
  });

  test('refuses an append that does not go on from the last entry, and keeps nothing of it', () => {
    const store = create();
    store.append('r', [entry(1), entry(2)], 0);
    for (const expectedSeq of [0, 1, 3]) {
      assert.throws(
        () => store.append('r', [entry(expectedSeq + 1)], expectedSeq),
        (error: unknown) => error instanceof StoreConflictError && error.runId === 'r',
      );
    }
    assert.throws(
      () => store.append('other', [entry(5)], 4),
      (error: unknown) => error instanceof StoreConflictError,
    );
    assert.is(store.read('r').length, 2);
    assert.equal(store.read('other'), []);
  });

  test('keeps runs apart', () => {
    const store = create();
    for (const runId of ['__proto__', 'r', 'constructor']) store.append(runId, [{ ...entry(1), runId }], 0);
    assert.equal(
      store.read('__proto__').map(({ runId }) => runId),
      ['__proto__'],
    );
    assert.equal(
      store.list().map(({ id }) => id),
      ['__proto__', 'r', 'constructor'],
    );
  });

  test('gives copies: what a caller does to them, or to what it gave, is not kept', () => {
    const store = create();
    const given = [entry(1)];
    store.append('r', given, 0);
    given.push(entry(2));
    (store.read('r') as Entry[]).push(entry(2));
    assert.is(store.read('r').length, 1);
  });

  test('lists runs by flow and by whether they have settled', () => {
    const store = create();
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
    store.append('a', [started('a', 'f')], 0);
    store.append('b', [started('b', 'g'), { type: 'run.done', at: 9, output: 1, seq: 2, runId: 'b' }], 0);
    store.append(
      'c',
      [
        { type: 'run.cancelling', at: 1, cause: 'input', seq: 1, runId: 'c' },
        { type: 'run.failed', at: 2, seq: 2, runId: 'c' },
      ],
      0,
    );
    store.append('d', [started('d', 'f'), { type: 'run.cancelled', at: 9, seq: 2, runId: 'd' }], 0);
    const a = { id: 'a', flow: 'f', startedAt: 5, endedAt: null, ending: undefined, seq: 1, order: 1 };
    const b = { id: 'b', flow: 'g', startedAt: 5, endedAt: 9, ending: 'done', seq: 2, order: 2 };
    const c = { id: 'c', flow: '', startedAt: null, endedAt: 2, ending: 'failed', seq: 2, order: 3 };
    const d = { id: 'd', flow: 'f', startedAt: 5, endedAt: 9, ending: 'cancelled', seq: 2, order: 4 };
    assert.equal(store.list(), [a, b, c, d]);
    assert.equal(store.list({ settled: false }), [a]);
    assert.equal(store.list({ settled: true, flow: 'g' }), [b]);
    assert.equal(store.list({ flow: 'f' }), [a, d]);
  });

  test('lists a page of runs, backwards too, from behind any of them', () => {
    const store = create();
    const ids = ['a', 'b', 'c', 'd', 'e'];
    for (const runId of ids) store.append(runId, [{ ...entry(1), runId }], 0);
    store.remove('b');
    const list = (filter: RunFilter) => store.list(filter).map(({ id }) => id);
    assert.equal(list({ limit: 2 }), ['a', 'c']);
    assert.equal(list({ newestFirst: true }), ['e', 'd', 'c', 'a']);
    const page = store.list({ newestFirst: true, limit: 2 });
    assert.equal(
      page.map(({ id }) => id),
      ['e', 'd'],
    );
    const before = page.at(-1)?.order;
    assert.equal(list({ newestFirst: true, before }), ['c', 'a']);
    store.remove('d');
    assert.equal(list({ newestFirst: true, before, limit: 1 }), ['c']);
    assert.equal(list({ newestFirst: true, before, settled: true }), []);
  });

  test('counts a run that runs again as unsettled', () => {
    const store = create();
    store.append('r', [{ type: 'run.done', at: 9, output: 1, seq: 1, runId: 'r' }], 0);
    store.append('r', [{ type: 'task.rerun', at: 10, seq: 2, runId: 'r', taskId: 'a' }], 1);
    assert.is(store.list({ settled: false }).length, 1);
  });

  test('forgets a run, whose id may then be used again', () => {
    const store = create();
    store.append('r', [entry(1)], 0);
    store.remove('r');
    store.remove('r');
    assert.equal(store.read('r'), []);
    store.append('r', [entry(1)], 0);
    assert.is(store.read('r').length, 1);
  });
}

function entry(seq: number): Entry {
  return { type: 'task.ready', at: seq, seq, runId: 'r', taskId: 'a' };
}
