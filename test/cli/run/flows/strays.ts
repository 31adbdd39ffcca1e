import { createFlow } from 'topple';
import { fromPromise, setup } from 'xstate';

const soon = () => new Promise((resolve) => setTimeout(resolve, 1));
const long = () => new Promise((resolve) => setTimeout(resolve, 60_000));

async function late(): Promise<never> {
  await soon();
  throw new Error('late');
}

/** Forgets to wait for what fails. */
export const forgets = createFlow('forgets')
  .task('first', { perform: soon })
  .task('other', { perform: long })
  .task('for\ngets', {
    dependsOn: ['first'],
    perform: () => {
      late();
      return long();
    },
  });

export const forgetsInPromise = createFlow('promise').task('actor', {
  actor: fromPromise(async () => {
    late();
    await long();
  }),
});

const machine = setup({
  actors: {
    soon: fromPromise(soon),
    forgets: fromPromise(async () => {
      late();
      await long();
    }),
  },
}).createMachine({
  initial: 'first',
  states: { first: { invoke: { src: 'soon', onDone: 'second' } }, second: { invoke: { src: 'forgets' } } },
});

export const forgetsInMachine = createFlow('machine').task('machine', { actor: machine });
