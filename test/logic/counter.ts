import { assign, emit, setup } from 'xstate';

/** A machine with input, output, an emitted event and an action that throws. */
export const counter = setup({
  types: {
    context: {} as { readonly n: number },
    events: {} as { readonly type: 'add' } | { readonly type: 'end' } | { readonly type: 'break' },
    input: {} as { readonly n: number },
    output: {} as { readonly n: number },
    emitted: {} as { readonly type: 'added'; readonly n: number },
  },
  actions: {
    add: assign(({ context }) => ({ n: context.n + 1 })),
    tell: emit(({ context }) => ({ type: 'added' as const, n: context.n })),
    break: () => {
      throw new Error('it broke');
    },
  },
}).createMachine({
  id: 'counter',
  context: ({ input }) => ({ n: input.n }),
  initial: 'counting',
  states: {
    counting: { on: { add: { actions: ['add', 'tell'] }, end: 'ended', break: { actions: 'break' } } },
    ended: { type: 'final' },
  },
  output: ({ context }) => ({ n: context.n }),
});
