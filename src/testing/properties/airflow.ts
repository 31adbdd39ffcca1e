import type { SettledStatus } from '../../model/status.ts';
import type { Decision, TriggerRule } from '../../model/trigger-rule.ts';

/** The number of a task's dependencies that ended in each way. A cancelled one counts as failed. */
export interface Counts {
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  readonly upstreamFailed: number;
  readonly unsettled: number;
}

/**
 * Gives the verdict of a trigger rule, counting as Airflow's `trigger_rule_dep.py` does. It states the rules again on
 * purpose, in other terms than the model's `decide`: a property that asked the model could find no fault in it.
 */
export function airflowVerdict(rule: TriggerRule, counts: Counts): Decision {
  const { done, skipped, unsettled } = counts;
  const bad = counts.failed + counts.upstreamFailed;
  const all = done + skipped + bad + unsettled;
  if (all === 0 || rule === 'always') return 'run';
  const onceSettled = (verdict: Decision): Decision => (unsettled > 0 ? 'wait' : verdict);
  switch (rule) {
    case 'all_success':
      if (bad > 0) return 'upstream_failed';
      return skipped > 0 ? 'skip' : onceSettled('run');
    case 'all_failed':
      return done + skipped > 0 ? 'skip' : onceSettled('run');
    case 'all_settled':
      return onceSettled('run');
    case 'all_settled_min_one_success':
      if (skipped > 0) return 'skip';
      return onceSettled(done > 0 ? 'run' : 'upstream_failed');
    case 'all_skipped':
      return done + bad > 0 ? 'skip' : onceSettled('run');
    case 'one_failed':
      return bad > 0 ? 'run' : onceSettled('skip');
    case 'one_success':
      return done > 0 ? 'run' : onceSettled(skipped === all ? 'skip' : 'upstream_failed');
    case 'one_settled':
      return done + counts.failed > 0 ? 'run' : onceSettled('skip');
    case 'none_failed':
      return bad > 0 ? 'upstream_failed' : onceSettled('run');
    case 'none_failed_min_one_success':
      if (bad > 0) return 'upstream_failed';
      return onceSettled(done > 0 ? 'run' : 'skip');
    case 'none_skipped':
      return skipped > 0 ? 'skip' : onceSettled('run');
  }
}

/** Counts dependencies; `undefined` stands for one that has not settled. */
export function countEndings(endings: Iterable<SettledStatus | undefined>): Counts {
  const counts = { done: 0, failed: 0, skipped: 0, upstreamFailed: 0, unsettled: 0 };
  for (const ending of endings) {
    if (ending === undefined) counts.unsettled++;
    else if (ending === 'done' || ending === 'skipped') counts[ending]++;
    else if (ending === 'upstream_failed') counts.upstreamFailed++;
    else counts.failed++;
  }
  return counts;
}
