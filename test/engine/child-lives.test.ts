import { readFileSync } from 'node:fs';
import { createFlow, createMemoryStore, type Entry, type Flow, type MemoryStore, type Run } from 'topple';
import * as assert from 'uvu/assert';
import type { PerformScope } from '../../src/model/perform.ts';
import { spec } from '../spec.ts';
import { append } from '../support/stores.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('lives of child runs');

type Scope = Pick<PerformScope, 'idempotencyKey' | 'signal'>;

/** A flow that is retried, with a flow and a map of flows in it; each `y` fails at first. */
function world(failures = 2, store: MemoryStore = createMemoryStore()) {
  const { clock, engine } = virtualEngine({ store });
  const calls: string[] = [];
  const inputs: string[] = [];
  const failed = new Map<string, number>();
  const perform = async ({ idempotencyKey: key, signal }: Scope) => {
    calls.push(key);
    await clock.sleep(10, signal);
    const count = failed.get(key) ?? 0;
    if (!key.endsWith('y') || count >= failures) return key;
    failed.set(key, count + 1);
    throw new Error('at first');
  };
  const note = (key: string) => void inputs.push(key);
  const inmost = createFlow('inmost')
    .task('x', { perform })
    .task('y', { dependsOn: ['x'], perform });
  const middle = createFlow('middle')
    .task('w', { perform })
    .flow('in', { flow: inmost, input: (scope) => note(scope.idempotencyKey) })
    .map('each', {
      over: (scope) => {
        note(scope.idempotencyKey);
        return ['a', 'b'];
      },
      perform: inmost,
    });
  const flow = createFlow('root').flow('p', { flow: middle, retry: { maxAttempts: 3, backoff: 5 } });
  const idsUnder = (id: string) => store.list({ under: id }).map((run) => run.id);
  return { clock, engine, store, calls, inputs, flow: flow as never as Flow, idsUnder };
}

function counted(keys: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of keys.toSorted()) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

const once = ['r/p/w', 'r/p/in/x', 'r/p/each/0/x', 'r/p/each/1/x'];
const again = ['r/p/in/y', 'r/p/each/0/y', 'r/p/each/1/y'];
const tree = ['r/p#1', 'r/p#1/in#1', 'r/p#1/each#1', 'r/p#1/each#1/0#1', 'r/p#1/each#1/1#1'];

/** Each entry that has a task run again, with the attempt above that does so. */
const rerunsOf = (entries: readonly Entry[]) =>
  entries.flatMap((entry) =>
    entry.type === 'task.rerun' ? [[entry.taskId, entry.keepsLife, entry.keepsDone, entry.parent]] : [],
  );

test('stay over retries at any depth: what failed inside is repeated where it is', async () => {
  const { clock, engine, store, calls, inputs, flow, idsUnder } = world();
  const run = await engine.start(flow, undefined, { id: 'r' });
  const view = await clock.run(run.settled());
  assert.is(view.status, 'done');
  assert.equal(counted(calls), counted([...once, ...again, ...again, ...again]));
  assert.equal(inputs, ['r/p/in', 'r/p/each'], 'made once in each life');
  assert.equal(idsUnder('r').toSorted(), tree.toSorted());
  const above = (attempt: number) => ({ runId: 'r', taskId: 'p', life: 1, attempt });
  assert.equal(rerunsOf(store.read('r/p#1')), [
    ['in', true, undefined, above(2)],
    ['each', true, undefined, above(2)],
    ['in', true, undefined, above(3)],
    ['each', true, undefined, above(3)],
  ]);
  const inRound = (round: number) => ({ runId: 'r/p#1', taskId: 'in', life: 1, attempt: 1, round });
  assert.equal(rerunsOf(store.read('r/p#1/in#1')), [
    ['y', undefined, undefined, inRound(1)],
    ['y', undefined, undefined, inRound(2)],
  ]);
});

test('stay where the process ends after any append', async () => {
  const whole = world();
  const { journal, cuts } = await noting(whole);
  for (const cut of cuts) {
    const store = createMemoryStore();
    for (const entry of journal.slice(0, cut)) append(store, entry.runId, [entry], entry.seq - 1);
    const next = world(0, store);
    await next.clock.advance(journal[cut - 1]?.at ?? 0);
    const [run] = await next.engine.recover([next.flow]);
    if (run === undefined) continue;
    const view = await next.clock.run(run.settled());
    assert.is(view.status, 'done', `cut ${cut}`);
    const stray = next.idsUnder('r').filter((id) => !tree.includes(id));
    assert.equal(stray, [], `cut ${cut}`);
    assert.ok(
      store.list({ under: 'r' }).every(({ ending }) => ending !== undefined),
      `cut ${cut}`,
    );
    for (const key of new Set(next.calls)) {
      const done = journal
        .slice(0, cut)
        .some((entry) => entry.type === 'task.done' && entry.output === key && !key.endsWith('y'));
      assert.not(done, `cut ${cut}: ${key} is performed again`);
    }
  }
});

/** Runs to the end, and notes all entries in the order in which they are kept. */
async function noting({ clock, engine, store, flow }: ReturnType<typeof world>) {
  const journal: Entry[] = [];
  /** How many entries there are after each append. */
  const cuts: number[] = [];
  const { append: keep } = store;
  store.append = (given) => {
    keep.call(store, given);
    cuts.push(journal.push(...given.entries));
  };
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.run(run.settled());
  return { journal, cuts, run };
}

test('show their retries between the attempts above, in events of the whole tree', async () => {
  const before = world();
  const { run } = await noting(before);
  const place = new Map<string, number>();
  const told: string[] = [];
  for await (const entry of run.events({ deep: true })) {
    assert.is(entry.seq, (place.get(entry.runId) ?? 0) + 1);
    place.set(entry.runId, entry.seq);
    const isOfInner = entry.runId === 'r/p#1' && 'taskId' in entry && entry.taskId === 'in';
    if (isOfInner || entry.runId === 'r/p#1/in#1') told.push(`${entry.runId.length} ${entry.type}`);
  }
  const started = told.flatMap((one, index) => (one === '5 task.started' ? [index] : []));
  const repeated = told.flatMap((one, index) => (one === '10 task.rerun' ? [index] : []));
  assert.is(started.length, 3);
  assert.equal(
    repeated.map((at) => started.filter((start) => start < at).length),
    [2, 3],
  );
  assert.is(place.size, 6);
});

test('begin anew in a retry where something upstream runs again', async () => {
  const { clock, engine } = virtualEngine({ store: createMemoryStore() });
  const inputs: unknown[] = [];
  let value = 0;
  const inner = createFlow('inner').task('a', { perform: ({ input }) => void inputs.push(input) });
  const middle = createFlow('middle')
    .task('first', {
      perform: () => {
        if (++value === 1) throw new Error('at first');
        return value;
      },
    })
    .flow('in', {
      flow: inner as never,
      dependsOn: ['first'],
      triggerRule: 'all_settled',
      input: (({ deps }: { deps: { first?: number } }) => deps.first) as never,
    });
  const flow = createFlow('root').flow('p', { flow: middle, retry: { maxAttempts: 2, backoff: 5 } });
  const run = await engine.start(flow as never as Flow, undefined, { id: 'r' });
  await clock.run(run.settled());
  assert.equal(inputs, [undefined, 2]);
  const inside = (await engine.run('r/p#1')) as Run;
  assert.is(inside.view().tasks.in?.child?.runId, 'r/p#1/in#2');
});

/** Every child run of every task, as the views of a tree name it. */
async function namedIn(engine: { run(id: string): Promise<Run | undefined> }, id: string): Promise<string[]> {
  const run = await engine.run(id);
  assert.ok(run !== undefined, `${id} is named, and there is no such run`);
  const found = Object.values((run as Run).view().tasks).flatMap(({ child }) => (child ? [child.runId] : []));
  const below = await Promise.all(found.map((one) => namedIn(engine, one)));
  return [...found, ...below.flat()];
}

test('name runs that there are: a task that keeps what was done has its run in the earlier life', async () => {
  const { clock, engine, store, calls, flow } = world(4);
  const run = await engine.start(flow, undefined, { id: 'r' });
  assert.is((await clock.run(run.settled())).status, 'failed');
  // `in` of the second life ends, `each` is not done yet.
  for (let left = 2; left > 0; left--) {
    run.rerun();
    await clock.run(run.settled());
    const named = await namedIn(engine, 'r');
    assert.is(new Set(named).size, named.length);
    const stored = virtualEngine({ store, flows: [flow] });
    assert.equal(await namedIn(stored.engine, 'r'), named);
    const fork = await engine.fork('r', { id: `f${left}` });
    await clock.run(fork.settled());
    const inFork = await namedIn(engine, fork.id);
    assert.is(inFork.length, named.length);
    assert.ok(inFork.every((id) => id.startsWith(`${fork.id}/`)));
  }
  assert.is(run.view().status, 'done');
  assert.equal(counted(calls.filter((key) => key.endsWith('x'))), counted(once.slice(1)));
});

/** Entries of a version that began a new life of the child runs inside with each retry. */
function earlierJournals(): Record<string, Entry[]> {
  const file = new URL('../fixtures/journals/new-life-in-retry.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8'));
}

test('are read as they were kept, where each retry began new ones', async () => {
  const store = createMemoryStore();
  for (const [id, entries] of Object.entries(earlierJournals())) append(store, id, entries, 0);
  const { clock, engine } = virtualEngine({ store });
  const calls: string[] = [];
  const perform = ({ idempotencyKey }: Scope) => {
    calls.push(idempotencyKey);
    return 'y';
  };
  const inmost = createFlow('inmost')
    .task('x', { perform })
    .task('y', { dependsOn: ['x'], perform });
  const middle = createFlow('middle').flow('in', { flow: inmost });
  const flow = createFlow('root').flow('p', { flow: middle, retry: { maxAttempts: 3, backoff: 5 } });
  await clock.advance(40);
  const [run] = (await engine.recover([flow as never])) as Run[];
  assert.is((await clock.run((run as Run).settled())).status, 'done');
  assert.equal(calls, ['r/p/in/y']);
  assert.equal(await (run as Run).outputs(), { p: { in: { x: 'x', y: 'y' } } });
  const inside = (await engine.run('r/p#1')) as Run;
  assert.is(inside.view().tasks.in?.child?.runId, 'r/p#1/in#3');
  const seen = new Set<string>();
  for await (const { runId } of (run as Run).events({ deep: true })) seen.add(runId);
  assert.equal([...seen].sort(), ['r', 'r/p#1', 'r/p#1/in#1', 'r/p#1/in#2', 'r/p#1/in#3']);
});
