import * as assert from 'uvu/assert';
import { RunFold } from '../../src/model/fold.ts';
import { createGraph } from '../../src/model/graph.ts';
import type { Entry } from '../../src/model/journal.ts';
import { spec } from '../spec.ts';

const test = spec('fold');

const error = { name: 'Error', message: 'no' };
const graph = createGraph('f', [{ id: 'a' }, { id: 'b', dependsOn: ['a'] }]);

/** Folds facts, stamped in order. */
function foldOf(...facts: readonly object[]): RunFold {
  const fold = new RunFold('r', {
    name: 'f',
    graph,
    dependsOn: (task) => (task === 0 ? [] : ['a']),
    isChild: () => false,
  });
  for (const [index, fact] of facts.entries()) fold.apply({ ...fact, seq: index + 1, runId: 'r' } as Entry);
  return fold;
}

const started = { type: 'run.started', at: 10, version: 1, flow: 'f', flowHash: 'h', input: { n: 1 } };

test('is a run that has not started before the first entry', () => {
  const fold = foldOf();
  assert.equal(fold.view(), {
    id: 'r',
    flow: 'f',
    status: 'running',
    startedAt: null,
    endedAt: null,
    tasks: {
      a: { status: 'pending', attempts: 0, dependsOn: [] },
      b: { status: 'pending', attempts: 0, dependsOn: ['a'] },
    },
  });
  assert.equal([fold.seq, fold.input, fold.flowHash], [0, undefined, undefined]);
  assert.equal(fold.run, { id: 'r', flow: 'f', status: 'running', startedAt: null, endedAt: null });
});

test('follows a task from ready through a retry to done', () => {
  const facts = [
    started,
    { type: 'task.ready', taskId: 'a', at: 10 },
    { type: 'task.started', taskId: 'a', at: 11, attempt: 1 },
    { type: 'task.progress', taskId: 'a', at: 12, attempt: 1, fraction: 0.5 },
    { type: 'task.retrying', taskId: 'a', at: 13, attempt: 1, retryAt: 20, error },
    { type: 'task.started', taskId: 'a', at: 21, attempt: 2 },
    { type: 'task.done', taskId: 'a', at: 22, attempt: 2, output: 'A' },
  ];
  const tasks = facts.map((_, index) => foldOf(...facts.slice(0, index + 1)).view().tasks.a);
  const base = { attempts: 0, dependsOn: [], readyAt: 10 };
  assert.equal(tasks[1], { ...base, status: 'pending' });
  assert.equal(tasks[3], { ...base, status: 'running', attempts: 1, startedAt: 11 });
  assert.equal(tasks[4], { ...base, status: 'retrying', attempts: 1, startedAt: 11, retryAt: 20, error });
  assert.equal(tasks[5], { ...base, status: 'running', attempts: 2, startedAt: 11, error });
  assert.equal(tasks[6], { ...base, status: 'done', attempts: 2, startedAt: 11, endedAt: 22, output: 'A' });
  const fold = foldOf(...facts);
  assert.equal([fold.seq, fold.input, fold.flowHash, fold.statuses], [7, { n: 1 }, 'h', ['done', 'pending']]);
});

test('has a task that was under way wait again once its run is recovered, and no other', () => {
  const fold = foldOf(
    started,
    { type: 'task.ready', taskId: 'a', at: 10 },
    { type: 'task.started', taskId: 'a', at: 11, attempt: 1 },
    { type: 'task.retrying', taskId: 'a', at: 13, attempt: 1, retryAt: 20, error },
  );
  const { a } = fold.view().tasks;
  fold.recover();
  assert.equal(fold.view().tasks.a, a);
  const again = { type: 'task.started', taskId: 'a', at: 21, attempt: 2, seq: 5, runId: 'r' } as Entry;
  fold.apply(again);
  const before = fold.view();
  fold.recover();
  const waiting = { status: 'pending', attempts: 2, dependsOn: [], readyAt: 10, startedAt: 11, error };
  assert.equal([fold.view().tasks.a, fold.seq], [waiting, 5]);
  assert.is(before.tasks.a?.status, 'running');
  fold.apply({ ...again, at: 30, seq: 6 });
  assert.equal(fold.view(), before);
});

test('tells why a task did not run, failed or was cancelled', () => {
  const fold = foldOf(
    started,
    { type: 'task.failed', taskId: 'a', at: 12, attempt: 1, error, cause: 'fatal' },
    { type: 'task.upstream_failed', taskId: 'b', at: 13, cause: 'upstream', because: 'a' },
  );
  const { tasks } = fold.view();
  assert.equal(tasks.a, {
    status: 'failed',
    attempts: 0,
    dependsOn: [],
    endedAt: 12,
    cause: 'fatal',
    error,
  });
  assert.equal(tasks.b, {
    status: 'upstream_failed',
    attempts: 0,
    dependsOn: ['a'],
    endedAt: 13,
    cause: 'upstream',
  });
  const skipped = foldOf(started, {
    type: 'task.skipped',
    taskId: 'a',
    at: 12,
    attempt: 1,
    cause: undefined,
  }).view();
  assert.equal(skipped.tasks.a, { status: 'skipped', attempts: 0, dependsOn: [], endedAt: 12 });
});

test('follows the run itself', () => {
  const statuses = (...facts: object[]) => {
    const { status, cause, reason, endedAt } = foldOf(started, ...facts).view();
    return [status, cause, reason, endedAt];
  };
  assert.equal(statuses({ type: 'run.paused', at: 11 }), ['paused', undefined, undefined, null]);
  assert.equal(statuses({ type: 'run.paused', at: 11 }, { type: 'run.resumed', at: 12 }), [
    'running',
    undefined,
    undefined,
    null,
  ]);
  assert.equal(statuses({ type: 'run.cancelling', at: 11, cause: 'cancelled', reason: 'why' }), [
    'cancelling',
    'cancelled',
    'why',
    null,
  ]);
  assert.equal(
    statuses(
      { type: 'run.cancelling', at: 11, cause: 'timeout', reason: undefined },
      { type: 'run.failed', at: 12, cause: 'timeout' },
    ),
    ['failed', 'timeout', undefined, 12],
  );
  assert.equal(statuses({ type: 'run.failed', at: 12, cause: 'output', error }), [
    'failed',
    'output',
    'no',
    12,
  ]);
  assert.equal(statuses({ type: 'run.done', at: 12, output: 1 }), ['done', undefined, undefined, 12]);
  assert.equal(statuses({ type: 'run.cancelled', at: 12 }), ['cancelled', undefined, undefined, 12]);
});

test('reopens the run, and the tasks named, for a rerun', () => {
  const fold = foldOf(
    started,
    { type: 'task.done', taskId: 'a', at: 11, attempt: 1, output: 'A' },
    { type: 'task.failed', taskId: 'b', at: 12, attempt: 1, error, cause: 'exhausted' },
    { type: 'run.failed', at: 12, cause: 'output', error },
    { type: 'task.rerun', taskId: 'b', at: 20 },
  );
  const view = fold.view();
  assert.equal(
    [view.status, view.startedAt, view.endedAt, view.cause, view.reason],
    ['running', 10, null, undefined, undefined],
  );
  assert.equal(view.tasks.b, { status: 'pending', attempts: 0, dependsOn: ['a'] });
  assert.is(view.tasks.a?.output, 'A');
});

test('gives views that later entries do not change', () => {
  const fold = foldOf(started);
  const before = fold.view();
  fold.apply({ type: 'task.ready', taskId: 'a', at: 11, seq: 2, runId: 'r' });
  assert.is(before.tasks.a?.readyAt, undefined);
  assert.is(fold.task(0).readyAt, 11);
});

test('gives moments that stay as they are, and share what does not change', () => {
  const fold = foldOf(started);
  const first = fold.moment();
  fold.apply({ type: 'task.ready', taskId: 'a', at: 11, seq: 2, runId: 'r' });
  const second = fold.moment();
  fold.apply({ type: 'task.started', taskId: 'a', at: 12, attempt: 1, seq: 3, runId: 'r' });
  fold.apply({ type: 'task.done', taskId: 'a', at: 13, attempt: 1, output: 1, seq: 4, runId: 'r' });
  const third = fold.moment();
  assert.equal(third, fold.view());
  assert.equal(
    [first, second, third].map(({ tasks }) => [tasks.a?.readyAt, tasks.a?.status]),
    [
      [undefined, 'pending'],
      [11, 'pending'],
      [11, 'done'],
    ],
  );
  assert.is(first.tasks, first.tasks);
  assert.is(first.tasks.b, third.tasks.b);
  assert.equal(structuredClone(third), fold.view());
  fold.apply({ type: 'task.rerun', taskId: 'a', at: 14, seq: 5, runId: 'r' });
  assert.equal([third.tasks.a?.status, fold.moment().tasks.a?.status], ['done', 'pending']);
  for (const part of [third, third.tasks, third.tasks.a, third.tasks.b]) assert.ok(Object.isFrozen(part));
});

test('follows another version of the flow: what begins anew has nothing of before, and unknown tasks change nothing', () => {
  const facts = [
    started,
    { type: 'task.ready', taskId: 'gone', at: 10 },
    { type: 'task.done', taskId: 'gone', at: 11, attempt: 1, output: 1 },
    { type: 'task.done', taskId: 'a', at: 11, attempt: 1, output: 'A' },
    { type: 'task.ready', taskId: 'b', at: 11 },
    { type: 'task.started', taskId: 'b', at: 11, attempt: 1 },
  ];
  const change = {
    type: 'run.flow_changed',
    at: 12,
    flowHash: 'i',
    changes: [],
    dropped: ['gone'],
    waiting: ['b'],
  };
  const before = foldOf(...facts).view();
  const fold = foldOf(...facts, change);
  const view = fold.view();
  assert.equal(view, {
    ...before,
    tasks: { ...before.tasks, b: { status: 'pending', attempts: 0, dependsOn: ['a'] } },
  });
  assert.is(fold.flowHash, 'i');
  // A task that was dropped before and is there again.
  assert.equal(foldOf(...facts, { ...change, dropped: ['a'] }).view().tasks.a, {
    status: 'pending',
    attempts: 0,
    dependsOn: [],
  });
});
