import { createHash } from 'node:crypto';
import * as assert from 'uvu/assert';
import { readData, specWithData } from '../spec.ts';
import { makespanOf, simulate } from '../support/virtual.ts';

interface Scenario {
  readonly dag: string;
  readonly kind: 'fail-propagation' | 'mixed-rules' | 'retry-unlimited';
  readonly seed: number;
  readonly fails?: readonly string[];
  readonly skips?: readonly string[];
  readonly rules?: Readonly<Record<string, string>>;
  readonly statesSha256?: string;
  readonly failFirst?: Readonly<Record<string, number>>;
  readonly policy?: {
    readonly multiplier_ms: number;
    readonly base: number;
    readonly max_ms: number;
    readonly maxAttempts: number;
  };
  readonly expected: Readonly<Record<string, number>>;
}
type Graph = Parameters<typeof simulate>[0];

specWithData<readonly Scenario[]>('scenarios', 'scenarios.json', (test, scenarios) => {
  for (const scenario of scenarios) {
    test(`${scenario.dag} ends as ${scenario.kind} ${scenario.seed} says`, async () => {
      const view = await simulate({ tasks: tasksOf(scenario) });
      const { policy, expected, statesSha256 } = scenario;
      if (policy !== undefined) {
        const attempts = Object.values(view.tasks).reduce((sum, task) => sum + task.attempts, 0);
        assert.equal({ makespan_ms: makespanOf(view), attempts }, expected);
        return;
      }
      const states = Object.entries(view.tasks).map(([id, { status }]) => [
        id,
        status === 'done' ? 'success' : status,
      ]);
      const counts: Record<string, number> = {};
      for (const [, state = ''] of states) counts[state] = (counts[state] ?? 0) + 1;
      assert.equal(counts, expected);
      const lines = states.map(([id, state]) => `${id} ${state}\n`).sort();
      assert.is(createHash('sha256').update(lines.join('')).digest('hex'), statesSha256);
    });
  }
});

function tasksOf({
  dag,
  fails = [],
  skips = [],
  rules = {},
  failFirst = {},
  policy,
}: Scenario): Graph['tasks'] {
  const { tasks } = readData<Graph>(dag);
  const retry = policy && {
    maxAttempts: policy.maxAttempts,
    backoff: {
      kind: 'exponential',
      initialMs: policy.multiplier_ms,
      base: policy.base,
      maxMs: policy.max_ms,
    } as const,
  };
  const failing = new Set(fails);
  const skipping = new Set(skips);
  return Object.fromEntries(
    Object.entries(tasks).map(([id, task]) => [
      id,
      {
        ...task,
        triggerRule: rules[id],
        retry,
        fails: failing.has(id) ? 'always' : failFirst[id],
        skips: skipping.has(id),
      },
    ]),
  );
}
