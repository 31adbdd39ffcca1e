import type { TriggerRule } from 'topple';
import * as assert from 'uvu/assert';
import { parseTriggerRule } from '../../../src/model/trigger-rule.ts';
import { airflowVerdict } from '../../../src/testing/properties/airflow.ts';
import { specWithData } from '../../spec.ts';
import { type State, verdictOf } from '../model/brute-force.ts';

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
