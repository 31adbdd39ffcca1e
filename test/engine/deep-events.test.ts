import { createFlow, type Entry, type Flow, type MemoryStore, type PerformScope, type Run } from 'topple';
import * as assert from 'uvu/assert';
import type { ItemScope } from '../../src/model/perform.ts';
import { spec } from '../spec.ts';
import { notingStore } from '../support/cut-store.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('events of a run and all below it');

type Deep = Entry & { readonly path: readonly string[] };

/** A retry of a child, a map, and a flow in a flow. */
async function world(given?: MemoryStore) {
  const store = given ?? notingStore().store;
  const { clock, engine } = virtualEngine({ store });
  let fails = true;
  const perform = async ({ taskId, signal }: Pick<PerformScope, 'taskId' | 'signal'>) => {
    await clock.sleep(10, signal);
    if (taskId === 'y' && fails) {
      fails = false;
      throw new Error('at first');
    }
    return taskId;
  };
  const inner = createFlow('inner')
    .task('x', { perform })
    .task('y', { dependsOn: ['x'], perform });
  const middle = createFlow('middle').flow('inner', { flow: inner, retry: { maxAttempts: 2, backoff: 5 } });
  const flow = createFlow('root')
    .map('each', { over: () => ['a', 'b'], perform: (scope: ItemScope) => perform(scope) })
    .flow('middle', { flow: middle }) as never as Flow;
  const run = given ? undefined : ((await engine.start(flow, undefined, { id: 'r' })) as Run);
  return { store, clock, engine, flow, run: run as Run };
}

const told = ({ path, type, ...entry }: Deep) =>
  [path.join('/'), type, 'taskId' in entry ? entry.taskId : ''].filter((part) => part !== '').join(' ');

async function all(events: AsyncIterable<Deep>) {
  const entries: Deep[] = [];
  for await (const entry of events) entries.push(entry);
  return entries;
}

test('come with their paths', async () => {
  const { clock, run } = await world();
  const heard: Deep[] = [];
  const failed: Deep[] = [];
  run.on('*', (entry) => heard.push(entry), { deep: true });
  const { unsubscribe } = run.on('task.failed', (entry) => failed.push(entry), { deep: true });
  await clock.run(run.settled());
  assert.equal(failed.map(told), ['middle/inner task.failed y']);
  unsubscribe();
  assert.ok(heard.map(told).includes('each task.done 1'));
  assert.ok(heard.map(told).includes('middle/inner task.done x'));
  assert.ok(heard.map(told).includes('run.done'));
});

/** Each in this order, whatever else comes between. */
const causes = [
  'run.started',
  'task.started middle',
  'middle run.started',
  'middle task.started inner',
  'middle/inner run.started',
  'middle/inner task.failed y',
  'middle/inner run.failed',
  'middle task.retrying inner',
  'middle/inner task.rerun y',
  'middle/inner run.done',
  'middle task.done inner',
  'middle run.done',
  'task.done middle',
  'run.done',
];

test('are read as one journal: each child between the start and the end of the attempt whose body it is', async () => {
  const { clock, run, engine, flow, store } = await world();
  const reading = all(run.events({ deep: true }));
  await clock.run(run.settled());
  const live = await reading;
  const late = await all(run.events({ deep: true }));
  // At one instant, entries of runs that have nothing to do with each other come as they may.
  const sorted = (entries: readonly Deep[]) =>
    [...entries].sort((a, b) => a.at - b.at || a.runId.localeCompare(b.runId) || a.seq - b.seq);
  assert.equal(sorted(late), sorted(live));
  const stored = virtualEngine({ store, flows: [flow] });
  const found = (await stored.engine.run('r')) as Run;
  const read = await all(found.events({ deep: true }));
  assert.equal(read, late);
  for (const entries of [live, read]) {
    const lines = entries.map(told);
    const places = causes.map((line) => lines.indexOf(line));
    assert.equal(
      places,
      [...places].sort((one, other) => one - other),
    );
    assert.not(places.includes(-1));
    const seqs = new Map<string, number[]>();
    for (const { runId, seq } of entries) seqs.set(runId, [...(seqs.get(runId) ?? []), seq]);
    for (const [runId, of] of seqs)
      assert.equal(
        of,
        Array.from(of, (_, index) => index + 1),
        runId,
      );
    assert.equal([...seqs.keys()].sort(), ['r', 'r/each#1', 'r/middle#1', 'r/middle#1/inner#1']);
  }
  await engine.stop();
});

test('go on with the journals of runs that were found in the store before they were recovered', async () => {
  const before = await world();
  await before.clock.advance(12);
  await before.engine.stop();
  const after = await world(before.store);
  const [run] = (await after.engine.recover([after.flow])) as Run[];
  const reading = all((run as Run).events({ deep: true }));
  await after.clock.run((run as Run).settled());
  const seqs = new Map<string, number>();
  for (const { runId, seq } of await reading) {
    assert.is(seq, (seqs.get(runId) ?? 0) + 1, runId);
    seqs.set(runId, seq);
  }
  for (const id of ['r', 'r/each#1', 'r/middle#1', 'r/middle#1/inner#1'])
    assert.is(seqs.get(id), before.store.read(id).length, id);
});

test('can be read of a child alone, and end when the reader lets go', async () => {
  const { clock, engine, run } = await world();
  await clock.advance(5);
  const child = (await engine.run('r/middle#1')) as Run;
  const stop = new AbortController();
  const reading = all(child.events({ deep: true, signal: stop.signal }));
  await clock.advance(12);
  stop.abort();
  const lines = (await reading).map(told);
  assert.equal(lines.slice(0, 3), ['run.started', 'task.ready inner', 'task.started inner']);
  assert.ok(lines.includes('inner task.done x'));
  await clock.run(run.settled());
  const refused = run.events({ deep: true, after: 3 } as never).next();
  assert.match(await refused.then(String, String), /`after` of `run.events` must be left out/);
});

test('count the tasks of child runs in views, as they settle and afterwards', async () => {
  const { clock, run } = await world();
  await clock.advance(12);
  const counts = { total: 2, done: 2, failed: 0, skipped: 0, upstream_failed: 0, cancelled: 0 };
  assert.equal(run.view().tasks.each?.child, { runId: 'r/each#1', counts });
  assert.equal(run.view().tasks.middle?.child, {
    runId: 'r/middle#1',
    counts: { ...counts, total: 1, done: 0 },
  });
  await clock.run(run.settled());
  assert.equal(run.view().tasks.middle?.child?.counts, { ...counts, total: 1, done: 1 });
  assert.equal(run.view({ seq: run.seq }).tasks.middle?.child, run.view().tasks.middle?.child);
});
