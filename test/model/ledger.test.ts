import * as assert from 'uvu/assert';
import { createGraph } from '../../src/model/graph.ts';
import { Ledger, type Plan } from '../../src/model/ledger.ts';
import { isSettled, type SettledStatus, type TaskStatus } from '../../src/model/status.ts';
import type { TriggerRule } from '../../src/model/trigger-rule.ts';
import { diceOf, oneOf } from '../logic/oracle.ts';
import { spec } from '../spec.ts';

const test = spec('ledger');

interface Row {
  readonly dependsOn?: readonly string[];
  readonly rule?: TriggerRule;
  readonly optional?: boolean;
}

function planOf(tasks: Readonly<Record<string, Row>>, tolerance?: number): Plan {
  const rows = Object.values(tasks);
  return {
    graph: createGraph(
      'test',
      Object.entries(tasks).map(([id, { dependsOn }]) => ({ id, dependsOn })),
    ),
    rules: rows.map(({ rule = 'all_success' }) => rule),
    optional: Uint8Array.from(rows, ({ optional }) => (optional ? 1 : 0)),
    ...(tolerance === undefined ? {} : { tolerance }),
  };
}

const chain = { a: {}, b: { dependsOn: ['a'] }, c: { dependsOn: ['b'] } };
const diamond = { a: {}, b: { dependsOn: ['a'] }, c: { dependsOn: ['a'] }, d: { dependsOn: ['b', 'c'] } };

const endings = ['done', 'failed', 'skipped', 'upstream_failed', 'cancelled'] as const;

test('admits what may run at once, in definition order', () => {
  const ledger = Ledger.open(planOf({ ...diamond, e: { dependsOn: ['d'], rule: 'always' } })).admit();
  assert.equal(ledger.verdicts, [
    { task: 0, decision: 'run' },
    { task: 4, decision: 'run' },
  ]);
  assert.equal(ledger.toJSON().statuses, ['decided', 'waiting', 'waiting', 'waiting', 'decided']);
  assert.equal([ledger.size, ledger.unsettled, ledger.failures], [5, 5, 0]);
});

test('gives each dependent its verdict once, with the dependency that decided it', () => {
  const start = Ledger.open(planOf(diamond)).admit();
  const afterA = start.settle(0, 'done');
  assert.equal(afterA.verdicts, [
    { task: 1, decision: 'run', because: 0 },
    { task: 2, decision: 'run', because: 0 },
  ]);
  const afterB = afterA.settle(1, 'failed');
  assert.equal(afterB.verdicts, [{ task: 3, decision: 'upstream_failed', because: 1 }]);
  const afterC = afterB.settle(2, 'failed');
  assert.equal(afterC.verdicts, []);
  assert.equal([afterC.unsettled, afterC.failures], [1, 2]);
});

test('is immutable: what follows from one ledger leaves it as it was', () => {
  const start = Ledger.open(planOf(chain)).admit();
  const done = start.settle(0, 'done');
  const failed = start.settle(0, 'failed');
  assert.equal([start.statusOf(0), done.statusOf(0), failed.statusOf(0)], ['decided', 'done', 'failed']);
  assert.equal([done.verdicts[0]?.decision, failed.verdicts[0]?.decision], ['run', 'upstream_failed']);
});

test('enters an ending once', () => {
  const once = Ledger.open(planOf(chain)).admit().settle(0, 'done');
  const given = once.verdicts;
  const twice = once.settle(0, 'failed');
  assert.equal([given.length, once.verdicts], [1, given]);
  assert.equal([twice.statusOf(0), twice.unsettled, twice.failures, twice.verdicts], ['done', 2, 0, []]);
});

test('gives the same verdicts in place, where only the newest is to be read', () => {
  const plan = planOf({ ...diamond, e: { dependsOn: ['b', 'd'], rule: 'one_failed' } });
  let kept = Ledger.open(plan).admit();
  let inPlace = Ledger.openInPlace(plan).admit();
  for (const [task, status] of [
    [0, 'done'],
    [1, 'failed'],
    [2, 'done'],
    [3, 'upstream_failed'],
    [4, 'done'],
  ] as const) {
    kept = kept.settle(task, status);
    inPlace = inPlace.settle(task, status);
    assert.equal(
      [inPlace.verdicts, inPlace.unsettled, inPlace.failures],
      [kept.verdicts, kept.unsettled, kept.failures],
    );
    assert.equal(inPlace.toJSON(), kept.toJSON());
  }
  const early = Ledger.openInPlace(plan).admit();
  assert.is(early.settle(0, 'done'), early);
});

test('counts each task that is not optional and ended neither done nor skipped', () => {
  const plan = planOf({ a: { optional: true }, b: {} });
  const failuresOf = (task: number): number[] =>
    endings.map((ending) => Ledger.open(plan).settle(task, ending).failures);
  assert.equal(
    [failuresOf(0), failuresOf(1)],
    [
      [0, 0, 0, 0, 0],
      [0, 1, 0, 1, 1],
    ],
  );
  assert.equal(
    endings.map((ending) => Ledger.open(plan, [ending, ending]).failures),
    [0, 1, 0, 1, 1],
  );
});

test('has failed with any failure, and is never to end early, where nothing is said of tolerance', () => {
  const plan = planOf({ a: {}, b: {}, c: { optional: true } });
  const start = Ledger.open(plan).admit();
  assert.is(start.hasFailed, false);
  for (const ending of endings) assert.is(start.endsEarly(0, ending), false);
  assert.is(start.settle(2, 'failed').hasFailed, false);
  const failed = start.settle(0, 'failed');
  assert.equal([failed.hasFailed, failed.endsEarly(1, 'failed')], [true, false]);
});

test('is to end early with one failure more than it tolerates', () => {
  const items = { a: {}, b: {}, c: { optional: true }, d: {} };
  const none = Ledger.open(planOf(items, 0)).admit();
  assert.equal(
    endings.map((ending) => [none.endsEarly(0, ending), none.endsEarly(2, ending)]),
    [
      [false, false],
      [true, false],
      [false, false],
      [true, false],
      [true, false],
    ],
  );
  assert.is(none.hasFailed, false);
  assert.is(none.settle(0, 'failed').hasFailed, true);

  const one = Ledger.open(planOf(items, 1)).admit();
  assert.is(one.endsEarly(0, 'failed'), false);
  const tolerated = one.settle(0, 'failed');
  assert.equal(
    [tolerated.hasFailed, tolerated.endsEarly(1, 'done'), tolerated.endsEarly(1, 'failed')],
    [false, false, true],
  );
  // A task settles once: what is heard of it again counts no more.
  assert.is(tolerated.endsEarly(0, 'failed'), false);
  const more = tolerated.settle(1, 'failed');
  assert.equal([more.hasFailed, more.endsEarly(3, 'done')], [true, true]);
});

test('counts the failures of before where it goes on', () => {
  const plan = planOf({ a: {}, b: {}, c: {}, d: {} }, 1);
  const ledger = Ledger.open(plan, ['failed', 'running', 'done', 'pending']).admit();
  assert.equal(
    [ledger.hasFailed, ledger.endsEarly(1, 'done'), ledger.endsEarly(1, 'failed')],
    [false, false, true],
  );
  const beyond = Ledger.open(plan, ['failed', 'failed', 'pending', 'pending']).admit();
  assert.equal([beyond.hasFailed, beyond.endsEarly(2, 'done')], [true, true]);
});

test('agrees with a count of the failures, task by task, in 2,000 orders', () => {
  for (let seed = 0; seed < 2_000; seed++) {
    const dice = diceOf(seed);
    const size = 1 + dice(7);
    const optional = Array.from({ length: size }, () => dice(4) === 0);
    const tasks = Object.fromEntries(
      optional.map((isOptional, task) => [`t${task}`, { optional: isOptional }]),
    );
    const tolerance = dice(4) === 0 ? undefined : dice(size + 1);
    const plan = planOf(tasks, tolerance);
    const before = optional.map(() => oneOf(dice, ['pending', 'running', 'retrying', ...endings] as const));
    const settled = new Map<number, SettledStatus>();
    for (const [task, status] of before.entries()) if (isSettled(status)) settled.set(task, status);
    const failuresWith = (ended: ReadonlyMap<number, SettledStatus>): number =>
      [...ended].filter(([task, status]) => !optional[task] && status !== 'done' && status !== 'skipped')
        .length;
    let kept = Ledger.open(plan, before).admit();
    const inPlace = Ledger.openInPlace(plan, before).admit();
    for (let step = 0; step < 2 * size; step++) {
      const task = dice(size);
      const status = oneOf(dice, endings);
      const next = settled.has(task) ? settled : new Map(settled).set(task, status);
      const about = `seed ${seed}, step ${step}`;
      const isEarly = tolerance !== undefined && failuresWith(next) > tolerance;
      assert.equal(
        [kept.endsEarly(task, status), inPlace.endsEarly(task, status)],
        [isEarly, isEarly],
        about,
      );
      if (!settled.has(task)) settled.set(task, status);
      kept = kept.settle(task, status);
      inPlace.settle(task, status);
      const hasFailed = failuresWith(settled) > (tolerance ?? 0);
      assert.equal([kept.hasFailed, inPlace.hasFailed], [hasFailed, hasFailed], about);
    }
  }
});

test('cancels what has no verdict yet, and only that', () => {
  const ledger = Ledger.open(planOf(chain)).admit().cancelWaiting();
  assert.equal(ledger.verdicts, [
    { task: 1, decision: 'cancel' },
    { task: 2, decision: 'cancel' },
  ]);
  assert.equal(ledger.settle(0, 'done').verdicts, []);
});

test('goes on from what has settled as if it had been there', () => {
  const plan = planOf({ ...diamond, e: { dependsOn: ['a'], rule: 'one_failed' } });
  const settled: TaskStatus[] = ['done', 'done', 'running', 'pending', 'pending'];
  const ledger = Ledger.open(plan, settled);
  assert.equal([ledger.unsettled, ledger.verdicts], [3, []]);
  const admitted = ledger.admit();
  assert.equal(admitted.verdicts, [
    { task: 2, decision: 'run' },
    { task: 4, decision: 'skip', because: 0 },
  ]);
  assert.equal(admitted.settle(2, 'done').verdicts, [{ task: 3, decision: 'run', because: 2 }]);
});

test('names the dependency that decides against a task, in a ledger whose order of settling nobody knows', () => {
  const tasks = { a: {}, b: {}, c: {}, d: {} };
  const dependsOn = Object.keys(tasks);
  const decidedBy = (rule: TriggerRule, settled: TaskStatus[]) =>
    Ledger.open(planOf({ ...tasks, e: { dependsOn, rule } }), settled)
      .admit()
      .verdicts.filter(({ task }) => task === 4)
      .map(({ decision, because }) => [decision, because])[0];
  assert.equal(decidedBy('all_success', ['done', 'running', 'failed', 'failed']), ['upstream_failed', 2]);
  assert.equal(decidedBy('all_success', ['skipped', 'done', 'upstream_failed', 'done']), [
    'upstream_failed',
    2,
  ]);
  assert.equal(decidedBy('none_failed', ['skipped', 'cancelled', 'running', 'failed']), [
    'upstream_failed',
    1,
  ]);
  assert.equal(decidedBy('one_success', ['failed', 'skipped', 'skipped', 'skipped']), ['upstream_failed', 3]);
  assert.equal(decidedBy('one_success', ['skipped', 'skipped', 'skipped', 'skipped']), ['skip', 3]);
  assert.equal(decidedBy('one_failed', ['done', 'done', 'done', 'done']), ['skip', 3]);
  assert.equal(decidedBy('one_failed', ['done', 'failed', 'done', 'done']), ['run', undefined]);
});

test('keeps counts of a hundred thousand dependencies', () => {
  const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`t${i}`, {}]));
  const plan = planOf({ ...wide, sink: { dependsOn: Object.keys(wide) } });
  let ledger = Ledger.open(plan).admit();
  for (let task = 0; task < 99_999; task++) ledger = ledger.settle(task, 'done');
  assert.is(ledger.statusOf(100_000), 'waiting');
  assert.equal(ledger.settle(99_999, 'done').verdicts, [{ task: 100_000, decision: 'run', because: 99_999 }]);
});
