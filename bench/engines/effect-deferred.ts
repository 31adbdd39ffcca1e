import * as Deferred from 'effect/Deferred';
import * as Effect from 'effect/Effect';
import type { SignupInput } from '../workloads.ts';
import { type Engine, inLanes } from './engine.ts';
import { type Account, signupServices } from './signup.ts';

interface Step<Output> {
  readonly id: string;
  readonly dependsOn: readonly string[];
  readonly perform: (outputs: readonly Output[]) => Promise<Output>;
}

/**
 * A Deferred for each task, which its dependents await: Effect for graphs whose tasks come in any order, as topple and
 * p-graph take them.
 */
export const engine: Engine = {
  passesOutputs: true,

  defineGraph(tasks, tally) {
    const perform = async (outputs: readonly number[]): Promise<number> =>
      tally.returned(outputs.reduce((sum, output) => (sum + output) | 0, 1));
    const steps = tasks.map(({ id, dependsOn }) => ({ id, dependsOn, perform }));
    return () => Effect.runPromise(runSteps(steps));
  },

  defineSignup(tally) {
    const { createAccount, tell, audit } = signupServices(tally);
    const signUp = (input: SignupInput): Effect.Effect<void> => {
      const told = {
        dependsOn: ['account'],
        perform: ([account]: readonly unknown[]) => tell(input, account as Account),
      };
      return runSteps<unknown>([
        { id: 'account', dependsOn: [], perform: () => createAccount(input) },
        { id: 'mail', ...told },
        { id: 'crm', ...told },
        { id: 'sms', ...told },
        { id: 'card', ...told },
        {
          id: 'audit',
          dependsOn: ['mail', 'crm', 'sms', 'card'],
          perform: (outputs) => audit(...(outputs as [number, number, number, number])),
        },
      ]);
    };
    return (inputs, atOnce) => inLanes(inputs, atOnce, (input) => Effect.runPromise(signUp(input)));
  },
};

function runSteps<Output>(steps: readonly Step<Output>[]): Effect.Effect<void> {
  return Effect.gen(function* () {
    const outputs = new Map<string, Deferred.Deferred<Output>>();
    for (const { id } of steps) outputs.set(id, yield* Deferred.make<Output>());
    const outputOf = (id: string) => outputs.get(id) as Deferred.Deferred<Output>;
    const run = ({ id, dependsOn, perform }: Step<Output>) =>
      Effect.gen(function* () {
        const read: Output[] = [];
        for (const dependency of dependsOn) read.push(yield* Deferred.await(outputOf(dependency)));
        yield* Deferred.succeed(outputOf(id), yield* Effect.promise(() => perform(read)));
      });
    yield* Effect.forEach(steps, run, { concurrency: 'unbounded', discard: true });
  });
}
