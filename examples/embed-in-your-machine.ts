// A flow's logic is actor logic like any other: your machine invokes it, and continues with its result.

import { createFlow, type RunResult } from 'topple';
import { assign, createActor, sendTo, setup, waitFor } from 'xstate';
import { z } from 'zod';

const publish = createFlow('publish', { input: z.string() })
  .task('spelling', {
    perform: ({ input }) => {
      if (input.includes('teh')) throw new Error('`teh` is no word');
    },
  })
  .task('words', { perform: ({ input }) => input.split(' ').length })
  .task('post', { dependsOn: ['spelling', 'words'], perform: ({ deps }) => `${deps.words} words online` });

const editorMachine = setup({
  types: {
    context: {} as { text: string; note: string },
    events: {} as { type: 'publish'; text: string } | { type: 'stop' },
  },
  actors: { publish: publish.logic },
}).createMachine({
  context: { text: '', note: 'nothing yet' },
  initial: 'writing',
  states: {
    writing: {
      on: { publish: { target: 'publishing', actions: assign({ text: ({ event }) => event.text }) } },
    },
    publishing: {
      invoke: {
        id: 'run',
        src: 'publish',
        input: ({ context }) => context.text,
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

const editor = createActor(editorMachine).start();
for (const text of ['teh end', 'the end', 'the end.']) {
  editor.send({ type: 'publish', text });
  if (text === 'the end') editor.send({ type: 'stop' });
  const { value, context } = await waitFor(editor, (snapshot) => !snapshot.matches('publishing'));
  console.log(`${text.padEnd(8)} → ${value}: ${context.note}`);
}

// Output:
// teh end  → writing: spelling: `teh` is no word
// the end  → writing: cancelled: not today
// the end. → published: 2 words online
