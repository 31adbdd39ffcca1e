import { createFlow, type Engine, JournalError, StoreConflictError } from 'topple';
import * as assert from 'uvu/assert';
import { createActor } from 'xstate';
import { spec } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('an engine without a store');

/** Does something with an engine that was given no store. */
async function withEngine(
  act: (engine: Engine, clock: ReturnType<typeof virtualEngine>['clock']) => Promise<unknown>,
) {
  const { clock, engine } = virtualEngine({ keepSettled: 2 });
  return act(engine, clock);
}

const quick = createFlow('quick').task('a', { perform: () => 1 });

test('lists its runs as one with a store does', async () => {
  const told = await withEngine(async (engine, clock) => {
    const slow = createFlow('slow').task('a', { perform: () => clock.sleep(1_000) });
    for (const id of ['one', 'two', 'three']) {
      const run = await engine.start(quick, undefined, { id });
      await clock.run(run.settled());
    }
    await engine.start(slow, undefined, { id: 'four' });
    await clock.advance(10);
    return [
      await engine.runs(),
      await engine.runs({ settled: false }),
      await engine.runs({ settled: true, flow: 'slow' }),
      (await engine.runs({ flow: 'quick' })).map(({ id }) => id),
    ];
  });
  const [all, unsettled, none, kept] = told as { id: string }[][];
  assert.equal(
    all?.map(({ id }) => id),
    ['two', 'three', 'four'],
  );
  assert.equal([unsettled?.length, none, kept], [1, [], ['two', 'three']]);
});

test('continues where a run was stopped', async () => {
  const told = await withEngine(async (engine, clock) => {
    const flow = createFlow('steps')
      .task('a', { perform: () => 1 })
      .task('b', { dependsOn: ['a'], perform: () => clock.sleep(100).then(() => 2) });
    const run = await engine.start(flow, undefined, { id: 'r' });
    await clock.advance(10);
    (run.actor as unknown as { stop(): void }).stop();
    assert.throws(() => run.rerun(), /^Run r has not settled/);
    assert.is((await engine.run('r'))?.view().tasks.b?.status, 'running');
    await engine.start(quick, undefined, { id: 'later' });
    await clock.advance(10);
    const left = await engine.runs();
    const [again] = await engine.recover([flow]);
    const view = await clock.run(again?.settled() ?? Promise.reject(new Error('nothing was recovered')));
    return [left, view, (await engine.runs()).map(({ id }) => id)];
  });
  const [, view, ids] = told as [unknown, { status: string }, string[]];
  assert.equal([view.status, ids], ['done', ['r', 'later']]);
});

test('lets no two runs continue one journal', async () => {
  await withEngine(async (engine, clock) => {
    const slow = createFlow('slow')
      .task('a', { perform: () => clock.sleep(50) })
      .task('b', { dependsOn: ['a'], perform: () => clock.sleep(50) });
    const first = createActor(engine.logic(slow), {
      clock,
      input: undefined as never,
    }).start();
    first.subscribe({ error: () => {} });
    await clock.advance(10);
    const snapshot = first.getPersistedSnapshot();
    const errors: unknown[] = [];
    const second = createActor(engine.logic(slow), {
      clock,
      snapshot,
      input: undefined as never,
    });
    second.subscribe({ error: (error) => errors.push(error) });
    second.start();
    await clock.advance(200);
    assert.equal([first.getSnapshot().status, second.getSnapshot().status], ['done', 'error']);
    assert.instance(errors[0], JournalError);
    return String(errors[0]).replace(/[0-9a-f-]{36}/, 'ID');
  });
});

test('takes in a run that comes from elsewhere, and refuses its id to another', async () => {
  await withEngine(async (engine, clock) => {
    const slow = createFlow('slow').task('a', { perform: () => clock.sleep(50) });
    const other = virtualEngine({ clock });
    const actor = createActor(other.engine.logic(slow), {
      clock,
      input: undefined as never,
    }).start();
    await clock.advance(10);
    const snapshot = actor.getPersistedSnapshot();
    actor.stop();
    const taken = createActor(engine.logic(slow), {
      clock,
      snapshot,
      input: undefined as never,
    }).start();
    const [known] = await engine.runs();
    assert.is(known?.flow, 'slow');
    await clock.advance(100);
    assert.is(taken.getSnapshot().status, 'done');
    const { id } = known as { id: string };
    const refused = await engine.start(slow, undefined, { id }).then(
      () => undefined,
      (error) => error,
    );
    assert.instance(refused, StoreConflictError);
    return (await engine.runs()).map(({ flow, seq, endedAt }) => [flow, seq, endedAt]);
  });
});
