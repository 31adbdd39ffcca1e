import fastq, { type queue } from 'fastq';
import { type Engine, inLanes } from './engine.ts';

interface Node {
  readonly run: () => Promise<unknown>;
  readonly dependents: Node[];
  waitsFor: number;
}

/** A queue whose tasks push those that waited for them alone: fastq with a count for each task. */
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
    return () => runAll(nodes.values());
  },

  defineSignup(tally) {
    const serve = async (id: string, _email: string): Promise<unknown> => tally.ran(id);
    return (inputs, atOnce) =>
      inLanes(inputs, atOnce, ({ email }) => {
        const audit: Node = { run: () => serve('audit', email), dependents: [], waitsFor: 4 };
        const told = ['mail', 'crm', 'sms', 'card'].map(
          (id): Node => ({ run: () => serve(id, email), dependents: [audit], waitsFor: 1 }),
        );
        const account: Node = { run: () => serve('account', email), dependents: told, waitsFor: 0 };
        return runAll([account, ...told, audit]);
      });
  },
};

function runAll(nodes: Iterable<Node>): Promise<void> {
  return new Promise((resolve, reject) => {
    const onDone = (error: Error | null): void => {
      if (error !== null) reject(error);
    };
    const waiting: queue<Node, undefined> = fastq((node: Node, done: (error: Error | null) => void) => {
      node.run().then(() => {
        for (const dependent of node.dependents) {
          if (--dependent.waitsFor === 0) waiting.push(dependent, onDone);
        }
        done(null);
      }, done);
    }, Number.POSITIVE_INFINITY);

    waiting.drain = resolve;
    for (const node of nodes) {
      if (node.waitsFor === 0) waiting.push(node, onDone);
    }
  });
}
