import * as Effect from 'effect/Effect';
import * as Fiber from 'effect/Fiber';
import * as Graph from 'effect/Graph';
import type { Tally } from '../tally.ts';
import type { SignupInput, Task } from '../workloads.ts';
import { type Engine, inLanes } from './engine.ts';
import { type Account, signupServices } from './signup.ts';

interface Step extends Task {
  readonly perform: (outputs: readonly unknown[]) => Promise<unknown>;
}

/**
 * Effect's own graph of the tasks, which may come in any order but must have no cycle. Each task has a fiber, forked in
 * the graph's order, that joins the fibers of its dependencies.
 */
export const engine: Engine = {
  passesOutputs: true,

  defineGraph(tasks, tally) {
    const ordered = inOrder(tasks);
    return () => Effect.runPromise(forkInOrder(ordered, addUp(tally)));
  },

  defineSignup(tally) {
    const { createAccount, tell, audit } = signupServices(tally);

    const signUp = (input: SignupInput): Effect.Effect<unknown> => {
      const toldOf = (id: string): Step => ({
        id,
        dependsOn: ['account'],
        perform: ([account]) => tell(input, account as Account),
      });
      const steps: Step[] = [
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
      return forkInOrder(inOrder(steps), (outputs: Effect.Effect<unknown[]>, { perform }) =>
        Effect.flatMap(outputs, (read) => Effect.promise(() => perform(read))),
      );
    };
    return (inputs, atOnce) => inLanes(inputs, atOnce, (input) => Effect.runPromise(signUp(input)));
  },
};

/** The body of each task, applied to the outputs of its dependencies. */
export function addUp(tally: Tally): (outputs: Effect.Effect<number[]>) => Effect.Effect<number> {
  const body = async (outputs: readonly number[]): Promise<number> =>
    tally.returned(outputs.reduce((sum, output) => (sum + output) | 0, 1));
  const perform = (outputs: readonly number[]): Effect.Effect<number> => Effect.promise(() => body(outputs));
  return (outputs) => Effect.flatMap(outputs, perform);
}

function inOrder<Each extends Task>(tasks: readonly Each[]): readonly Each[] {
  const graph = Graph.directed<Each, undefined>((edit) => {
    const nodes = new Map(tasks.map((task) => [task.id, Graph.addNode(edit, task)]));
    const nodeOf = (id: string) => nodes.get(id) as Graph.NodeIndex;
    for (const { id, dependsOn } of tasks) {
      for (const dependency of dependsOn) Graph.addEdge(edit, nodeOf(dependency), nodeOf(id), undefined);
    }
  });
  return [...Graph.values(Graph.topo(graph))];
}

/** Forks a fiber for each task, which joins the fibers of its dependencies; these must come before it. */
export function forkInOrder<Each extends Task, Output>(
  tasks: readonly Each[],
  perform: (outputs: Effect.Effect<Output[]>, task: Each) => Effect.Effect<Output>,
): Effect.Effect<unknown> {
  return Effect.gen(function* () {
    const fibers = new Map<string, Fiber.Fiber<Output>>();
    for (const task of tasks) {
      const outputs = Fiber.joinAll(
        task.dependsOn.map((dependency) => fibers.get(dependency) as Fiber.Fiber<Output>),
      );
      fibers.set(task.id, yield* Effect.forkChild(perform(outputs, task)));
    }
    return yield* Fiber.joinAll(fibers.values());
  });
}
