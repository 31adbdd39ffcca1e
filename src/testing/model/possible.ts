import type { FlowDefinition, TaskDefinition } from '../../model/definition.ts';
import type { SettledStatus } from '../../model/status.ts';
import { type Decision, decide, seenBit, type TriggerRule } from '../../model/trigger-rule.ts';
import type { AttemptOutcome, Moves } from './moves.ts';

/** The possible endings and verdicts of a flow's tasks. They are derived rule by rule, so some may never happen. */
export interface Possible {
  readonly verdicts: readonly ReadonlySet<Decision>[];
  /** Without `cancelled`. */
  readonly endings: readonly ReadonlySet<SettledStatus>[];
  /** Whether the verdict may depend on which dependency settles first. */
  readonly isOrdered: readonly boolean[];
}

/** @param mayFail whether any attempt may fail */
export function findPossible(definition: FlowDefinition, moves: Moves, mayFail: boolean): Possible {
  const { graph, tasks } = definition;
  const verdicts: ReadonlySet<Decision>[] = new Array(graph.size);
  const endings: ReadonlySet<SettledStatus>[] = new Array(graph.size);
  const isOrdered: boolean[] = new Array(graph.size);
  for (const id of graph.order()) {
    const task = graph.indexOf(id);
    const upstream = graph.upstreamList.subarray(graph.upstreamStart[task], graph.upstreamStart[task + 1]);
    const seen = new Set<number>();
    for (const other of upstream)
      for (const ending of endings[other] as ReadonlySet<SettledStatus>) seen.add(seenBit[ending]);
    const { triggerRule } = tasks[task] as TaskDefinition;
    const said = verdictsOf(triggerRule, upstream.length, [...seen]);
    verdicts[task] = said.decisions;
    isOrdered[task] = said.isOrdered;
    endings[task] = endingsOf(said.decisions, moves, task, tasks[task] as TaskDefinition, mayFail);
  }
  return { verdicts, endings, isOrdered };
}

/** Gives a rule's possible verdicts for so many dependencies with these endings; whether their order matters. */
function verdictsOf(
  rule: TriggerRule,
  count: number,
  bits: readonly number[],
): { readonly decisions: ReadonlySet<Decision>; readonly isOrdered: boolean } {
  const decisions = new Set<Decision>();
  if (count === 0) return { decisions: decisions.add('run'), isOrdered: false };
  // A rule knows which endings there were, not their number: three of a kind tell no more than two.
  const length = Math.min(count, 4);
  const byEndings = new Map<string, Decision>();
  let isOrdered = false;
  const walk = (path: readonly number[], verdict: Decision): void => {
    if (path.length === length) {
      decisions.add(verdict);
      const name = path.toSorted().join();
      isOrdered ||= (byEndings.get(name) ?? verdict) !== verdict;
      byEndings.set(name, verdict);
      return;
    }
    for (const next of bits) {
      const seen = path.reduce((all, other) => all | other, next);
      const said = verdict === 'wait' ? decide(rule, seen, path.length + 1 < length) : verdict;
      walk([...path, next], said);
    }
  };
  walk([], decide(rule, 0, true));
  return { decisions, isOrdered };
}

function endingsOf(
  decisions: ReadonlySet<Decision>,
  moves: Moves,
  task: number,
  definition: TaskDefinition,
  mayFail: boolean,
): ReadonlySet<SettledStatus> {
  const endings = new Set<SettledStatus>();
  if (decisions.has('skip')) endings.add('skipped');
  if (decisions.has('upstream_failed')) endings.add('upstream_failed');
  if (!decisions.has('run')) return endings;
  const outcomes = moves.outcomes[task] ?? [];
  const late = outcomes.includes('waits too long') ? endingOfLate(definition) : undefined;
  if (outcomes.some((outcome) => good.has(outcome)) || late === 'done') endings.add('done');
  if (outcomes.includes('skips') || outcomes.includes('declines') || late === 'skipped')
    endings.add('skipped');
  const fails = late === 'failed' || outcomes.some((outcome) => !harmless.has(outcome));
  if (mayFail && (fails || moves.expires(task))) endings.add('failed');
  return endings;
}

/** Outcomes by which a task is done. */
const good: ReadonlySet<AttemptOutcome> = new Set(['done', 'delivered', 'wakes']);

/** Outcomes that do not fail a task; what a wait that takes too long does is up to that. */
const harmless: ReadonlySet<AttemptOutcome> = new Set([
  ...good,
  'skips',
  'progresses',
  'agrees',
  'declines',
  'waits too long',
]);

function endingOfLate({ body }: TaskDefinition): SettledStatus {
  if (body.kind !== 'waitFor' || body.onTimeout === 'fail') return 'failed';
  return body.onTimeout === 'skip' ? 'skipped' : 'done';
}
