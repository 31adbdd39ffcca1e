import { type AnyFlow, createFlow, createMemoryStore, type Entry, FlowError, JournalError } from 'topple';
import { type Replayed, replay } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('replay');

const never = () => new Promise<never>(() => {});
const base = createFlow('order')
  .task('charge', { perform: () => 'charged' })
  .task('ship', { dependsOn: ['charge'], perform: never })
  .task('thank', { dependsOn: ['ship'], perform: () => 'thanks' });

/** The journal of a run that was left while `ship` was under way. */
async function left(flow: AnyFlow = base): Promise<readonly Entry[]> {
  const store = createMemoryStore();
  const { engine, clock } = virtualEngine({ store });
  await engine.start(flow as typeof base, undefined, { id: 'r' });
  await clock.advance(1);
  await engine.stop();
  return store.read('r');
}

function refused(replayed: Replayed): Error {
  assert.is(replayed.verdict, 'refuse');
  if (replayed.verdict !== 'refuse') return assert.unreachable() as never;
  assert.is(replayed.why, replayed.error.message);
  return replayed.error;
}

test('takes up a run of the same tasks, whatever their bodies and options', async () => {
  const next = createFlow('order')
    .task('charge', { perform: () => 'charged anew', retry: { maxAttempts: 3 } })
    .task('ship', { dependsOn: ['charge'], timeoutMs: 5, perform: () => 'parcel' })
    .task('thank', { dependsOn: ['ship'], optional: true, perform: () => 'thanks' });
  const entries = await left();
  for (const given of [entries, JSON.parse(JSON.stringify(entries))]) {
    const replayed = replay(given, next);
    assert.is(replayed.verdict, 'take_up');
    if (replayed.verdict === 'refuse') return;
    assert.equal(replayed.unsettled, ['ship', 'thank']);
    assert.equal(
      Object.values(replayed.view.tasks).map(({ status }) => status),
      ['done', 'running', 'pending'],
    );
  }
});

test('shows the child run of a task', async () => {
  const flow = createFlow('parent').flow('in', { flow: base });
  const replayed = replay(await left(flow as never), flow as never);
  if (replayed.verdict === 'refuse') return assert.unreachable();
  assert.equal(replayed.view.tasks.in?.child, { runId: 'r/in#1' });
});

test('has nothing left to do in a run that has settled', async () => {
  const store = createMemoryStore();
  const { engine, clock } = virtualEngine({ store });
  const run = await engine.start(base, undefined, { id: 'r' });
  run.cancel();
  const view = await clock.run(run.settled());
  assert.equal(replay(store.read('r'), base), { verdict: 'settled', view, unsettled: [] });
});

test('refuses what `engine.recover` would, in the same words', async () => {
  const entries = await left();
  const changes: Record<string, AnyFlow> = {
    'a task more': base.task('bill', { perform: () => 1 }),
    'a task less': createFlow('order')
      .task('charge', { perform: () => 1 })
      .task('ship', { dependsOn: ['charge'], perform: never }),
    'another name': createFlow('order')
      .task('charge', { perform: () => 1 })
      .task('send', { dependsOn: ['charge'], perform: never })
      .task('thank', { dependsOn: ['send'], perform: () => 1 }),
    'another dependency': createFlow('order')
      .task('charge', { perform: () => 1 })
      .task('ship', { dependsOn: ['charge'], perform: never })
      .task('thank', { dependsOn: ['charge'], perform: () => 1 }),
    'another rule': createFlow('order')
      .task('charge', { perform: () => 1 })
      .task('ship', { dependsOn: ['charge'], perform: never })
      .task('thank', { dependsOn: ['ship'], triggerRule: 'all_settled', perform: () => 1 }),
  };
  for (const [which, flow] of Object.entries(changes)) {
    const { definition } = base;
    const store = { ...storeOf(entries), readFlow: () => definition };
    const error = refused(replay(entries, flow, { earlier: base }));
    assert.is(error.message, refused(replay(entries, flow, { earlier: definition })).message);
    const { engine } = virtualEngine({ store, flows: [flow] });
    const thrown = await engine.run('r').then(
      () => undefined,
      (it: Error) => it,
    );
    assert.is(error.message, thrown?.message, which);
    assert.instance(error, FlowError);
    assert.match(
      refused(replay(entries, flow)).message,
      /: its tasks, dependencies or trigger rules have changed\. /,
    );
  }
});

test('refuses the run of another flow, and what is no journal', async () => {
  const entries = await left();
  assert.is(
    refused(replay(entries, createFlow('other'))).message,
    'Run r is of flow `order`, not of `other`.',
  );
  const hurt = entries.map((entry, at) => (at === 2 ? { ...entry, seq: 7 } : entry));
  const error = refused(replay(hurt, base));
  assert.instance(error, JournalError);
  assert.is((error as JournalError).place, 'entries[2].seq');
  for (const given of [[], undefined, 'text', [null], [{}]])
    assert.match(refused(replay(given as never, base)).message, 'must be a list of the entries of a run');
  assert.throws(
    () => replay(entries, 'order' as never),
    (it: unknown) => it instanceof FlowError,
  );
});

function storeOf(entries: readonly Entry[]) {
  return {
    ...createMemoryStore(),
    append: () => {},
    lastSeq: () => entries.length,
    read: () => entries,
    list: () => [],
    remove: () => {},
  };
}
