import type { SettledStatus } from './status.ts';

/**
 * When a task with dependencies may start. Names and verdicts are Airflow's (`trigger_rule_dep.py`), with `settled` for
 * Airflow's `done`, since `done` means success here.
 *
 * The hash of a flow depends on the places in this list. So a new rule goes to the end: anywhere else, stored runs would
 * no longer match their flows.
 */
export const triggerRules = [
  'all_success',
  'all_failed',
  'all_settled',
  'all_settled_min_one_success',
  'all_skipped',
  'one_failed',
  'one_success',
  'one_settled',
  'none_failed',
  'none_failed_min_one_success',
  'none_skipped',
  'always',
] as const;

export type TriggerRule = (typeof triggerRules)[number];

/** The decision of a rule; `wait` until it is sure. */
export type Decision = 'wait' | 'run' | 'skip' | 'upstream_failed';

/**
 * The endings of a task's settled dependencies, one bit each. A rule needs nothing else but whether any are unsettled.
 */
export type Seen = number;

const SUCCESS = 1;
const FAILED = 2;
const SKIPPED = 4;
const UPSTREAM_FAILED = 8;
const ANY_FAILURE = FAILED | UPSTREAM_FAILED;

/** The bit that a dependency's ending sets. A cancelled task counts as failed. */
export const seenBit: Readonly<Record<SettledStatus, Seen>> = {
  done: SUCCESS,
  failed: FAILED,
  skipped: SKIPPED,
  upstream_failed: UPSTREAM_FAILED,
  cancelled: FAILED,
};

/** Whether trigger rules take a dependency that ended like this for a failure. */
export function countsAsFailure(status: SettledStatus): boolean {
  return (seenBit[status] & ANY_FAILURE) !== 0;
}

/**
 * The verdict of a rule, given as soon as it is final: a terminal verdict precedes "may run", and without dependencies
 * every rule runs.
 *
 * @param seen endings of the settled dependencies
 * @param unsettled whether any dependency has not settled
 */
export function decide(rule: TriggerRule, seen: Seen, unsettled: boolean): Decision {
  if (seen === 0 && !unsettled) return 'run';
  switch (rule) {
    case 'always':
      return 'run';
    case 'all_success':
      if (seen & ANY_FAILURE) return 'upstream_failed';
      if (seen & SKIPPED) return 'skip';
      return unsettled ? 'wait' : 'run';
    case 'all_failed':
      if (seen & (SUCCESS | SKIPPED)) return 'skip';
      return unsettled ? 'wait' : 'run';
    case 'all_settled':
      return unsettled ? 'wait' : 'run';
    case 'all_settled_min_one_success':
      if (seen & SKIPPED) return 'skip';
      if (unsettled) return 'wait';
      return seen & SUCCESS ? 'run' : 'upstream_failed';
    case 'all_skipped':
      if (seen & ~SKIPPED) return 'skip';
      return unsettled ? 'wait' : 'run';
    case 'one_failed':
      if (seen & ANY_FAILURE) return 'run';
      return unsettled ? 'wait' : 'skip';
    case 'one_success':
      if (seen & SUCCESS) return 'run';
      if (unsettled) return 'wait';
      return seen & ANY_FAILURE ? 'upstream_failed' : 'skip';
    case 'one_settled':
      if (seen & (SUCCESS | FAILED)) return 'run';
      return unsettled ? 'wait' : 'skip';
    case 'none_failed':
      if (seen & ANY_FAILURE) return 'upstream_failed';
      return unsettled ? 'wait' : 'run';
    case 'none_failed_min_one_success':
      if (seen & ANY_FAILURE) return 'upstream_failed';
      if (unsettled) return 'wait';
      return seen & SUCCESS ? 'run' : 'skip';
    case 'none_skipped':
      if (seen & SKIPPED) return 'skip';
      return unsettled ? 'wait' : 'run';
  }
}

/** Rules that never skip. */
export type RuleThatNeverSkips = 'all_settled' | 'always' | 'none_failed';

/** Rules that skip when everything succeeded. */
export type RuleOfFailure = 'all_failed' | 'all_skipped' | 'one_failed';

/**
 * `skipped` if a rule may skip a task; distributes over the rules if there are several.
 *
 * @typeParam Upstream why dependencies may have no output: `skipped` or `failed`
 */
export type SkippedBy<Rule, Upstream> = Rule extends RuleThatNeverSkips
  ? never
  : Rule extends RuleOfFailure
    ? 'skipped'
    : Rule extends 'one_settled'
      ? [Upstream] extends [never]
        ? never
        : 'skipped'
      : Extract<Upstream, 'skipped'>;

/** Whether a task under the rule may start before all its dependencies have settled. */
export function mayStartEarly(rule: TriggerRule): boolean {
  return early.has(rule);
}

const early: ReadonlySet<TriggerRule> = new Set(
  triggerRules.filter((rule) => allSeen().some((seen) => decide(rule, seen, true) === 'run')),
);

/** Every set of endings. */
function allSeen(): readonly Seen[] {
  return Array.from({ length: 2 * UPSTREAM_FAILED }, (_, seen) => seen);
}

/** The rule spelled in our way or Airflow's; `undefined` for neither. */
export function parseTriggerRule(text: string): TriggerRule | undefined {
  const ours = text.replace(/^(all|one)_done/, '$1_settled');
  return triggerRules.find((rule) => rule === ours);
}
