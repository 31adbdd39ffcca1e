// Flows with child runs on which topple tests itself. They are made by whoever's `createFlow` is given, since defects are
// seeded in copies of topple.

import type { createFlow } from 'topple';

/** A flow with children, and how it is looked at. */
export interface TreeScenario {
  readonly name: string;
  readonly make: (create: typeof createFlow) => ReturnType<typeof createFlow>;
  /** Of the engine. */
  readonly concurrency?: number;
  readonly pools?: Readonly<Record<string, number>>;
}

/** A flow that is built without types: what its bodies return does not matter here. */
interface Loose {
  task(id: string, options?: object): Loose;
  flow(id: string, options: object): Loose;
  map(id: string, options: object): Loose;
}

const retry = { maxAttempts: 2 };
const perform = (): never => {
  throw new Error('no body of the flow is called');
};
const over = (): readonly unknown[] => [];

type Make = (name: string, options?: object) => Loose;

/** Makes a scenario of a flow that is built by the given `createFlow`, whose types are left out. */
function scenario(
  name: string,
  build: (flow: Make) => Loose,
  limits: Pick<TreeScenario, 'concurrency' | 'pools'> = {},
): TreeScenario {
  return { name, make: (create) => build(create as unknown as Make) as never, ...limits };
}

/** A task, and one behind it that may be retried. */
function leaf(flow: Make): Loose {
  return flow('leaf')
    .task('a', { perform, retry })
    .task('b', { dependsOn: ['a'], perform });
}

export const childScenarios: readonly TreeScenario[] = [
  scenario('child', (flow) =>
    flow('parent')
      .task('x', { perform })
      .flow('p', { flow: leaf(flow), dependsOn: ['x'], retry })
      .task('z', { dependsOn: ['p'], perform }),
  ),
  scenario('map', (flow) =>
    flow('mapped')
      .map('m', { over, perform, retry, tolerate: 1 })
      .task('z', { dependsOn: ['m'], triggerRule: 'all_settled', perform }),
  ),
  scenario('two levels', (flow) => {
    const middle = flow('middle')
      .task('a', { perform })
      .flow('in', { flow: leaf(flow), dependsOn: ['a'], retry })
      .task('z', { dependsOn: ['in'], perform });
    return flow('deep').flow('p', { flow: middle, retry, timeoutMs: 50, totalTimeoutMs: 5_000 });
  }),
  scenario('map of flows', (flow) => flow('mapped flows').map('m', { over, perform: leaf(flow) })),
  scenario(
    'one slot',
    (flow) =>
      flow('narrow', { pools: { own: 1 } })
        .task('x', { perform, pool: 'own' })
        .flow('p', {
          priority: 2,
          flow: flow('wide', { totalTimeoutMs: 60_000 })
            .task('a', { perform, pool: 'own' })
            .task('b', { perform, priority: -1 }),
        })
        .map('m', { over, perform, concurrency: 2, priority: 1 }),
    { concurrency: 1 },
  ),
];
