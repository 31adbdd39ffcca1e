import * as assert from 'uvu/assert';
import { reasonOf } from '../../../src/inspector/page/run/reasons.ts';
import { rootFailures } from '../../../src/inspector/page/run/root-failures.ts';
import { judge } from '../../../src/inspector/page/run/rule-inputs.ts';
import { textOf } from '../../../src/inspector/page/run/words.ts';
import { spec } from '../../spec.ts';
import { type RecordedOptions, type RecordedTask, recording } from './recorded.ts';

const test = spec('why a task is as it is');

async function reasons(
  tasks: Readonly<Record<string, RecordedTask>>,
  options: RecordedOptions & { readonly place?: number } = {},
): Promise<Record<string, string>> {
  const { recording: made, now } = await recording(tasks, options);
  const given = { recording: made, moment: made.moment(options.place), now };
  const { ids } = made.graph;
  return Object.fromEntries(ids.map((id, task) => [id, textOf(reasonOf(given, task), ids)]));
}

const retry = { maxAttempts: 3, backoff: 4_000 };

test('a pending task names what it waits for, and what that does', async () => {
  const found = await reasons(
    {
      a: { durationMs: 10, fails: 3, retry },
      b: { durationMs: 100 },
      c: { dependsOn: ['b'] },
      d: { dependsOn: ['c', 'b', 'a'] },
      e: { dependsOn: ['a', 'b', 'c', 'd'] },
    },
    { untilMs: 20 },
  );
  assert.is(found.a, 'retrying: attempt 1 failed (Error: a fails); attempt 2 of 3 in 4.0 s');
  assert.is(found.b, 'running: for 20 ms');
  assert.is(found.c, 'pending: waits for `b`, which is running');
  assert.is(
    found.d,
    'pending: waits for `a`, which retries in 4.0 s, `b`, which is running and `c`, which waits itself',
  );
  assert.is(
    found.e,
    'pending: waits for `a`, which retries in 4.0 s, `b`, which is running, `c`, which waits itself, and 1 more',
  );
});

test('a ready task names the limit that is full, and who holds it', async () => {
  const found = await reasons(
    { a: { durationMs: 50, pool: 'db' }, b: { pool: 'db' }, c: { durationMs: 50 }, d: {} },
    { pools: { db: 1 }, concurrency: 2, untilMs: 20 },
  );
  assert.is(
    found.b,
    'pending: it is ready and has waited for a slot for 20 ms: pool `db` has 1 slot, held by `a`',
  );
  assert.is(
    found.d,
    'pending: it is ready and has waited for a slot for 20 ms: the run has 2 slots, held by `a`, `c`',
  );
});

test('a ready task of a paused run says that it is paused', async () => {
  const found = await reasons(
    { a: { durationMs: 5 }, b: { dependsOn: ['a'] } },
    { untilMs: 19, during: (run, clock) => clock.advance(1).then(() => run.pause()) },
  );
  assert.is(found.b, 'pending: it is ready for 15 ms, but the run is paused');
});

test('endings name the failure that they go back to', async () => {
  const found = await reasons({
    x: { durationMs: 3, fails: 'always', retry: { maxAttempts: 2, backoff: 0 } },
    y: { dependsOn: ['x'] },
    z: { dependsOn: ['y'] },
    skip: { skips: true },
    after: { dependsOn: ['skip'] },
    fatal: { fatal: true, optional: true },
    good: { durationMs: 4 },
  });
  assert.equal(found, {
    x: 'failed: attempt 2 of 2: Error: x fails',
    y: 'upstream failed: because of `x`, which failed (x fails)',
    z: 'upstream failed: because of `x`, which failed (x fails), by way of `y`',
    skip: 'skipped: it skipped itself: not today',
    after: 'skipped: its rule all_success said so when `skip` was skipped',
    fatal: 'failed: FatalError: broken for good; the error said that a retry is useless',
    good: 'done: it returned after 4 ms',
  });
});

test('cancelled tasks give the reason of the cancel', async () => {
  const found = await reasons(
    { a: { durationMs: 50 }, b: { dependsOn: ['a'] } },
    { during: (run, clock) => clock.advance(5).then(() => run.cancel('wrong data')) },
  );
  assert.is(found.a, 'cancelled: the run was cancelled during attempt 1: wrong data');
  assert.is(found.b, 'cancelled: the run was cancelled before it started: wrong data');
});

test('at an earlier moment the reason is that of the moment', async () => {
  const found = await reasons({ a: { durationMs: 5 }, b: { dependsOn: ['a'] } }, { place: 0 });
  assert.is(found.b, 'pending: the run has not started');
});

test('root failures come first, each with all that it brought down', async () => {
  const { recording: made, now } = await recording({
    late: { durationMs: 9, fails: 'always' },
    early: { durationMs: 3, fails: 'always' },
    b: { dependsOn: ['early'] },
    c: { dependsOn: ['b'] },
    d: { dependsOn: ['late'] },
  });
  const ids = made.graph.ids;
  const roots = rootFailures({ recording: made, moment: made.moment(), now });
  assert.equal(
    roots.map(({ task, broughtDown }) => [ids[task], broughtDown.map((each) => ids[each])]),
    [
      ['early', ['b', 'c']],
      ['late', ['d']],
    ],
  );
});

test('a rule is judged with its inputs as the engine judges it', async () => {
  const { recording: made } = await recording(
    { a: { durationMs: 3 }, b: { durationMs: 50 }, c: { dependsOn: ['a', 'b'], triggerRule: 'all_settled' } },
    { untilMs: 10 },
  );
  assert.equal(judge(made, made.moment(), 2), {
    triggerRule: 'all_settled',
    decision: 'wait',
    inputs: [
      { task: 0, status: 'done' },
      { task: 1, status: 'running' },
    ],
  });
});
