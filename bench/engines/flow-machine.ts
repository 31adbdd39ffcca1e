import { createActor, toPromise } from 'xstate';
import { type Engine, inLanes } from './engine.ts';
import { signupServices } from './signup.ts';
import { defineFlow, defineSignupFlow, succeeds } from './topple.ts';

/** The same flows as topple's, interpreted by XState instead of compiled. */
export const engine: Engine = {
  passesOutputs: true,

  defineGraph(tasks, tally) {
    const { machine } = defineFlow(tasks, succeeds(tally));
    return () => toPromise(createActor(machine, { input: undefined as never }).start());
  },

  defineSignup(tally) {
    const { machine } = defineSignupFlow(signupServices(tally));
    return (inputs, atOnce) =>
      inLanes(inputs, atOnce, (input) => toPromise(createActor(machine, { input: input as never }).start()));
  },
};
