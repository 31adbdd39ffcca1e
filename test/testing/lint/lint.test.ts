import { createFlow, createFlowFromGraph, type GraphTask, type TriggerRule, triggerRules } from 'topple';
import { lint } from 'topple/testing';
import * as assert from 'uvu/assert';
import { spec } from '../../spec.ts';

const test = spec('lints');

const perform = () => 'output';

/** What is found in a flow of these tasks: rule, severity and task. */
function found(tasks: Readonly<Record<string, GraphTask>>, settings = {}): string[] {
  const flow = createFlowFromGraph({ ...settings, tasks }, perform);
  return lint(flow).map(({ rule, severity, taskId }) => `${severity} ${rule} ${taskId}`);
}

test('find nothing in a plain flow', () => {
  const tasks = {
    a: {},
    b: { dependsOn: ['a'], retry: { maxAttempts: 3, backoff: 100 }, totalTimeoutMs: 1_000 },
    c: { dependsOn: ['a'], skippable: true },
    d: { dependsOn: ['b', 'c'], triggerRule: 'none_failed' },
    e: { dependsOn: ['b'], triggerRule: 'one_failed', optional: true },
  };
  assert.equal(found(tasks), []);
  assert.equal(lint(createFlow('empty')), []);
});

test('all_success behind a task that may skip itself', () => {
  const [one] = lint(
    createFlowFromGraph({ tasks: { a: { skippable: true }, b: { dependsOn: ['a'] } } }, perform),
  );
  assert.equal([one?.rule, one?.severity, one?.taskId], ['skips-with-dependency', 'warning', 'b']);
  assert.match(
    one?.message ?? '',
    "`a` may skip itself, and `b` is then skipped too, with all that is behind it. If it is to run all the same, give it `triggerRule: 'none_failed'`",
  );
});

test('all_success behind a branch is reported once, where it begins', () => {
  const tasks = {
    a: {},
    alarm: { dependsOn: ['a'], triggerRule: 'one_failed' },
    b: { dependsOn: ['alarm'] },
    c: { dependsOn: ['b'] },
  };
  assert.equal(found(tasks), ['warning skips-with-dependency b']);
});

test('a rule that cannot be met', () => {
  const tasks = {
    a: {},
    b: { skippable: true },
    no: { dependsOn: ['a'], triggerRule: 'all_skipped' },
    yes: { dependsOn: ['b'], triggerRule: 'all_skipped' },
  };
  assert.equal(found(tasks), ['warning never-runs no']);
  const behind = {
    a: { skippable: true },
    b: { dependsOn: ['a'], triggerRule: 'all_settled' },
    c: { dependsOn: ['b'], triggerRule: 'all_skipped', optional: true },
  };
  assert.equal(found(behind), ['warning never-runs c']);
});

test('a task that is not optional behind one that is, under rules that need it', () => {
  const behind = (triggerRule: TriggerRule, more = {}, ...others: GraphTask[]) => {
    const tasks = Object.fromEntries(others.map((task, at) => [`other-${at}`, task]));
    const dependsOn = ['ad', ...Object.keys(tasks)];
    return found({ ad: { optional: true }, ...tasks, mail: { dependsOn, triggerRule, ...more } });
  };
  const warned = ['warning needs-optional mail'];
  const needing = triggerRules.filter((rule) => behind(rule).join() === warned.join());
  assert.equal(needing, [
    'all_success',
    'all_settled_min_one_success',
    'one_success',
    'none_failed',
    'none_failed_min_one_success',
  ]);
  assert.equal(behind('all_success', { optional: true }), []);
  // One success is enough for these, and a task that is not optional is one where the run is not failed anyway.
  assert.equal(behind('one_success', {}, {}), []);
  assert.equal(behind('all_settled_min_one_success', {}, {}), []);
  assert.equal(behind('one_success', {}, { skippable: true }), warned);
  assert.equal(behind('all_settled_min_one_success', {}, { skippable: true }), []);
  assert.equal(behind('none_failed', {}, {}), warned);
});

test('an optional task that others keep from running keeps others from running too', () => {
  const tasks = {
    a: {},
    b: { dependsOn: ['a'], optional: true },
    c: { dependsOn: ['b'], optional: true },
    d: { dependsOn: ['c'] },
    e: { dependsOn: ['d'] },
  };
  assert.equal(found(tasks), ['warning needs-optional d']);
});

test('optional tasks that others need are described', () => {
  const messageOf = (count: number, triggerRule: TriggerRule): string | undefined => {
    const ids = Array.from({ length: count }, (_, at) => `o${at}`);
    const optional = Object.fromEntries(ids.map((id) => [id, { optional: true }]));
    const flow = createFlowFromGraph(
      { tasks: { ...optional, mail: { dependsOn: ids, triggerRule } } },
      perform,
    );
    return lint(flow)[0]?.message;
  };
  const first = '`mail` is not optional, and cannot run where ';
  const then =
    ": the run is then `failed`. If it is to run all the same, give it a rule that does not mind, such as `triggerRule: 'all_settled'`; if the run may be `done` without it, make it `optional: true` too.";
  assert.equal(
    [
      messageOf(1, 'all_success'),
      messageOf(2, 'none_failed'),
      messageOf(5, 'all_success'),
      messageOf(2, 'one_success'),
      messageOf(1, 'all_settled_min_one_success'),
      messageOf(2, 'all_settled_min_one_success'),
    ],
    [
      'optional `o0` fails',
      'one of optional `o0` and `o1` fails',
      'one of optional `o0`, `o1`, `o2` and 2 more fails',
      'none of its dependencies is done, and optional `o0` and `o1` may fail',
      'optional `o0` fails',
      'all of optional `o0` and `o1` fail',
    ].map((where) => `${first}${where}${then}`),
  );
});

test('a rule that runs anyway is recommended behind tasks that skip, optional ones included', () => {
  const recommended = (tasks: Readonly<Record<string, GraphTask>>): (string | undefined)[] =>
    lint(createFlowFromGraph({ tasks }, perform))
      .filter(({ rule }) => rule === 'skips-with-dependency')
      .map(({ message }) => /run all the same, give it `triggerRule: '(\w+)'`/.exec(message)?.[1]);
  const end = { dependsOn: ['news', 'ad'] };
  assert.equal(recommended({ news: { skippable: true }, ad: {}, end }), ['none_failed']);
  assert.equal(recommended({ news: { skippable: true }, ad: { optional: true }, end }), ['all_settled']);
  assert.equal(recommended({ news: { skippable: true, optional: true }, ad: {}, end }), ['all_settled']);
});

test('a limit shorter than the backoffs', () => {
  const retry = { maxAttempts: 4, backoff: { kind: 'exponential', initialMs: 100 } } as const;
  assert.equal(found({ a: { retry, totalTimeoutMs: 700 } }), ['warning time-ends-before-last-attempt a']);
  assert.equal(found({ a: { retry, totalTimeoutMs: 701 } }), []);
  assert.equal(found({ a: { retry: { ...retry, maxElapsedMs: 700 } } }), [
    'warning time-ends-before-last-attempt a',
  ]);
  assert.equal(found({ a: { retry } }, { totalTimeoutMs: 500 }), ['warning time-ends-before-last-attempt a']);
  const [one] = lint(createFlowFromGraph({ tasks: { a: { retry, totalTimeoutMs: 10 } } }, perform));
  assert.is(
    one?.message,
    '`totalTimeoutMs` (10 ms) is over before attempt 4 of `a`: the waits before it come to 700 ms alone. Raise the limit, or make fewer attempts.',
  );
});

test('a limit that jitter may exceed', () => {
  const flow = createFlow('jitter').task('a', { retry: { maxAttempts: 3 }, totalTimeoutMs: 2_000, perform });
  assert.equal(
    lint(flow).map(({ severity, rule }) => [severity, rule]),
    [['hint', 'time-ends-before-last-attempt']],
  );
});

test('a backoff that throws is no finding', () => {
  const backoff = (): number => {
    throw new Error('not for lint');
  };
  const flow = createFlow('throws').task('a', {
    retry: { maxAttempts: 3, backoff },
    totalTimeoutMs: 1,
    perform,
  });
  assert.equal(lint(flow), []);
});

test('a limit that is never reached', () => {
  assert.equal(found({ a: { timeoutMs: 200, totalTimeoutMs: 100 } }), ['hint limit-never-reached a']);
});

test('a dependency that another implies, and only then', () => {
  assert.equal(found({ a: {}, b: { dependsOn: ['a'] }, c: { dependsOn: ['a', 'b'] } }), [
    'hint implied-dependency c',
  ]);
  assert.equal(
    found({ a: {}, b: { dependsOn: ['a'], triggerRule: 'all_settled' }, c: { dependsOn: ['a', 'b'] } }),
    [],
  );
  assert.equal(
    found({ a: {}, b: { dependsOn: ['a'] }, c: { dependsOn: ['a', 'b'], triggerRule: 'all_settled' } }),
    [],
  );
});

test('a task that nobody needs', () => {
  const tasks = { a: {}, b: { dependsOn: ['a'] }, lost: { dependsOn: ['a'] }, end: { dependsOn: ['b'] } };
  assert.equal(found(tasks), ['hint nobody-needs lost']);
  assert.equal(found({ ...tasks, lost: { dependsOn: ['a'], optional: true } }), []);
  assert.equal(found({ a: {}, b: {}, c: {} }), []);
});

test('warnings come first', () => {
  const tasks = {
    a: { skippable: true },
    b: { dependsOn: ['a'], triggerRule: 'none_failed', timeoutMs: 2, totalTimeoutMs: 1 },
    c: { dependsOn: ['a'] },
    d: { dependsOn: ['b', 'c'] },
  };
  assert.equal(found(tasks), ['warning skips-with-dependency c', 'hint limit-never-reached b']);
});

test('an undo that leaves what a failed attempt may have done', () => {
  const compensate = () => {};
  const flow = createFlow('order')
    .task('retried', { perform, compensate, retry: { maxAttempts: 2 } })
    .task('limited', { perform, compensate, timeoutMs: 10 })
    .task('plain', { perform, compensate })
    .task('started', { perform, compensate: { perform: compensate, after: 'started' }, timeoutMs: 10 });
  const hints = lint(flow).filter(({ rule }) => rule === 'undo-keeps-effect');
  assert.equal(
    hints.map(({ taskId, severity }) => [taskId, severity]),
    [
      ['retried', 'hint'],
      ['limited', 'hint'],
    ],
  );
});
