// The flows on which the model of undo is tested: each has a way of ordering, blocking or choosing what is undone.

import type { Scenario } from './scenarios.ts';

const compensate = () => {
  throw new Error('no undo of the flow is called');
};
const started = { perform: compensate, after: 'started' } as const;

export const undoScenarios: readonly Scenario[] = [
  {
    name: 'undo of a chain',
    graph: {
      name: 'undone-chain',
      tasks: {
        reserve: { compensate },
        charge: { dependsOn: ['reserve'], compensate: started, retry: { maxAttempts: 2 } },
        ship: { dependsOn: ['charge'] },
      },
    },
  },
  {
    name: 'undo around a task without',
    graph: {
      name: 'undone-gap',
      tasks: {
        a: { compensate },
        between: { dependsOn: ['a'] },
        b: { dependsOn: ['between'], compensate },
        last: { dependsOn: ['b'] },
      },
    },
  },
  {
    name: 'undo around a hub',
    graph: {
      name: 'undone-hub',
      tasks: {
        a: { compensate },
        b: { compensate },
        hub: { dependsOn: ['a', 'b'] },
        c: { dependsOn: ['hub'], compensate },
        d: { dependsOn: ['hub'], compensate },
        last: { dependsOn: ['c', 'd'] },
      },
    },
  },
  {
    name: 'undo of what skips itself, and of what follows a failure',
    graph: {
      name: 'undone-skip',
      tasks: {
        a: { skippable: true, compensate: started },
        b: { dependsOn: ['a'], triggerRule: 'all_settled', optional: true, compensate: started },
        c: { dependsOn: ['b'], triggerRule: 'one_failed', compensate },
        last: { dependsOn: ['c'], triggerRule: 'none_failed' },
      },
    },
  },
  {
    name: 'undo with one slot',
    concurrency: 1,
    graph: {
      name: 'undone-slot',
      tasks: {
        a: { compensate, priority: 1 },
        b: { compensate },
        c: { dependsOn: ['a', 'b'], compensate },
        last: { dependsOn: ['c'] },
      },
    },
  },
];
