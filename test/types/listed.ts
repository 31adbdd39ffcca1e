// Tasks and dependencies that come from data, checked by the compiler alone: each line that must not compile says so.

import { createFlow, createFlowFromGraph, type GraphDefinition, type Outcome } from 'topple';
import { z } from 'zod';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

declare const files: readonly string[];

const base = createFlow('listed')
  .task('setup', { perform: () => 'ready' })
  .task('check', { perform: () => true });

base.task('link', {
  dependsOn: files.map((file) => `compile ${file}`),
  perform: ({ deps, outcomes }) => {
    same<(typeof deps)[string], unknown>(true);
    same<(typeof outcomes)[string], Outcome>(true);
    // @ts-expect-error: the compiler does not know what it is
    deps.setup.length;
    return Object.keys(deps).length;
  },
});

// Those that are written out are known beside those that are not.
base.task('link', {
  dependsOn: ['setup', ...files],
  perform: ({ deps, outcomes }) => {
    same<typeof deps.setup, string>(true);
    same<typeof deps.anything, unknown>(true);
    return [outcomes.setup.status, outcomes.anything?.status];
  },
});
base.task('link', {
  dependsOn: [...files, 'setup'],
  triggerRule: 'all_settled',
  perform: ({ deps }) => same<typeof deps.setup, string | undefined>(true),
});
declare const checks: readonly 'check'[];
base.task('link', {
  dependsOn: ['setup', ...checks],
  perform: ({ deps, outcomes }) => {
    same<typeof deps.setup, string>(true);
    same<typeof deps.check, boolean | undefined>(true);
    same<typeof outcomes.check, Outcome | undefined>(true);
    // @ts-expect-error: not a dependency
    return deps.nobody;
  },
});
base.task('link', {
  dependsOn: ['setup', ...(checks.length > 0 ? ['check'] : [])],
  perform: ({ deps }) => same<typeof deps.setup, string>(true),
});
// @ts-expect-error: no such task
base.task('link', { dependsOn: ['setpu', ...files], perform: () => 1 });
// @ts-expect-error: no such task
base.task('link', { dependsOn: [...files, 'setpu'], perform: () => 1 });

// In a loop a flow stays of its type.
let flow = createFlow('loop').task('setup', { perform: () => 'ready' });
for (const file of files)
  flow = flow.task(`compile ${file}`, { dependsOn: ['setup'], perform: ({ deps }) => deps.setup.length });
const grown = files.reduce((last, file) => last.task(file, { perform: () => file.length }), base);
const done = await grown
  .task('last', { dependsOn: files, perform: ({ deps }) => Object.values(deps).length })
  .run();
// What the compiler does not know may have been skipped.
same<typeof done.last, number | undefined>(true);
same<typeof done.setup, string>(true);

const bodies = Object.fromEntries(files.map((file) => [file, { perform: () => 1 }]));
grown.provide(bodies);
createFlow('plain').provide(bodies);

const run = await grown.start();
run.rerun(files.filter((file) => file.endsWith('.ts')));

// Bodies of a graph, each of its own output.
const graph = createFlowFromGraph(
  { tasks: { size: {}, text: { dependsOn: ['size'] }, wide: { needs: ['size', 'text'] as string[] } } },
  {
    size: () => 7,
    text: async ({ deps }) => {
      same<typeof deps, { readonly size: unknown }>(true);
      return `${deps.size}`;
    },
    wide: { perform: ({ deps }) => same<typeof deps, { readonly [x: string]: unknown }>(true) === undefined },
  },
);
const ofGraph = await graph.run();
same<typeof ofGraph, { readonly size: number; readonly text: string; readonly wide: boolean }>(true);
graph.task('more', { dependsOn: ['size'], perform: ({ deps }) => deps.size.toFixed() });
graph.output(({ deps }) => deps.text.length);
graph.provide({ size: { perform: () => 8 } });
// @ts-expect-error: no number
graph.provide({ size: { perform: () => '8' } });
// @ts-expect-error: not a dependency
createFlowFromGraph({ tasks: { a: {}, b: {} } }, { a: () => 1, b: ({ deps }) => deps.a });
// @ts-expect-error: a task without a body
createFlowFromGraph({ tasks: { a: {}, b: {} } }, { a: () => 1 });
// @ts-expect-error: no such task
createFlowFromGraph({ tasks: { a: {} } }, { a: () => 1, b: () => 1 });

const unsure = await createFlowFromGraph(
  {
    tasks: [
      { id: 'a', optional: true },
      { id: 'b', output: z.string().transform((text) => text.length) },
    ],
  },
  { a: () => 1, b: () => 'text' },
).run();
same<typeof unsure, { readonly a: number | undefined; readonly b: number | undefined }>(true);

const data = JSON.parse('{}') as GraphDefinition;
const ofData = await createFlowFromGraph(data, { a: () => 1, b: () => 'text' }).run();
same<typeof ofData.a, number | undefined>(true);
same<typeof ofData.b, string | undefined>(true);
const ofList = await createFlowFromGraph(data, new Map(files.map((file) => [file, () => file.length]))).run();
same<typeof ofList, Record<string, number>>(true);
const byOne = await createFlowFromGraph(data, ({ taskId }) => taskId.length).run();
same<typeof byOne, Record<string, number>>(true);
const said = await createFlowFromGraph<number>(data, { a: ({ deps }) => deps.b ?? 1 }).run();
same<typeof said, Record<string, number>>(true);
const byId = await createFlowFromGraph(
  data,
  Object.fromEntries(files.map((file) => [file, () => file.length])),
).run();
same<(typeof byId)[string], number | undefined>(true);
