import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { RunFold } from '../../src/model/fold.ts';
import { createGraph } from '../../src/model/graph.ts';
import type { Entry } from '../../src/model/journal.ts';
import { isAttempt, type Span, TaskTimes } from '../../src/model/task-times.ts';
import { spec } from '../spec.ts';

const test = spec('task times');

const error = { name: 'Error', message: 'no' };
const graph = createGraph('f', [{ id: 'a' }, { id: 'b' }]);

/** Folds facts, stamped in order, and gives the spans that they end. */
function timesOf(...facts: readonly object[]) {
  const fold = new RunFold('r', { name: 'f', graph, dependsOn: () => [], isChild: () => false });
  const times = new TaskTimes(fold);
  let seq = 0;
  const apply = (fact: object): readonly Span[] => times.apply({ ...fact, seq: ++seq, runId: 'r' } as Entry);
  return { fold, times, apply, spans: facts.flatMap(apply) };
}

/** A span in one line. */
function show(span: Span): string {
  const { kind, task, life, attempt, startedAt, endedAt } = span;
  const line = `${'ab'[task]}${life} ${kind}${attempt} ${startedAt}-${endedAt}`;
  return isAttempt(span) ? `${line} ${span.ending}` : line;
}

/** The sums of a task: slots, attempts, backoffs, lost. */
function sumsOf(times: TaskTimes, task: number): number[] {
  return (['slot', 'attempt', 'backoff', 'lost'] as const).map((kind) => times.spentMs(task, kind));
}

const ready = (at: number, taskId = 'a') => ({ type: 'task.ready', taskId, at });
const started = (at: number, attempt: number, taskId = 'a') => ({
  type: 'task.started',
  taskId,
  at,
  attempt,
});
const retrying = (at: number, attempt: number, retryAt: number) => ({
  type: 'task.retrying',
  taskId: 'a',
  at,
  attempt,
  retryAt,
  error,
});
const done = (at: number, attempt: number, taskId = 'a') => ({
  type: 'task.done',
  taskId,
  at,
  attempt,
  output: 1,
});
const failed = (at: number, attempt: number) => ({
  type: 'task.failed',
  taskId: 'a',
  at,
  attempt,
  error,
  cause: 'exhausted',
});
const cancelled = (at: number, attempt: number) => ({
  type: 'task.cancelled',
  taskId: 'a',
  at,
  attempt,
  cause: 'cancelled',
});

test('are waits for slots, attempts and backoffs, one after the other', () => {
  const { times, spans } = timesOf(
    { type: 'run.started', at: 5, version: 1, flow: 'f', flowHash: 'h', input: undefined },
    ready(10),
    ready(10, 'b'),
    started(12, 1),
    { type: 'task.progress', taskId: 'a', at: 13, attempt: 1, fraction: 0.5 },
    retrying(20, 1, 50),
    started(20, 1, 'b'),
    started(57, 2),
    done(60, 1, 'b'),
    done(64, 2),
    { type: 'run.done', at: 64, output: 1 },
  );
  assert.equal(spans.map(show), [
    'a0 slot1 10-12',
    'a0 attempt1 12-20 failed',
    'b0 slot1 10-20',
    'a0 backoff2 20-50',
    'a0 slot2 50-57',
    'b0 attempt1 20-60 done',
    'a0 attempt2 57-64 done',
  ]);
  assert.equal(
    [sumsOf(times, 0), sumsOf(times, 1)],
    [
      [9, 15, 30, 0],
      [10, 40, 0, 0],
    ],
  );
});

test('leave out waits that take no time, but not attempts', () => {
  const { spans } = timesOf(ready(10), started(10, 1), retrying(10, 1, 10), started(10, 2), failed(10, 2));
  assert.equal(spans.map(show), ['a0 attempt1 10-10 failed', 'a0 attempt2 10-10 failed']);
});

test('are none of a task that gets a verdict without being ready', () => {
  const { times, spans } = timesOf({
    type: 'task.skipped',
    taskId: 'a',
    at: 12,
    attempt: 0,
    cause: 'rule',
  });
  assert.equal([spans, times.since(0), times.since(1)], [[], 12, undefined]);
});

test('are there for an attempt of a journal that does not tell when its task was ready', () => {
  assert.equal(timesOf(started(10, 1), done(12, 1)).spans.map(show), ['a0 attempt1 10-12 done']);
});

test('tell how each attempt ended', () => {
  const skipped = { type: 'task.skipped', taskId: 'a', at: 12, attempt: 1 };
  const endings = [done(12, 1), failed(12, 1), skipped, cancelled(12, 1), retrying(12, 1, 20)].map(
    (end) => timesOf(ready(10), started(10, 1), end).spans,
  );
  assert.equal(
    endings.map((spans) => spans.map(show)),
    ['done', 'failed', 'skipped', 'cancelled', 'failed'].map((how) => [`a0 attempt1 10-12 ${how}`]),
  );
});

test('count a wait that ends with the task', () => {
  assert.equal(timesOf(ready(10), cancelled(15, 0)).spans.map(show), ['a0 slot1 10-15']);
  const backingOff = [ready(10), started(10, 1), retrying(12, 1, 50)];
  assert.equal(
    timesOf(...backingOff, cancelled(30, 1))
      .spans.slice(1)
      .map(show),
    ['a0 backoff2 12-30'],
  );
  assert.equal(
    timesOf(...backingOff, failed(60, 1))
      .spans.slice(1)
      .map(show),
    ['a0 backoff2 12-50', 'a0 slot2 50-60'],
  );
});

test('have no backoff of less than nothing where stamps were held back behind a due instant', () => {
  const { spans } = timesOf(ready(10), started(10, 1), retrying(40, 1, 35), started(45, 2));
  assert.equal(spans.map(show), ['a0 attempt1 10-40 failed', 'a0 slot2 40-45']);
});

test('tell since when a task is in its state', () => {
  const facts = [
    ready(10),
    started(12, 1),
    { type: 'task.progress', taskId: 'a', at: 15, attempt: 1, fraction: 0.5 },
    retrying(20, 1, 50),
    started(57, 2),
    done(64, 2),
    { type: 'task.rerun', taskId: 'a', at: 70 },
  ];
  const { times, apply } = timesOf();
  const since = facts.map((fact) => {
    apply(fact);
    return times.since(0);
  });
  assert.equal(since, [10, 12, 12, 20, 57, 64, 70]);
  assert.is(times.since(1), undefined);
});

test('start anew with a rerun, and tell its spans from those before', () => {
  const { times, apply, spans } = timesOf(
    ready(10),
    started(12, 1),
    retrying(20, 1, 50),
    started(50, 2),
    failed(60, 2),
    { type: 'run.failed', at: 60 },
  );
  assert.equal([sumsOf(times, 0), spans.length], [[2, 18, 30, 0], 4]);
  assert.equal(apply({ type: 'task.rerun', taskId: 'a', at: 100 }), []);
  assert.equal(sumsOf(times, 0), [0, 0, 0, 0]);
  const again = [ready(104), started(105, 1), done(109, 1)].flatMap(apply);
  assert.equal(again.map(show), ['a1 slot1 104-105', 'a1 attempt1 105-109 done']);
  assert.equal(sumsOf(times, 0), [1, 4, 0, 0]);
  assert.equal(
    [{ type: 'task.rerun', taskId: 'a', at: 200 }, ready(200), started(200, 1), done(203, 1)]
      .flatMap(apply)
      .map(show),
    ['a2 attempt1 200-203 done'],
  );
});

test('keep the time of an attempt that a stop cut short apart, since nobody knows how long it ran', () => {
  const { times, spans } = timesOf(ready(10), started(12, 1), started(500, 1), done(510, 1));
  assert.equal(spans.map(show), ['a0 slot1 10-12', 'a0 lost1 12-500', 'a0 attempt1 500-510 done']);
  assert.equal(sumsOf(times, 0), [2, 10, 0, 488]);
});

test('are the same where the fold is told of the stop, which then knows of attempts that were not repeated', () => {
  const again = timesOf(ready(10), started(12, 1), retrying(20, 1, 50), started(50, 2));
  again.fold.recover();
  assert.equal([started(500, 2), done(510, 2)].flatMap(again.apply).map(show), [
    'a0 lost2 50-500',
    'a0 attempt2 500-510 done',
  ]);
  const never = timesOf(ready(10), started(12, 1));
  never.fold.recover();
  assert.equal(never.apply(cancelled(500, 1)).map(show), ['a0 lost1 12-500']);
});

test('fold the run too', () => {
  const { fold } = timesOf(ready(10), started(12, 1));
  assert.equal([fold.seq, fold.task(0).status], [2, 'running']);
});

/** Any life of a task: what it does next, and after how long. */
const lives = fc.array(
  fc.array(
    fc.record({
      waitMs: fc.nat(9),
      backoffMs: fc.nat(9),
      runMs: fc.nat(9),
      end: fc.constantFrom('task.retrying', 'stop', 'task.done', 'task.cancelled'),
    }),
    { maxLength: 6 },
  ),
  { minLength: 1, maxLength: 3 },
);

test('leave no time between ready and settled out, and count none twice', () => {
  fc.assert(
    fc.property(lives, (each) => {
      const { times, fold, apply } = timesOf();
      let at = 0;
      for (const [life, attempts] of each.entries()) {
        if (life > 0) apply({ type: 'task.rerun', taskId: 'a', at: ++at });
        apply(ready(at));
        const spans: Span[] = [];
        let attempt = 1;
        for (const { waitMs, backoffMs, runMs, end } of attempts) {
          at += waitMs;
          spans.push(...apply(started(at, attempt)));
          at += runMs;
          if (end === 'stop') continue;
          if (end !== 'task.retrying') break;
          spans.push(...apply(retrying(at, attempt, at + backoffMs)));
          at += backoffMs;
          attempt++;
        }
        spans.push(...apply(cancelled(++at, attempt)));
        const { readyAt = 0, endedAt = 0 } = fold.task(0);
        let last = readyAt;
        for (const span of spans) {
          assert.equal([span.startedAt, span.life], [last, life]);
          last = span.endedAt;
        }
        assert.is(last, endedAt);
        assert.is(
          sumsOf(times, 0).reduce((sum, ms) => sum + ms),
          endedAt - readyAt,
        );
      }
    }),
  );
});

test('begins anew by a change of the flow, and ignores tasks that the flow lacks', () => {
  const change = {
    type: 'run.flow_changed',
    at: 30,
    flowHash: 'i',
    changes: [],
    dropped: ['gone'],
    waiting: ['a'],
  };
  const { times, spans } = timesOf(
    ready(0),
    ready(0, 'gone'),
    started(5, 1),
    done(20, 1, 'gone'),
    change,
    ready(40),
    started(45, 1),
    done(50, 1),
  );
  assert.equal(spans.map(show), ['a0 slot1 0-5', 'a1 slot1 40-45', 'a1 attempt1 45-50 done']);
  assert.equal(sumsOf(times, 0), [5, 5, 0, 0]);
});
