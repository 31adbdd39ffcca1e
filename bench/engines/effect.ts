import * as Effect from 'effect/Effect';
import * as Fiber from 'effect/Fiber';
import * as Graph from 'effect/Graph';
import type { SignupInput } from '../workloads.ts';
import { type Engine, inLanes } from './engine.ts';
import { type Account, signupServices } from './signup.ts';

interface Step<Output> {
  readonly id: string;
  readonly dependsOn: readonly string[];
  readonly perform: (outputs: readonly Output[]) => Promise<Output>;
}

/**
 * Effect's own graph of the tasks, which may come in any order and must have no cycle; and a fiber for each task, forked
 * in the graph's order, which joins the fibers of its dependencies.
 */
export const engine: Engine = {
  passesOutputs: true,

  defineGraph(tasks, tally) {
    const perform = async (outputs: readonly number[]): Promise<number> =>
      tally.returned(outputs.reduce((sum, output) => (sum + output) | 0, 1));
    const steps = inOrder(tasks.map(({ id, dependsOn }) => ({ id, dependsOn, perform })));
    return () => Effect.runPromise(runInOrder(steps));
  },

  defineSignup(tally) {
    const { createAccount, tell, audit } = signupServices(tally);

    const signUp = (input: SignupInput): Effect.Effect<unknown> => {
      const toldOf = (id: string): Step<unknown> => ({
        id,
        dependsOn: ['account'],
        perform: ([account]) => tell(input, account as Account),
      });
      const steps: Step<unknown>[] = [
        { id: 'account', dependsOn: [], perform: () => createAccount(input) },
        toldOf('mail'),
        toldOf('crm'),
        toldOf('sms'),
        toldOf('card'),
        {
          id: 'audit',
          dependsOn: ['mail', 'crm', 'sms', 'card'],
          perform: (outputs) => audit(...(outputs as [number, number, number, number])),
        },
      ];
      return runInOrder(inOrder(steps));
    };
    return (inputs, atOnce) => inLanes(inputs, atOnce, (input) => Effect.runPromise(signUp(input)));
  },
};

function inOrder<Output>(steps: readonly Step<Output>[]): readonly Step<Output>[] {
  const graph = Graph.directed<Step<Output>, undefined>((edit) => {
    const nodes = new Map(steps.map((step) => [step.id, Graph.addNode(edit, step)]));
    const nodeOf = (id: string) => nodes.get(id) as Graph.NodeIndex;
    for (const { id, dependsOn } of steps) {
      for (const dependency of dependsOn) Graph.addEdge(edit, nodeOf(dependency), nodeOf(id), undefined);
    }
  });
  return [...Graph.values(Graph.topo(graph))];
}

function runInOrder<Output>(steps: readonly Step<Output>[]): Effect.Effect<unknown> {
  return Effect.gen(function* () {
    const fibers = new Map<string, Fiber.Fiber<Output>>();
    for (const { id, dependsOn, perform } of steps) {
      const outputs = Fiber.joinAll(
        dependsOn.map((dependency) => fibers.get(dependency) as Fiber.Fiber<Output>),
      );
      const performed = Effect.flatMap(outputs, (read) => Effect.promise(() => perform(read)));
      fibers.set(id, yield* Effect.forkChild(performed));
    }
    return yield* Fiber.joinAll(fibers.values());
  });
}
