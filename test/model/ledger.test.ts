import * as assert from 'uvu/assert';
import { createGraph } from '../../src/model/graph.ts';
import { Ledger, type Plan } from '../../src/model/ledger.ts';
import type { TaskStatus } from '../../src/model/status.ts';
import type { TriggerRule } from '../../src/model/trigger-rule.ts';
import { spec } from '../spec.ts';

const test = spec('ledger');

interface Row {
  readonly dependsOn?: readonly string[];
  readonly rule?: TriggerRule;
  readonly optional?: boolean;
}

function planOf(tasks: Readonly<Record<string, Row>>): Plan {
  const rows = Object.values(tasks);
  return {
    graph: createGraph(
      'test',
      Object.entries(tasks).map(([id, { dependsOn }]) => ({ id, dependsOn })),
    ),
    rules: rows.map(({ rule = 'all_success' }) => rule),
    optional: Uint8Array.from(rows, ({ optional }) => (optional ? 1 : 0)),
  };
}

const chain = { a: {}, b: { dependsOn: ['a'] }, c: { dependsOn: ['b'] } };
const diamond = { a: {}, b: { dependsOn: ['a'] }, c: { dependsOn: ['a'] }, d: { dependsOn: ['b', 'c'] } };

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
  const endings = ['done', 'failed', 'skipped', 'upstream_failed', 'cancelled'] as const;
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
