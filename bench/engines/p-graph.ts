import { type DependencyList, PGraph, type PGraphNode } from 'p-graph';
import { type Engine, inLanes } from './engine.ts';

export const engine: Engine = {
  passesOutputs: false,

  defineGraph(tasks, tally) {
    const nodes = new Map<string, PGraphNode>();
    const edges: DependencyList = [];
    for (const { id, dependsOn } of tasks) {
      nodes.set(id, {});
      for (const dependency of dependsOn) edges.push([dependency, id]);
    }
    const graph = new PGraph(nodes, edges);
    return () => graph.run({ run: async (id) => tally.ran(id) });
  },

  defineSignup(tally) {
    const edges: DependencyList = [
      ['account', 'mail'],
      ['account', 'crm'],
      ['account', 'sms'],
      ['account', 'card'],
      ['mail', 'audit'],
      ['crm', 'audit'],
      ['sms', 'audit'],
      ['card', 'audit'],
    ];
    const serve = async (id: string, _email: string): Promise<unknown> => tally.ran(id);
    return (inputs, atOnce) =>
      inLanes(inputs, atOnce, ({ email }) => {
        const nodes = {
          account: { run: () => serve('account', email) },
          mail: { run: () => serve('mail', email) },
          crm: { run: () => serve('crm', email) },
          sms: { run: () => serve('sms', email) },
          card: { run: () => serve('card', email) },
          audit: { run: () => serve('audit', email) },
        };
        return new PGraph(nodes, edges).run();
      });
  },
};
