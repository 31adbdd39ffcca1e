// A flow's logic is an actor like any other: your machine invokes it, and goes on with how it ended.

import { createFlow, type RunResult } from 'topple';
import { assign, createActor, sendTo, setup, waitFor } from 'xstate';
import { z } from 'zod';

const publish = createFlow('publish', { input: z.object({ text: z.string() }) })
  .task('spelling', {
    perform: ({ input }) => {
      if (input.text.includes('teh')) throw new Error('`teh` is no word');
    },
  })
  .task('words', { perform: ({ input }) => input.text.split(' ').length })
  .task('post', { dependsOn: ['spelling', 'words'], perform: ({ deps }) => `${deps.words} words online` });

const editorMachine = setup({
  types: {
    context: {} as { text: string; note: string },
    events: {} as { type: 'publish'; text: string } | { type: 'stop' },
  },
  actors: { publish: publish.logic },
}).createMachine({
  context: { text: '', note: '' },
  initial: 'writing',
  states: {
    writing: {
      on: { publish: { target: 'publishing', actions: assign({ text: ({ event }) => event.text }) } },
    },
    publishing: {
      invoke: {
        id: 'run',
        src: 'publish',
        input: ({ context }) => ({ text: context.text }),
        onDone: [
          {
            guard: ({ event }) => event.output.status === 'done',
            target: 'published',
            actions: assign({ note: ({ event }) => noteOn(event.output) }),
          },
          { target: 'writing', actions: assign({ note: ({ event }) => noteOn(event.output) }) },
        ],
      },
      on: { stop: { actions: sendTo('run', { type: 'run.cancel', reason: 'not today' }) } },
    },
    published: { type: 'final' },
  },
});

function noteOn(result: RunResult<{ post: string }>): string {
  if (result.status === 'done') return result.outputs.post;
  if (result.status === 'cancelled') return `cancelled: ${result.reason}`;
  return result.failures.map(({ taskId, error }) => `${taskId}: ${error.message}`).join();
}

const editor = createActor(editorMachine);
editor.subscribe(({ value, context }) => console.log(`${value}: ${context.note}`));
editor.start();

editor.send({ type: 'publish', text: 'teh end' });
await waitFor(editor, ({ value }) => value === 'writing');

editor.send({ type: 'publish', text: 'the end' });
editor.send({ type: 'stop' });
await waitFor(editor, ({ value }) => value === 'writing');

editor.send({ type: 'publish', text: 'the end' });
await waitFor(editor, ({ status }) => status === 'done');
