// Flows among actors of XState, exported without their types.

import { createActor, fromPromise, setup } from 'xstate';
import { flow, returning } from './flows.ts';

const machine = setup({ types: { input: {} as { n: number }, output: {} as string } }).createMachine({});

export const withActors = flow
  .task('promise', {
    dependsOn: ['plain'],
    actor: fromPromise(async ({ input }: { input: number }) => `${input}`),
    input: ({ deps }) => deps.plain,
  })
  .task('machine', { actor: machine, input: () => ({ n: 1 }) });

export const parent = setup({ actors: { flow: flow.logic, interpreted: flow.machine } });
export const program = parent.createMachine({ invoke: { src: 'flow', input: { n: '1' } } });
export const actor = createActor(returning.logic, { input: { n: '1' } });
export const snapshot = actor.getSnapshot();
export const interpreted = createActor(flow.machine, { input: { n: '1' } });
export const context = interpreted.getSnapshot().context;
