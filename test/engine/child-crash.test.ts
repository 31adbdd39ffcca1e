import { createFlow, type Entry, type Flow, type PerformScope, type Run } from 'topple';
import type { VirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import type { ItemScope } from '../../src/model/perform.ts';
import { spec } from '../spec.ts';
import { notingStore, storeOf } from '../support/cut-store.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('child runs after a crash');

type Note = { readonly key: string; readonly runId: string; readonly attempt: number };

/**
 * A list, a map of it, and two levels of flows. Bodies note that they were called.
 *
 * @param failed the ids of tasks that have failed; these two fail at first
 */
function world(failed: Set<string>) {
  const here: { clock?: VirtualClock } = {};
  const notes: Note[] = [];
  const work = async <T>(scope: PerformScope<unknown, unknown, unknown>, output: T): Promise<T> => {
    const { idempotencyKey: key, runId, attempt, taskId, signal } = scope;
    notes.push({ key, runId, attempt });
    await here.clock?.sleep(10, signal);
    if (!['y', '2'].includes(taskId) || failed.has(taskId)) return output;
    failed.add(taskId);
    throw new Error('at first');
  };
  const inner = createFlow('inner')
    .task('x', { perform: (scope) => work(scope, 'x') })
    .task('y', { dependsOn: ['x'], perform: (scope) => work(scope, 'y') });
  const publish = createFlow('publish')
    .task('pack', { perform: (scope) => work(scope, 'packed') })
    .flow('inner', { dependsOn: ['pack'], flow: inner, retry: { maxAttempts: 2, backoff: 5 } })
    .task('send', {
      dependsOn: ['inner'] as never,
      perform: ((scope: PerformScope) => work(scope, 'sent')) as never,
    });
  const flow = createFlow('album')
    .task('list', { perform: (scope) => work(scope, ['a', 'b', 'c', 'd']) })
    .map('resize', {
      dependsOn: ['list'],
      over: ({ deps }: { deps: { list: string[] } }) => deps.list,
      concurrency: 2,
      retry: { maxAttempts: 2, backoff: 5 },
      perform: (scope: ItemScope<string>) => work(scope, `${scope.item}!`),
    })
    .flow('publish', { dependsOn: ['resize'], flow: publish });
  return { flow: flow as never as Flow, notes, here };
}

const outputs = {
  list: ['a', 'b', 'c', 'd'],
  resize: ['a!', 'b!', 'c!', 'd!'],
  publish: { pack: 'packed', inner: { x: 'x', y: 'y' }, send: 'sent' },
};

type Steer = (run: Run, clock: VirtualClock) => Promise<void>;

/** All entries of an undisturbed run, in the order in which they were kept. */
async function record(steer: Steer) {
  const { flow, notes, here } = world(new Set());
  const { store, entries } = notingStore();
  const { clock, engine } = virtualEngine({ store, concurrency: 3 });
  here.clock = clock;
  const run = await engine.start(flow, undefined, { id: 'r' });
  const settled = run.settled();
  await steer(run, clock);
  await clock.run(settled);
  return { entries, notes, at: clock.now() };
}

const settles = /^task\.(done|skipped)$/;

/** Ids of tasks that had settled, each with its run's. */
function settledIn(entries: readonly Entry[]): ReadonlySet<string> {
  const settled = new Set<string>();
  for (const entry of entries) {
    if (!('taskId' in entry)) continue;
    if (entry.type === 'task.rerun') settled.delete(`${entry.runId} ${entry.taskId}`);
    else if (settles.test(entry.type)) settled.add(`${entry.runId} ${entry.taskId}`);
  }
  return settled;
}

/** Runs on from what was kept, and checks what must hold whatever was cut. */
async function recover(kept: readonly Entry[], steer: Steer = async () => {}) {
  const failures = kept.filter(({ type }) => type === 'task.failed' || type === 'task.retrying');
  const { flow, notes, here } = world(
    new Set(failures.map((entry) => ('taskId' in entry ? entry.taskId : ''))),
  );
  const { store, entries } = storeOf(kept);
  const { clock, engine } = virtualEngine({ store, concurrency: 3 });
  here.clock = clock;
  await clock.advance(10_000);
  const before = settledIn(kept);
  const [run] = (await clock.run(engine.recover([flow]))) as Run[];
  if (run === undefined) return undefined;
  const settled = run.settled();
  await steer(run, clock);
  const view = await clock.run(settled);
  for (const { runId, key } of notes) {
    const taskId = key.slice(key.lastIndexOf('/') + 1);
    assert.not(before.has(`${runId} ${taskId}`), `${runId} ${taskId} had settled`);
  }
  const ids = new Set(entries.map(({ runId }) => runId));
  for (const id of ids) {
    const last = store.read(id).at(-1) as Entry;
    assert.match(last.type, /^run\.(done|failed|cancelled)$/, `${id} is an orphan: ${last.type}`);
  }
  return { view, run, entries, notes };
}

const nothing: Steer = async () => {};

test('goes on at every entry, and performs nothing again that has settled', async () => {
  const { entries } = await record(nothing);
  assert.ok(entries.length > 50, `${entries.length}`);
  for (let cut = 1; cut < entries.length; cut++) {
    const end = await recover(entries.slice(0, cut));
    assert.is(end?.view.status, 'done', `cut at ${cut}`);
    assert.equal(await end?.run.outputs(), outputs, `cut at ${cut}`);
  }
});

test('goes on at every entry of a paused run once it is resumed', async () => {
  for (const at of [5, 15, 25, 45, 55, 65]) {
    const { entries } = await record(async (run, clock) => {
      await clock.advance(at);
      run.pause();
      await clock.advance(100);
      run.resume();
    });
    const from = entries.findIndex(({ type }) => type === 'run.paused') + 1;
    const to = entries.findIndex(({ type }) => type === 'run.resumed');
    for (let cut = from; cut <= to; cut++) {
      const before = entries.slice(0, cut);
      const end = await recover(before, async (run, clock) => {
        const { length } = run.view().status;
        assert.is(run.view().status, 'paused', `${length}`);
        await clock.advance(1_000);
        assert.is(run.view().status, 'paused');
        run.resume();
      });
      assert.equal(await end?.run.outputs(), outputs, `paused at ${at}, cut at ${cut}`);
    }
  }
});

test('ends at every entry of a run that was being cancelled, and starts nothing', async () => {
  for (const at of [5, 15, 25, 32, 45, 52, 55, 65, 75]) {
    const { entries } = await record(async (run, clock) => {
      await clock.advance(at);
      run.cancel('enough');
    });
    const from = entries.findIndex(({ type }) => type === 'run.cancelling') + 1;
    for (let cut = from; cut < entries.length; cut++) {
      const kept = entries.slice(0, cut);
      const end = await recover(kept);
      // A child may have kept that it ends before its parent has: then that was never asked for.
      const isAsked = kept.some(({ type, runId }) => type === 'run.cancelling' && runId === 'r');
      if (!isAsked) {
        assert.equal(await end?.run.outputs(), outputs, `cancelled at ${at}, cut at ${cut}`);
        continue;
      }
      assert.is(end?.view.status, 'cancelled', `cancelled at ${at}, cut at ${cut}`);
      assert.equal(end?.notes, [], `cancelled at ${at}, cut at ${cut}`);
    }
  }
});
