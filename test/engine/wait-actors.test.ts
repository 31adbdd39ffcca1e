import { createFlow, type RunView } from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { createActor } from 'xstate';
import { spec } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('actors of runs that wait');

const flow = createFlow('waits')
  .task('first', { when: () => true, perform: () => 1 })
  .waitFor('late', { dependsOn: ['first'], timeoutMs: 500, onTimeout: { value: 'none' } })
  .sleep('nap', { dependsOn: ['first'], ms: 200 })
  .task('never', { dependsOn: ['nap'], when: async () => false, perform: () => 2 })
  .sleep('until', { until: () => 300 });

const shown = ({ tasks }: RunView) =>
  Object.entries(tasks).map(([id, { status, endedAt, output }]) => [id, status, endedAt, output]);

const expected = [
  ['first', 'done', 0, 1],
  ['late', 'done', 500, 'none'],
  ['nap', 'done', 200, 200],
  ['never', 'skipped', 200, undefined],
  ['until', 'done', 300, 300],
];

for (const kind of ['logic', 'machine'] as const)
  test(`wait by the clock of their system: ${kind}`, async () => {
    const clock = createVirtualClock();
    const actor = createActor(flow[kind] as typeof flow.logic, { clock, input: undefined });
    const views: RunView[] = [];
    const ended = new Promise<void>((resolve) => actor.subscribe({ complete: resolve }));
    actor.start();
    await clock.run(ended);
    assert.is(clock.now(), 500);
    if (kind === 'machine') return;
    views.push(actor.getSnapshot().context as RunView);
    assert.equal(shown(views[0] as RunView), expected);
  });

test('go on from a snapshot, until the instants that it has', async () => {
  const clock = createVirtualClock();
  const actor = createActor(flow.logic, { clock, input: undefined }).start();
  await clock.advance(100);
  const snapshot = JSON.parse(JSON.stringify(actor.getPersistedSnapshot()));
  actor.stop();
  const later = createVirtualClock(250);
  const restored = createActor(flow.logic, { clock: later, snapshot, input: undefined });
  const ended = new Promise<void>((resolve) => restored.subscribe({ complete: resolve }));
  restored.start();
  await later.run(ended);
  const at = (restored.getSnapshot().context as RunView).tasks;
  assert.equal([at.nap?.endedAt, at.until?.endedAt, at.late?.endedAt], [250, 300, 500]);
});

test('show the states of their tasks to an inspector', async () => {
  const { engine, clock } = virtualEngine({ inspect: () => {} });
  const run = await engine.start(flow, undefined, { id: 'r' });
  await clock.advance(1);
  const value = (id: string) =>
    (run.actor.system.get(`r/${id}` as never) as never as typeof run.actor)?.getSnapshot().value;
  assert.equal(['late', 'nap', 'until'].map(value), ['waiting', 'waiting', 'waiting']);
  assert.equal(shown(await clock.run(run.settled())), expected);
});

test('wait without an engine of their own, in real time', async () => {
  const quick = createFlow('quick')
    .sleep('nap', { ms: 5 })
    .waitFor('value')
    .task('sum', { dependsOn: ['value'], perform: ({ deps }) => `got ${deps.value}` });
  const run = await quick.start();
  await run.deliver('value', 1);
  assert.is((await run.outputs()).sum, 'got 1');
});
