// Persisted snapshots of runs as version 0.1.0 made them, whose orchestrator had the states `running`, `paused` and
// `cancelling` only: a run goes on from its journal.

import { createFlow } from 'topple';
import { createVirtualClock } from 'topple/testing';
import * as assert from 'uvu/assert';
import { createActor, toPromise } from 'xstate';
import { spec } from '../spec.ts';
import { virtualEngine } from '../support/virtual.ts';

const test = spec('snapshots of earlier versions');

const runId = 'cb0f91fc-a914-4ae5-92e6-62712609dbc0';
const error = { name: 'Error', message: 'the tin is empty' };
const underWay = [
  { type: 'run.started', at: 0, version: 1, flow: 'tea', flowHash: '0w5v71b4u63', seq: 1, runId },
  { type: 'task.ready', at: 0, seq: 2, runId, taskId: 'water' },
  { type: 'task.ready', at: 0, seq: 3, runId, taskId: 'leaves' },
  { type: 'task.started', at: 0, attempt: 1, seq: 4, runId, taskId: 'water' },
  { type: 'task.started', at: 0, attempt: 1, seq: 5, runId, taskId: 'leaves' },
  { type: 'task.done', at: 0, attempt: 1, output: 'hot', seq: 6, runId, taskId: 'water' },
  { type: 'task.ready', at: 0, seq: 7, runId, taskId: 'tea' },
  { type: 'task.retrying', at: 0, attempt: 1, retryAt: 500, error, seq: 8, runId, taskId: 'leaves' },
  { type: 'task.started', at: 0, attempt: 1, seq: 9, runId, taskId: 'tea' },
];
const paused = [...underWay, { type: 'run.paused', at: 100, seq: 10, runId }];
const cause = 'cancelled';
const reason = 'no tea today';
const cancelling = [
  ...paused,
  { type: 'run.cancelling', at: 200, cause, reason, seq: 11, runId },
  { type: 'task.cancelled', at: 200, attempt: 1, cause, reason, seq: 12, runId, taskId: 'leaves' },
];
const cancelled = [
  ...cancelling,
  { type: 'task.cancelled', at: 5200, attempt: 1, cause, reason, seq: 13, runId, taskId: 'tea' },
  { type: 'run.cancelled', at: 5200, reason, seq: 14, runId },
];

/** The run's actor, started from what such a snapshot has been written as. */
function restore(snapshot: object, entries: readonly object[]) {
  const { clock, engine } = virtualEngine({ clock: createVirtualClock(100) });
  const flow = createFlow('tea')
    .task('water', { perform: () => 'hotter' })
    .task('leaves', { retry: { maxAttempts: 2, backoff: 500 }, perform: () => 'oolong' })
    .task('tea', { dependsOn: ['water'], perform: ({ deps }) => `${deps.water} tea` });
  const written = JSON.stringify({ ...snapshot, run: { id: runId, flow: 'tea', entries } });
  const actor = createActor(engine.logic(flow), {
    snapshot: JSON.parse(written),
    input: undefined,
    clock,
  }).start();
  return { clock, actor };
}

const shown = ({ actor }: ReturnType<typeof restore>) => {
  const { value, context } = actor.getSnapshot();
  return [value, context.status, ...Object.values(context.tasks).map(({ status }) => status)];
};
const done = { status: 'done', outputs: { water: 'hot', leaves: 'oolong', tea: 'hot tea' } };

test('`running` goes on', async () => {
  const run = restore({ status: 'active', value: 'running' }, underWay);
  assert.equal(shown(run), ['running', 'running', 'done', 'retrying', 'pending']);
  assert.equal(await run.clock.run(toPromise(run.actor)), done);
  assert.is(run.clock.now(), 500);
});

test('`paused` is paused, and goes on when it is resumed', async () => {
  const run = restore({ status: 'active', value: 'paused' }, paused);
  await run.clock.advance(1_000);
  assert.equal(shown(run), ['paused', 'paused', 'done', 'retrying', 'pending']);
  run.actor.send({ type: 'run.resume' });
  assert.equal(await run.clock.run(toPromise(run.actor)), done);
});

test('`cancelling` is cancelled', async () => {
  const run = restore({ status: 'active', value: 'cancelling' }, cancelling);
  const result = { status: 'cancelled', reason, outputs: { water: 'hot' } };
  assert.equal(await run.clock.run(toPromise(run.actor)), result);
  assert.equal(shown(run), ['cancelled', 'cancelled', 'done', 'cancelled', 'cancelled']);
});

test('a settled one shows what it was', () => {
  const output = { status: 'cancelled', reason, outputs: { water: 'hot' } };
  const run = restore({ status: 'done', value: 'cancelled', output }, cancelled);
  assert.equal(shown(run), ['cancelled', 'cancelled', 'done', 'cancelled', 'cancelled']);
  const snapshot = run.actor.getSnapshot();
  assert.equal([snapshot.status, snapshot.output, snapshot.hasTag('cancelled')], ['done', output, true]);
});

test('`stopped` stays as it was left', () => {
  const run = restore({ status: 'stopped', value: 'running' }, underWay);
  assert.is(run.actor.getSnapshot().status, 'stopped');
  assert.equal(shown(run).slice(0, 2), ['running', 'running']);
});

test('where all tasks have settled and only the end is missing, it ends', async () => {
  const kept = [...cancelled.slice(0, -1)];
  const run = restore({ status: 'active', value: 'cancelling' }, kept);
  assert.is((await run.clock.run(toPromise(run.actor))).status, 'cancelled');
  const whole = [
    ...underWay,
    { type: 'task.done', at: 10, attempt: 2, output: 'oolong', seq: 10, runId, taskId: 'leaves' },
    { type: 'task.done', at: 20, attempt: 1, output: 'hot tea', seq: 11, runId, taskId: 'tea' },
  ];
  for (const entries of [whole, [...whole, { type: 'run.paused', at: 30, seq: 12, runId }]]) {
    const { actor, clock } = restore({ status: 'active', value: 'running' }, entries);
    assert.equal(await clock.run(toPromise(actor)), done);
  }
});
