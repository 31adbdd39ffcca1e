// The flows on which topple tests itself. They are made by whoever's `createFlowFromGraph` is given, since defects are
// seeded in copies of topple.

import {
  type createFlowFromGraph,
  type GraphDefinition,
  type GraphTask,
  type TriggerRule,
  triggerRules,
} from 'topple';
import type { AttemptOutcome } from 'topple/testing';

/** A flow and how it is looked at. */
export interface Scenario {
  readonly name: string;
  readonly graph: GraphDefinition;
  /** Of the engine. */
  readonly concurrency?: number;
  readonly pools?: Readonly<Record<string, number>>;
  readonly outcomes?: Readonly<Record<string, readonly AttemptOutcome[]>>;
}

const retry = { maxAttempts: 3 };

/** A child of two tasks that can end in every way between them; and a task behind it, so that its ending matters. */
function ruleScenario(triggerRule: TriggerRule): Scenario {
  const tasks: Record<string, GraphTask> = {
    // A task without dependencies runs whatever its rule.
    a: { triggerRule },
    b: { skippable: true },
    c: { dependsOn: ['a'], optional: true, skippable: true },
    child: { dependsOn: ['b', 'c'], triggerRule },
    last: { dependsOn: ['child'] },
  };
  return { name: `rule ${triggerRule}`, graph: { name: triggerRule, tasks } };
}

/** Makes the flow of a scenario. No body of it is called: test paths have their own. */
export function flowFor(create: typeof createFlowFromGraph, { graph }: Scenario) {
  return create(graph, () => {
    throw new Error('no body of the flow is called');
  });
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'chain',
    graph: {
      name: 'chain',
      tasks: {
        a: { retry },
        b: { dependsOn: ['a'], timeoutMs: 50, retry: { maxAttempts: 2 } },
        c: { dependsOn: ['b'], graceMs: 10 },
      },
    },
  },
  {
    name: 'diamond',
    graph: {
      name: 'diamond',
      totalTimeoutMs: 60_000,
      tasks: {
        a: {},
        b: { dependsOn: ['a'], retry, totalTimeoutMs: 5_000, timeoutMs: 50 },
        c: { dependsOn: ['a'] },
        d: { dependsOn: ['b', 'c'] },
      },
    },
  },
  {
    name: 'fan',
    graph: {
      name: 'fan',
      concurrency: 2,
      tasks: {
        // Defined first, ready later than others that wait.
        d: { dependsOn: ['b'] },
        a: { retry: { maxAttempts: 2 }, timeoutMs: 50 },
        b: { priority: 1, skippable: true },
        c: { timeoutMs: 50 },
        e: { dependsOn: ['a', 'd'] },
      },
    },
  },
  {
    name: 'failing middle',
    graph: {
      name: 'failing-middle',
      tasks: {
        a: {},
        middle: { dependsOn: ['a'], optional: true },
        after: { dependsOn: ['middle'] },
        alarm: { dependsOn: ['middle'], triggerRule: 'one_failed' },
        last: { dependsOn: ['after', 'alarm'], triggerRule: 'all_settled' },
      },
    },
  },
  {
    name: 'pools',
    graph: {
      name: 'pools',
      pools: { own: 1 },
      tasks: {
        a: { pool: 'own' },
        b: { pool: 'own', retry: { maxAttempts: 2 } },
        c: { pool: 'shared' },
        d: { pool: 'shared', priority: 1 },
        e: {},
      },
    },
    concurrency: 2,
    pools: { shared: 1 },
  },
  {
    name: 'told progress',
    graph: { name: 'progress', tasks: { a: {}, b: { dependsOn: ['a'], retry: { maxAttempts: 2 } } } },
    outcomes: { a: ['done', 'progresses'], b: ['done', 'fails', 'progresses'] },
  },
  ...triggerRules.map(ruleScenario),
];
