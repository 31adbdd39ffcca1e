// A flow's logic is an actor like any other: your machine invokes it, and goes on with how it ended.

import { createFlow } from 'topple';
import { assign, createActor, setup, toPromise } from 'xstate';
import { z } from 'zod';

const publish = createFlow('publish', { input: z.object({ text: z.string().min(1) }) })
  .task('spelling', {
    perform: ({ input }) => {
      if (input.text.includes('teh')) throw new Error('`teh` is no word');
    },
  })
  .task('words', { perform: ({ input }) => input.text.split(' ').length })
  .task('post', { dependsOn: ['spelling', 'words'], perform: ({ deps }) => `${deps.words} words online` });

const editorMachine = setup({
  types: {
    context: {} as { text: string; notes: string[] },
    events: {} as { type: 'write'; text: string } | { type: 'publish' } | { type: 'stop' },
  },
  actors: { publish: publish.logic },
}).createMachine({
  context: { text: '', notes: [] },
  initial: 'writing',
  states: {
    writing: {
      on: {
        write: { actions: assign({ text: ({ event }) => event.text }) },
        publish: 'publishing',
      },
    },
    publishing: {
      invoke: {
        id: 'run',
        src: 'publish',
        input: ({ context }) => ({ text: context.text }),
        onDone: [
          { guard: ({ event }) => event.output.status === 'done', target: 'published' },
          {
            target: 'writing',
            actions: assign({
              notes: ({ context, event: { output } }) => [...context.notes, noteOn(output)],
            }),
          },
        ],
      },
      on: { stop: { actions: sendTo('run', { type: 'run.cancel', reason: 'not today' }) } },
    },
    published: { type: 'final' },
  },
});
