import * as assert from 'uvu/assert';
import type { SettledStatus } from '../../src/model/status.ts';
import {
  countsAsFailure,
  decide,
  mayStartEarly,
  parseTriggerRule,
  type SkippedBy,
  seenBit,
  type TriggerRule,
  triggerRules,
} from '../../src/model/trigger-rule.ts';
import { spec, specWithData } from '../spec.ts';

const test = spec('trigger rules');

test('runs without dependencies, whatever the rule', () => {
  for (const rule of triggerRules) assert.is(decide(rule, 0, false), 'run');
});

test('counts a cancelled dependency as failed', () => {
  assert.is(seenBit.cancelled, seenBit.failed);
});

test('counts those endings as failures with which `none_failed` fails', () => {
  const failures = (Object.keys(seenBit) as SettledStatus[]).filter(countsAsFailure);
  assert.equal(failures, ['failed', 'upstream_failed', 'cancelled']);
  for (const status of Object.keys(seenBit) as SettledStatus[]) {
    const fails = decide('none_failed', seenBit[status], true) === 'upstream_failed';
    assert.is(countsAsFailure(status), fails, status);
  }
});

test("takes Airflow's spellings for its own, and nothing else", () => {
  assert.is(parseTriggerRule('all_done'), 'all_settled');
  assert.is(parseTriggerRule('one_done'), 'one_settled');
  assert.is(parseTriggerRule('all_done_min_one_success'), 'all_settled_min_one_success');
  for (const rule of triggerRules) assert.is(parseTriggerRule(rule), rule);
  for (const text of ['', 'all', 'one_done_min_one_success', 'always_done', 'toString'])
    assert.is(parseTriggerRule(text), undefined);
});

test('a rule may start early where it can say so while a dependency is unsettled', () => {
  const endings = Array.from({ length: 16 }, (_, seen) => seen);
  for (const rule of triggerRules)
    assert.is(
      mayStartEarly(rule),
      endings.some((seen) => decide(rule, seen, true) === 'run'),
      rule,
    );
});

type Skips<Rule, Upstream> = [SkippedBy<Rule, Upstream>] extends [never] ? false : true;

/** What the types say: whether a rule may skip where dependencies are done, or were skipped, or failed, or any of it. */
const skips: {
  readonly [Rule in TriggerRule]: readonly [
    done: Skips<Rule, never>,
    skipped: Skips<Rule, 'skipped'>,
    failed: Skips<Rule, 'failed'>,
    any: Skips<Rule, 'skipped' | 'failed'>,
  ];
} = {
  all_success: [false, true, false, true],
  all_failed: [true, true, true, true],
  all_settled: [false, false, false, false],
  all_settled_min_one_success: [false, true, false, true],
  all_skipped: [true, true, true, true],
  one_failed: [true, true, true, true],
  one_success: [false, true, false, true],
  one_settled: [false, true, true, true],
  none_failed: [false, false, false, false],
  none_failed_min_one_success: [false, true, false, true],
  none_skipped: [false, true, false, true],
  always: [false, false, false, false],
};

test('a rule may skip a task where the types say so, and nowhere else', () => {
  const { done, skipped, failed, upstream_failed } = seenBit;
  const anyFailure = failed | upstream_failed;
  for (const rule of triggerRules) {
    const maySkip = (possible: number): boolean =>
      Array.from({ length: 16 }, (_, seen) => seen)
        .filter((seen) => seen > 0 && (seen & ~possible) === 0)
        .some((seen) => [true, false].some((unsettled) => decide(rule, seen, unsettled) === 'skip'));
    const said = [done, done | skipped, done | anyFailure, done | skipped | anyFailure].map(maySkip);
    assert.equal(said, skips[rule], rule);
  }
});

interface Row {
  readonly rule: string;
  readonly name?: string;
  readonly upstream: Readonly<
    Record<'success' | 'failed' | 'skipped' | 'upstream_failed' | 'pending', number>
  >;
  readonly expected: string;
}

specWithData<{ readonly rows: readonly Row[]; readonly testRows: readonly Row[] }>(
  'trigger rules as Airflow decides them',
  'airflow_trigger_rules.json',
  (suite, { rows, testRows }) => {
    for (const rule of triggerRules) {
      suite(`decides all rows of ${rule}`, () => {
        const mine = [...rows, ...testRows].filter((row) => parseTriggerRule(row.rule) === rule);
        assert.ok(mine.length >= 40);
        for (const row of mine) assert.is(decideRow(rule, row), row.expected, JSON.stringify(row));
      });
    }
  },
);

function decideRow(rule: TriggerRule, { upstream }: Row): string {
  const endings: [SettledStatus, number][] = [
    ['done', upstream.success],
    ['failed', upstream.failed],
    ['skipped', upstream.skipped],
    ['upstream_failed', upstream.upstream_failed],
  ];
  const seen = endings.reduce((bits, [status, count]) => (count > 0 ? bits | seenBit[status] : bits), 0);
  return decide(rule, seen, upstream.pending > 0);
}
