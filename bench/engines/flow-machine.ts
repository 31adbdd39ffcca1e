import { type AnyStateMachine, createActor, toPromise } from 'xstate';
import { type Engine, inLanes } from './engine.ts';
import { signupServices } from './signup.ts';
import { defineFlow, defineSignupFlow, succeeds } from './topple.ts';

/** The same flows as topple's, interpreted by XState instead of compiled. */
export const engine: Engine = {
  passesOutputs: true,

  defineGraph(tasks, tally) {
    const machine: AnyStateMachine = defineFlow(tasks, succeeds(tally)).machine;
    return () => run(machine, undefined);
  },

  defineSignup(tally) {
    const machine: AnyStateMachine = defineSignupFlow(signupServices(tally)).machine;
    return (inputs, atOnce) => inLanes(inputs, atOnce, (input) => run(machine, input));
  },
};

function run(machine: AnyStateMachine, input: unknown): Promise<unknown> {
  return toPromise(createActor(machine, { input }).start());
}
