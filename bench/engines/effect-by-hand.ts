import * as Effect from 'effect/Effect';
import * as Fiber from 'effect/Fiber';
import type { SignupInput } from '../workloads.ts';
import { type Engine, inLanes } from './engine.ts';
import { signupServices } from './signup.ts';

/**
 * Effect with all done by hand that a graph would do: fibers are forked in the order in which the tasks are given, which
 * is trusted, and a sign-up is a function written for this one flow.
 */
export const engine: Engine = {
  passesOutputs: true,

  defineGraph(tasks, tally) {
    const body = async (outputs: readonly number[]): Promise<number> =>
      tally.returned(outputs.reduce((sum, output) => (sum + output) | 0, 1));

    const program = Effect.gen(function* () {
      const fibers = new Map<string, Fiber.Fiber<number>>();
      for (const { id, dependsOn } of tasks) {
        const outputs = Fiber.joinAll(
          dependsOn.map((dependency) => fibers.get(dependency) as Fiber.Fiber<number>),
        );
        fibers.set(
          id,
          yield* Effect.forkChild(Effect.flatMap(outputs, (read) => Effect.promise(() => body(read)))),
        );
      }
      return yield* Fiber.joinAll(fibers.values());
    });
    return () => Effect.runPromise(program);
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
