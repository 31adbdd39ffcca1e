// A task's body may be an XState machine: it is spawned under the task's actor, and its output is the task's.

import { createEngine, createFlow } from 'topple';
import { createVirtualClock } from 'topple/testing';
import { assign, setup } from 'xstate';

/** A coffee machine: it heats up, brews the requested number of cups, and is done. */
const coffeeMachine = setup({
  types: {
    input: {} as { cups: number },
    context: {} as { left: number; brewed: number },
    output: {} as { cups: number },
  },
  guards: { cupsLeft: ({ context }) => context.left > 0 },
  delays: { heatUp: 30_000, brew: 20_000 },
}).createMachine({
  context: ({ input }) => ({ left: input.cups, brewed: 0 }),
  initial: 'heating',
  states: {
    heating: { after: { heatUp: 'ready' } },
    ready: { always: [{ guard: 'cupsLeft', target: 'brewing' }, { target: 'off' }] },
    brewing: {
      after: {
        brew: {
          target: 'ready',
          actions: assign({
            left: ({ context }) => context.left - 1,
            brewed: ({ context }) => context.brewed + 1,
          }),
        },
      },
    },
    off: { type: 'final' },
  },
  output: ({ context }) => ({ cups: context.brewed }),
});

const breakfast = createFlow('breakfast')
  .task('guests', { perform: () => ['Ada', 'Grace', 'Barbara'] })
  .task('coffee', {
    dependsOn: ['guests'],
    timeoutMs: 120_000,
    actor: coffeeMachine,
    input: ({ deps }) => ({ cups: deps.guests.length }),
  })
  .task('serve', {
    dependsOn: ['guests', 'coffee'],
    perform: ({ deps }) => `${deps.coffee.cups} cups for ${deps.guests.join(', ')}`,
  });

const clock = createVirtualClock();
const run = await createEngine({ clock }).start(breakfast);
run.on('task.done', ({ at, taskId }) => console.log(`${at / 1_000} s: ${taskId} done`));

console.log((await clock.run(run.outputs())).serve);

// Output:
// 0 s: guests done
// 90 s: coffee done
// 90 s: serve done
// 3 cups for Ada, Grace, Barbara
