import { createFlow, type Entry, type Flow, type Run } from 'topple';
import type { VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { notingStore, storeOf } from '../support/cut-store.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('undo after a crash');

interface Called {
  readonly key: string;
  readonly undoKey?: string;
}

/** Three levels with a map; the last task of the root fails, and so does a child run that is optional. */
function world() {
  const here: { clock?: VirtualClock } = {};
  const done: Called[] = [];
  const undone: Called[] = [];
  const work =
    (output: unknown) =>
    async ({ idempotencyKey, signal }: { idempotencyKey: string; signal: AbortSignal }) => {
      done.push({ key: idempotencyKey });
      await here.clock?.sleep(10, signal);
      return output;
    };
  const undo = async ({
    idempotencyKey: key,
    undoKey,
    signal,
  }: {
    idempotencyKey: string;
    undoKey: string;
    signal: AbortSignal;
  }) => {
    undone.push({ key, undoKey });
    await here.clock?.sleep(10, signal);
  };
  const fails = async ({ signal }: { signal: AbortSignal }) => {
    await here.clock?.sleep(10, signal);
    throw new Error('no stock');
  };
  const deep = createFlow('deep')
    .task('x', { perform: work('x'), compensate: undo })
    .task('y', { dependsOn: ['x'], perform: work('y'), compensate: undo });
  const middle = createFlow('middle')
    .task('pack', { perform: work('p'), compensate: undo })
    .flow('deep', { dependsOn: ['pack'], flow: deep })
    .map('each', {
      dependsOn: ['pack'],
      over: () => ['a', 'b', 'c'],
      perform: work('i') as never,
      compensate: undo as never,
    })
    .task('send', { dependsOn: ['deep', 'each'], perform: work('s'), compensate: undo });
  const gift = createFlow('gift')
    .task('wrap', { perform: work('w'), compensate: undo })
    .task('tear', { dependsOn: ['wrap'], perform: fails, compensate: { perform: undo, after: 'started' } });
  const flow = createFlow('order')
    .task('reserve', { perform: work('r'), compensate: undo })
    .task('note', { dependsOn: ['reserve'], perform: work('n') })
    .flow('gift', { dependsOn: ['reserve'], flow: gift, optional: true })
    .flow('publish', { dependsOn: ['note'], flow: middle })
    .task('ship', { dependsOn: ['publish'], perform: fails });
  return { flow: flow as never as Flow, done, undone, here };
}

type Steer = (run: Run, clock: VirtualClock) => Promise<void>;
const nothing: Steer = async () => {};

/** All entries of an undisturbed run, in the order in which they were kept. */
async function record(steer: Steer = nothing) {
  const { flow, undone, here } = world();
  const { store, entries } = notingStore();
  const { clock, engine } = virtualEngine({ store });
  here.clock = clock;
  const run = await engine.start(flow, undefined, { id: 'r' });
  const settled = run.settled();
  await steer(run, clock);
  const view = await clock.run(settled);
  return { entries, undone, view };
}

const undoneIn = (entries: readonly Entry[]): string[] =>
  entries.flatMap((entry) => (entry.type === 'task.undone' ? [`${entry.runId} ${entry.taskId}`] : []));

/** Undo tasks that are done: theirs must not be called again. */
function doneUndos(entries: readonly Entry[]): ReadonlySet<string> {
  return new Set(
    entries.flatMap((entry) =>
      entry.type === 'task.done' && entry.runId.includes('/#undo#') ? [`${entry.runId} ${entry.taskId}`] : [],
    ),
  );
}

/** The undo run's task of a key such as `r/publish/#undo/pack`. */
const ofKey = (key: string): string =>
  key
    .replace(/\/([^/#]+)(?=\/)/g, '/$1#1')
    .replace('#undo', '#undo#1')
    .replace(/\/([^/]*)$/, ' $1');

test('undoes dependents first, at each of three levels, each task once', async () => {
  const { view, undone, entries } = await record();
  assert.is(view.status, 'failed');
  assert.is(view.compensation?.status, 'done');
  assert.equal(view.compensation?.tasks, { reserve: 'undone', publish: 'undone' });
  const keys = undone.map(({ key }) => key);
  assert.equal(keys.slice(0, 2), ['r/gift/tear', 'r/gift/wrap']);
  assert.equal([...keys].sort(), [
    'r/gift/tear',
    'r/gift/wrap',
    'r/publish/deep/x',
    'r/publish/deep/y',
    'r/publish/each/0',
    'r/publish/each/1',
    'r/publish/each/2',
    'r/publish/pack',
    'r/publish/send',
    'r/reserve',
  ]);
  assert.is(keys.at(-1), 'r/reserve');
  assert.is(keys.at(-2), 'r/publish/pack');
  assert.is(new Set(undoneIn(entries)).size, undoneIn(entries).length);
});

async function recover(kept: readonly Entry[], where: string) {
  const { flow, undone, here } = world();
  const { store, entries } = storeOf(kept);
  const { clock, engine } = virtualEngine({ store });
  here.clock = clock;
  await clock.advance(10_000);
  const [run] = (await clock.run(engine.recover([flow]))) as Run[];
  if (run === undefined) return undefined;
  const view = await clock.run(run.settled());
  const before = doneUndos(kept);
  for (const { undoKey = '' } of undone) assert.not(before.has(ofKey(undoKey)), `${where}: ${undoKey} again`);
  for (const id of new Set(entries.map(({ runId }) => runId))) {
    const last = store.read(id).at(-1) as Entry;
    assert.match(
      last.type,
      /^run\.(done|failed|cancelled|compensated)$/,
      `${where}: ${id} ends with ${last.type}`,
    );
  }
  return { view, run, entries, store };
}

for (const [name, steer] of [
  ['that fails', nothing],
  [
    'that is cancelled',
    async (run: Run, clock: VirtualClock) => {
      await clock.advance(45);
      run.cancel('enough');
    },
  ],
] as const) {
  test(`goes on at every entry of a run ${name}: nothing is undone twice, and nothing forgotten`, async () => {
    const { entries, view: whole } = await record(steer);
    const expected = undoneIn(entries).sort();
    assert.ok(expected.length > 4, `${expected.length}`);
    const from = entries.findIndex(({ type }) => type === 'run.cancelling') + 1;
    for (let cut = Math.max(1, from); cut < entries.length; cut++) {
      const where = `cut after ${cut} ${JSON.stringify(entries[cut - 1]).slice(0, 100)}`;
      const end = await recover(entries.slice(0, cut), where);
      assert.is(end?.view.status, whole.status, where);
      assert.equal(undoneIn(end?.entries ?? []).sort(), expected, where);
      assert.equal(end?.view.compensation, whole.compensation, where);
    }
  });
}
