import * as assert from 'uvu/assert';
import { createActor, initialTransition, type SnapshotFrom, transition } from 'xstate';
import { type TaskEvent, taskMachine } from '../../machines/index.ts';
import { compile } from '../../src/logic/index.ts';
import { spec } from '../spec.ts';
import { askedFor, told } from './asked-for.ts';

const test = spec('task machine');

type State = SnapshotFrom<typeof taskMachine>;

const input = { task: 7, maxAttempts: 2 };
const error = { name: 'Error', message: 'not yet' };
const ready: TaskEvent = { type: 'task.ready', at: 10 };
const start: TaskEvent = { type: 'attempt.start', at: 20 };
const retry: TaskEvent = { type: 'attempt.failed', at: 30, error, cause: 'exhausted', retryAt: 40 };
const due: TaskEvent = { type: 'attempt.due', at: 41 };
const again: TaskEvent = { type: 'attempt.start', at: 50 };

/** What the last of some events leads to. */
function after(...events: readonly TaskEvent[]) {
  let [state, actions]: [State, readonly { type: string; params: unknown }[]] = initialTransition(
    taskMachine,
    input,
  );
  for (const event of events) [state, actions] = transition(taskMachine, state, event);
  return { value: state.value, context: state.context, told: told(actions), asked: askedFor(actions) };
}

const nothing = {
  asks: false,
  waits: false,
  task: 7,
  maxAttempts: 2,
  attempt: 0,
  readyAt: undefined,
  retryAt: undefined,
  error: undefined,
  ending: undefined,
};

test('is undecided at first, and asks for nothing', () => {
  assert.equal(after(), { value: 'undecided', context: nothing, told: [], asked: [] });
});

test('asks for a slot when it is ready', () => {
  assert.equal(after(ready), {
    value: 'ready',
    context: { ...nothing, readyAt: 10 },
    told: [{ type: 'task.ready', at: 10 }],
    asked: [['requestSlot', { readyAt: 10 }]],
  });
});

test('performs its first attempt when it has a slot', () => {
  assert.equal(after(ready, start), {
    value: 'running',
    context: { ...nothing, readyAt: 10, attempt: 1 },
    told: [{ type: 'task.started', at: 20, attempt: 1 }],
    asked: [['performAttempt', { attempt: 1 }]],
  });
});

test('waits until its retry is due', () => {
  assert.equal(after(ready, start, retry), {
    value: 'backing_off',
    context: { ...nothing, readyAt: 10, attempt: 1, retryAt: 40, error },
    told: [{ type: 'task.retrying', at: 30, attempt: 1, retryAt: 40, error }],
    asked: [['wakeAt', { at: 40 }]],
  });
});

test('asks for a slot when its retry is due, as of then, and not as of when it was woken', () => {
  const { value, told, asked } = after(ready, start, retry, due);
  assert.equal([value, told, asked], ['due', [], [['requestSlot', { readyAt: 40 }]]]);
});

test('performs its next attempt, and forgets when that was due', () => {
  const { context, told, asked } = after(ready, start, retry, due, again);
  assert.equal(context, { ...nothing, readyAt: 10, attempt: 2, error });
  assert.equal(told, [{ type: 'task.started', at: 50, attempt: 2 }]);
  assert.equal(asked, [['performAttempt', { attempt: 2 }]]);
});

test('fails when its last attempt does, whatever wait it is offered', () => {
  const last = { ...retry, at: 60, retryAt: 70 };
  const { value, context, told, asked } = after(ready, start, retry, due, again, last);
  assert.is(value, 'failed');
  assert.equal(context, { ...nothing, readyAt: 10, attempt: 2, error, ending: last });
  assert.equal(told, [{ type: 'task.failed', at: 60, attempt: 2, error, cause: 'exhausted' }]);
  assert.equal(asked, [['reportSettled', { status: 'failed' }]]);
});

test('fails at once where no wait is offered', () => {
  assert.is(after(ready, start, { ...retry, cause: 'fatal', retryAt: undefined }).value, 'failed');
});

test('ends as its body returned, after whatever failures', () => {
  const done: TaskEvent = { type: 'attempt.done', at: 60, output: 'made' };
  const { context, told, asked } = after(ready, start, retry, due, again, done);
  assert.equal(context, { ...nothing, readyAt: 10, attempt: 2, error, ending: done });
  assert.equal(told, [{ type: 'task.done', at: 60, attempt: 2, output: 'made' }]);
  assert.equal(asked, [['reportSettled', { status: 'done' }]]);
});

test('says how far an attempt is', () => {
  const progress: TaskEvent = { type: 'attempt.progress', at: 25, fraction: 0.5, note: 'half' };
  const { value, told, asked } = after(ready, start, progress);
  assert.equal(told, [{ type: 'task.progress', at: 25, attempt: 1, fraction: 0.5, note: 'half' }]);
  assert.equal([value, asked], ['running', []]);
});

test('shows as running while its body has not heeded a cancel or a time-out', () => {
  const cancel: TaskEvent = { type: 'task.cancel', at: 25, cause: 'cancelled', reason: 'enough' };
  const expire: TaskEvent = { type: 'task.expire', at: 25, cause: 'timeout', error };
  const attemptExpire: TaskEvent = { type: 'attempt.expire', at: 25 };
  const cancelled = ['cancelling', [['abortAttempt', { of: 'run', cause: 'cancelled', reason: 'enough' }]]];
  const expired = ['expiring', [['abortAttempt', { of: 'task', cause: 'timeout' }]]];
  const timedOut = ['timing_out', [['abortAttempt', { of: 'attempt', cause: 'timeout' }]]];
  const cases: readonly [TaskEvent[], unknown][] = [
    [[attemptExpire], timedOut],
    [[expire], expired],
    [[cancel], cancelled],
    [[attemptExpire, expire], expired],
    [[attemptExpire, cancel], cancelled],
    [[attemptExpire, expire, cancel], cancelled],
    // What comes later is weaker, and changes nothing.
    [
      [cancel, expire, attemptExpire],
      ['cancelling', []],
    ],
    [
      [expire, attemptExpire],
      ['expiring', []],
    ],
  ];
  for (const [events, expected] of cases) {
    const { value, context, asked, told } = after(ready, start, ...events);
    assert.equal([value, asked], expected);
    assert.equal([context, told], [after(ready, start).context, []]);
  }
});

test('ends as it was told to once its body has ended', () => {
  const cancel: TaskEvent = { type: 'task.cancel', at: 25, cause: 'cancelled', reason: 'enough' };
  const { value, told } = after(ready, start, cancel, {
    type: 'attempt.cancelled',
    at: 30,
    cause: 'cancelled',
    reason: 'enough',
  });
  assert.is(value, 'cancelled');
  assert.equal(told, [{ type: 'task.cancelled', at: 30, attempt: 1, cause: 'cancelled', reason: 'enough' }]);
  const expire: TaskEvent = { type: 'task.expire', at: 25, cause: 'timeout', error };
  const failed: TaskEvent = { type: 'attempt.failed', at: 30, error, cause: 'timeout' };
  assert.is(after(ready, start, expire, failed).value, 'failed');
  assert.is(after(ready, start, expire, { ...failed, retryAt: 40 }).value, 'failed');
  const attemptExpire: TaskEvent = { type: 'attempt.expire', at: 25 };
  assert.is(after(ready, start, attemptExpire, failed).value, 'failed');
  assert.is(after(ready, start, attemptExpire, { ...failed, retryAt: 40 }).value, 'backing_off');
});

test('ends at once when it is cancelled or out of time while no attempt is under way', () => {
  const cancel: TaskEvent = { type: 'task.cancel', at: 35, cause: 'timeout' };
  const expire: TaskEvent = { type: 'task.expire', at: 35, cause: 'timeout', error };
  const cancelled = (attempt: number) => [
    { type: 'task.cancelled', at: 35, attempt, cause: 'timeout', reason: undefined },
  ];
  assert.equal(after(cancel).told, cancelled(0));
  assert.equal(after(ready, cancel).told, cancelled(0));
  assert.equal(after(ready, start, retry, cancel).told, cancelled(1));
  assert.equal(after(ready, start, retry, expire).told, [
    { type: 'task.failed', at: 35, attempt: 1, error, cause: 'timeout' },
  ]);
  assert.is(after(ready, start, retry, expire).context.retryAt, undefined);
});

test('makes an attempt that a stop cut short again under its number, unless its time is over before', () => {
  const left = taskMachine.resolveState({
    value: 'ready',
    context: { ...nothing, attempt: 2, readyAt: 10 },
  });
  const [running] = transition(taskMachine, left, start);
  assert.equal([running.value, running.context.attempt], ['running', 2]);
  const expire: TaskEvent = { type: 'task.expire', at: 35, cause: 'timeout', error };
  const [failed, actions] = transition(taskMachine, left, expire);
  assert.is(failed.value, 'failed');
  assert.equal(told(actions), [{ type: 'task.failed', at: 35, attempt: 2, error, cause: 'timeout' }]);
});

test('is skipped by its rule, or by itself', () => {
  const byRule = after({ type: 'task.skip', at: 15, cause: 'rule', because: 'before' });
  assert.equal(byRule.told, [
    { type: 'task.skipped', at: 15, attempt: 0, cause: 'rule', reason: undefined, because: 'before' },
  ]);
  const byItself = after(ready, start, { type: 'attempt.skipped', at: 25, reason: 'nothing to do' });
  assert.equal(byItself.told, [
    {
      type: 'task.skipped',
      at: 25,
      attempt: 1,
      cause: undefined,
      reason: 'nothing to do',
      because: undefined,
    },
  ]);
  for (const { value, asked } of [byRule, byItself]) {
    assert.equal([value, asked], ['skipped', [['reportSettled', { status: 'skipped' }]]]);
  }
});

test('fails upstream without a try', () => {
  const { value, told, asked } = after({
    type: 'task.fail_upstream',
    at: 15,
    cause: 'upstream',
    because: 'before',
  });
  assert.is(value, 'upstream_failed');
  assert.equal(told, [{ type: 'task.upstream_failed', at: 15, cause: 'upstream', because: 'before' }]);
  assert.equal(asked, [['reportSettled', { status: 'upstream_failed' }]]);
});

test('takes no notice of what does not concern the state that it is in', () => {
  const late: readonly TaskEvent[] = [
    { type: 'attempt.done', at: 99, output: 'late' },
    { type: 'attempt.failed', at: 99, error, cause: 'fatal' },
    { type: 'attempt.progress', at: 99, fraction: 1 },
    { type: 'attempt.cancelled', at: 99, cause: 'cancelled' },
    { type: 'xstate.error.actor.body', error },
  ];
  for (const earlier of [[], [ready], [ready, start, retry]]) {
    for (const event of late) {
      assert.equal(after(...earlier, event), { ...after(...earlier), told: [], asked: [] });
    }
  }
  for (const event of [ready, start, due, { ...due, type: 'xstate.error.actor.body', error } as const]) {
    assert.equal(after(ready, start, event), { ...after(ready, start), told: [], asked: [] });
  }
});

test('tells a whole fact where an event has `null` for what it should say', () => {
  const none = null as never;
  const failed = after(ready, start, { type: 'attempt.failed', at: none, error: none, cause: none });
  assert.equal(failed.told, [
    {
      type: 'task.failed',
      at: Number.NaN,
      attempt: 1,
      error: { name: 'Error', message: 'The task failed' },
      cause: 'exhausted',
    },
  ]);
  assert.equal(after({ type: 'task.cancel', at: 15, cause: none }).told, [
    { type: 'task.cancelled', at: 15, attempt: 0, cause: 'cancelled', reason: undefined },
  ]);
  assert.equal(after({ type: 'task.fail_upstream', at: 15, cause: none }).told, [
    { type: 'task.upstream_failed', at: 15, cause: 'upstream', because: undefined },
  ]);
  const retrying = after(ready, start, { ...retry, retryAt: none });
  assert.equal(retrying.told, [{ type: 'task.retrying', at: 30, attempt: 1, retryAt: 30, error }]);
  assert.equal(retrying.asked, [['wakeAt', { at: 0 }]]);
  assert.equal(after(ready, start, { ...retry, retryAt: none }, due).asked, [
    ['requestSlot', { readyAt: 0 }],
  ]);
});

test('runs without an engine: it tells what happens, and nothing is done', () => {
  const actor = createActor(taskMachine, { input });
  const types: string[] = [];
  actor.on('*', ({ type }) => types.push(type));
  actor.start();
  const cancel: TaskEvent = { type: 'task.cancel', at: 55, cause: 'cancelled' };
  for (const event of [ready, start, retry, due, again, cancel]) actor.send(event);
  assert.is(actor.getSnapshot().value, 'cancelling');
  actor.send({ type: 'attempt.cancelled', at: 60, cause: 'cancelled' });
  assert.is(actor.getSnapshot().status, 'done');
  assert.equal(types, ['task.ready', 'task.started', 'task.retrying', 'task.started', 'task.cancelled']);
});

test("shows in each state as one status, which is the state's tag", () => {
  const shown = Object.values(taskMachine.states).map(({ key, tags }) => [key, tags]);
  assert.equal(Object.fromEntries(shown), {
    undecided: ['pending'],
    asking: ['pending'],
    planning: ['pending'],
    waiting: ['waiting'],
    ready: ['pending'],
    running: ['running'],
    timing_out: ['running'],
    expiring: ['running'],
    cancelling: ['running'],
    backing_off: ['retrying'],
    due: ['retrying'],
    done: ['done'],
    failed: ['failed'],
    skipped: ['skipped'],
    upstream_failed: ['upstream_failed'],
    cancelled: ['cancelled'],
  });
});

test('refuses a snapshot of a state that it does not have, as those of earlier versions', () => {
  for (const value of ['pending', 'retrying']) {
    const snapshot = { status: 'active', value, context: nothing, children: {}, historyValue: {} };
    const { status, error } = createActor(taskMachine, { input, snapshot: snapshot as never }).getSnapshot();
    assert.is(status, 'error');
    assert.match(String(error), value);
    assert.throws(() => compile(taskMachine).restoreSnapshot(snapshot as never), new RegExp(value));
  }
});
