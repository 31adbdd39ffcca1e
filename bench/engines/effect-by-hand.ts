import * as Effect from 'effect/Effect';
import type { SignupInput } from '../workloads.ts';
import { addUp, forkInOrder } from './effect.ts';
import { type Engine, inLanes } from './engine.ts';
import { signupServices } from './signup.ts';

/**
 * Effect without a graph: fibers are forked by hand in the given order of the tasks, which is trusted, and a sign-up is
 * a function written for this one flow.
 */
export const engine: Engine = {
  passesOutputs: true,

  defineGraph(tasks, tally) {
    return () => Effect.runPromise(forkInOrder(tasks, addUp(tally)));
  },

  defineSignup(tally) {
    const { createAccount, tell, audit } = signupServices(tally);

    const signUp = (input: SignupInput) =>
      Effect.gen(function* () {
        const account = yield* Effect.promise(() => createAccount(input));
        const told = Effect.promise(() => tell(input, account));
        const [mail, crm, sms, card] = yield* Effect.all([told, told, told, told], {
          concurrency: 'unbounded',
        });
        return yield* Effect.promise(() => audit(mail, crm, sms, card));
      });
    return (inputs, atOnce) => inLanes(inputs, atOnce, (input) => Effect.runPromise(signUp(input)));
  },
};
