// A library that exports flows and what is made of them, none of which says its type.

import { createEngine, createFlow, createFlowFromGraph, type GraphDefinition } from 'topple';
import { chain, exponential, fixed, fromError } from 'topple/retry';
import { z } from 'zod';

export const flow = createFlow('exported', {
  input: z.object({ n: z.coerce.number<string>() }),
  graceMs: 100,
})
  .task('plain', { perform: ({ input }) => input.n })
  .task('checked', { output: z.string().transform((text) => text.length), perform: () => 'text' })
  .task('maybe', { skippable: true, perform: () => 'maybe' })
  .task('sms', { optional: true, retry: { maxAttempts: 2, backoff: fixed(1) }, perform: async () => 1 })
  .task('behind', { dependsOn: ['maybe', 'plain'], perform: ({ deps }) => [deps.maybe, deps.plain] as const })
  .task('all', {
    dependsOn: ['maybe', 'sms'],
    triggerRule: 'all_settled',
    perform: ({ deps, outcomes }) => ({ sms: deps.sms, status: outcomes.maybe.status }),
  });

export const returning = flow.output(({ deps, input }) => ({ text: deps.behind, n: input.n }));
export const provided = flow.provide({ plain: { perform: () => 7 } });
export const { logic, graph, definition } = returning;
export const interpreted = flow.machine;
export const start = () => flow.start({ n: '1' });
export const run = () => returning.run({ n: '1' });
export const makeFlow = (name: string) =>
  createFlow(name).task('only', { perform: ({ attempt }) => attempt });
export const grow = (files: readonly string[]) =>
  files
    .reduce((last, file) => last.task(file, { perform: () => file.length }), createFlow('grown'))
    .task('link', { dependsOn: files, perform: ({ deps, outcomes }) => ({ deps, outcomes }) });
export const partly = (files: readonly string[]) =>
  flow.task('partly', {
    dependsOn: ['plain', ...files],
    perform: ({ deps, outcomes }) => ({ deps, outcomes }),
  });

export const ofGraph = createFlowFromGraph(
  { tasks: { a: {}, b: { dependsOn: ['a'] } } },
  { a: () => 1, b: async ({ deps }) => `${deps.a}` },
);
export const ofData = (data: GraphDefinition) => createFlowFromGraph(data, { a: () => 1, b: () => 'text' });
export const ofList = (data: GraphDefinition) => createFlowFromGraph(data, ({ taskId }) => taskId.length);

export const engine = createEngine({ concurrency: 4, pools: { db: 2 } });
export const bound = engine.logic(flow);
export const startOnEngine = () => engine.start(returning, { n: '1' }, { id: 'one' });
export const strategies = {
  backoff: chain(fixed(1), exponential({ initialMs: 100 })),
  other: fromError(() => 1),
};
