import { type TriggerRule, triggerRules } from 'topple';
import * as assert from 'uvu/assert';
import { decide, parseTriggerRule, seenBit } from '../../../src/model/trigger-rule.ts';
import { airflowVerdict } from '../../../src/testing/properties/airflow.ts';
import { spec, specWithData } from '../../spec.ts';
import { type State, verdictOf } from '../model/brute-force.ts';

const test = spec('the verdicts of trigger rules');

/** All lists of five numbers from 0 to 2. */
const counts = Array.from({ length: 3 ** 5 }, (_, number) =>
  [0, 1, 2, 3, 4].map((place) => Math.floor(number / 3 ** place) % 3),
) as [number, number, number, number, number][];

for (const rule of triggerRules) {
  test(`of ${rule} are the same from the model, for properties and from the oracle`, () => {
    for (const [done, failed, skipped, upstreamFailed, unsettled] of counts) {
      const place = JSON.stringify({ done, failed, skipped, upstreamFailed, unsettled });
      const seen =
        (done && seenBit.done) |
        (failed && seenBit.failed) |
        (skipped && seenBit.skipped) |
        (upstreamFailed && seenBit.upstream_failed);
      const verdict = decide(rule, seen, unsettled > 0);
      assert.is(airflowVerdict(rule, { done, failed, skipped, upstreamFailed, unsettled }), verdict, place);
      const settled = done + failed + skipped + upstreamFailed;
      const said = verdictOf(rule, {
        success: done,
        failed,
        skipped,
        upstream_failed: upstreamFailed,
        done: settled,
        upstream: settled + unsettled,
      });
      assert.is(said === 'skipped' ? 'skip' : said, verdict, place);
    }
  });
}

interface Row {
  readonly rule: string;
  readonly upstream: Readonly<Record<State | 'pending', number>>;
  readonly expected: 'run' | 'skip' | 'upstream_failed' | 'wait';
}

specWithData<{ readonly rows: readonly Row[]; readonly testRows: readonly Row[] }>(
  "Airflow's table",
  'airflow_trigger_rules.json',
  (data, { rows, testRows }) => {
    data('is what the oracle says, and what properties go by', () => {
      for (const { rule: name, upstream, expected } of [...rows, ...testRows]) {
        const rule = parseTriggerRule(name) as TriggerRule;
        const { success, failed, skipped, upstream_failed, pending } = upstream;
        const done = success + failed + skipped + upstream_failed;
        const said = verdictOf(rule, {
          success,
          failed,
          skipped,
          upstream_failed,
          done,
          upstream: done + pending,
        });
        const place = `${name} ${JSON.stringify(upstream)}`;
        assert.is(said === 'skipped' ? 'skip' : said, expected, place);
        const counts = {
          done: success,
          failed,
          skipped,
          upstreamFailed: upstream_failed,
          unsettled: pending,
        };
        assert.is(airflowVerdict(rule, counts), expected, place);
      }
    });
  },
);
