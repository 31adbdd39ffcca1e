import fastq, { type queue } from 'fastq';
import { type Engine, inLanes } from './engine.ts';

interface Node {
  readonly run: () => Promise<unknown>;
  readonly dependents: Node[];
  waitsFor: number;
}

/** A queue, and for each task a count of unfinished dependencies: the last of them pushes it. */
export const engine: Engine = {
  passesOutputs: false,

  defineGraph(tasks, tally) {
    const nodes = new Map<string, Node>();
    for (const { id, dependsOn } of tasks) {
      nodes.set(id, { run: async () => tally.ran(id), dependents: [], waitsFor: dependsOn.length });
    }
    for (const { id, dependsOn } of tasks) {
      for (const dependency of dependsOn) nodes.get(dependency)?.dependents.push(nodes.get(id) as Node);
    }
    return () => runAll(makeQueue(), [...nodes.values()]);
  },

  defineSignup(tally) {
    const waiting = makeQueue();
    const serve = async (id: string, _email: string): Promise<unknown> => tally.ran(id);
    return (inputs, atOnce) =>
      inLanes(inputs, atOnce, ({ email }) => {
        const audit: Node = { run: () => serve('audit', email), dependents: [], waitsFor: 4 };
        const told = ['mail', 'crm', 'sms', 'card'].map(
          (id): Node => ({ run: () => serve(id, email), dependents: [audit], waitsFor: 1 }),
        );
        const account: Node = { run: () => serve('account', email), dependents: told, waitsFor: 0 };
        return runAll(waiting, [account, ...told, audit]);
      });
  },
};

type Queue = queue<Node, undefined>;

function makeQueue(): Queue {
  return fastq((node: Node, done: (error: Error | null) => void) => {
    node.run().then(() => done(null), done);
  }, Number.POSITIVE_INFINITY);
}

function runAll(waiting: Queue, nodes: readonly Node[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = nodes.length;
    const push = (node: Node): void => {
      waiting.push(node, (error) => {
        if (error !== null) return reject(error);
        for (const dependent of node.dependents) {
          if (--dependent.waitsFor === 0) push(dependent);
        }
        if (--left === 0) resolve();
      });
    };
    for (const node of nodes) {
      if (node.waitsFor === 0) push(node);
    }
  });
}
