// Runs inside runs, checked by the compiler alone: each line that must not compile says so.

import { createFlow, type ItemScope, type Outcome } from 'topple';
import { fromPromise } from 'xstate';
import { z } from 'zod';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

const publish = createFlow('publish', { input: z.object({ files: z.array(z.string()) }) })
  .task('upload', { perform: ({ input }) => input.files.length })
  .task('index', { dependsOn: ['upload'], perform: ({ deps }) => `${deps.upload}` })
  .output(({ deps }) => ({ url: deps.index }));
const nightly = createFlow('nightly').task('sweep', { perform: () => true });
const resizeOne = createFlow('one', { input: z.string() }).task('size', {
  perform: ({ input }) => input.length,
});

// As the manual begins.
const album = createFlow('album', { input: z.object({ dir: z.string() }) })
  .task('list', { perform: async ({ input }) => [input.dir] })
  .map('resize', {
    dependsOn: ['list'],
    over: ({ deps, input }) => {
      same<typeof deps.list, string[]>(true);
      same<typeof input, { dir: string }>(true);
      return deps.list;
    },
    perform: async ({ item, index, input, deps, attempt, signal }) => {
      same<typeof item, string>(true);
      same<typeof index, number>(true);
      same<typeof input, { dir: string }>(true);
      same<typeof deps.list, string[]>(true);
      return item + deps.list.length + attempt + signal.aborted;
    },
    retry: { maxAttempts: 3 },
    concurrency: 8,
    tolerate: 2,
  })
  .map('name', { over: () => ['a', 'b'], perform: ({ item }) => item.length })
  .flow('publish', {
    flow: publish,
    dependsOn: ['name', 'resize'],
    input: ({ deps, input, outcomes }) => {
      same<typeof deps.resize, (string | undefined)[]>(true);
      same<typeof deps.name, number[]>(true);
      same<typeof outcomes.name, Outcome>(true);
      return { files: [input.dir] };
    },
  })
  .flow('nightly', { flow: nightly, optional: true })
  .task('link', {
    dependsOn: ['publish', 'nightly'],
    perform: ({ deps }) => [deps.publish.url, deps.nightly] as const,
  });

same<
  Awaited<ReturnType<typeof album.run>>,
  {
    readonly list: string[];
    readonly resize: (string | undefined)[];
    readonly name: number[];
    readonly publish: { url: string };
    readonly nightly: { readonly sweep: boolean } | undefined;
    readonly link: readonly [string, { readonly sweep: boolean }];
  }
>(true);

// What a map makes of its list, and of its options.
const maps = createFlow('maps')
  .task('maybe', { skippable: true, perform: () => new Set([1, 2]) })
  .map('promised', { over: async () => new Map([['a', 1]]), perform: ({ item }) => item })
  .map('skipping', { over: () => [1], skippable: true, perform: ({ item }) => item })
  .map('strict', { over: () => [1], tolerate: 0, perform: ({ item }) => item })
  .map('share', { over: () => [1], tolerate: { share: 0.1 }, perform: ({ item }) => item })
  .map('checked', { over: () => [1], output: z.number().transform(String), perform: ({ item }) => item })
  .map('behind', { dependsOn: ['maybe'], over: ({ deps }) => deps.maybe, perform: ({ item }) => item })
  .map('any', {
    dependsOn: ['maybe'],
    triggerRule: 'all_settled',
    over: ({ deps }) => deps.maybe ?? [],
    perform: ({ item, outcomes }) => [item, outcomes.maybe.status] as const,
  })
  .map('extra', { optional: true, over: () => [1], perform: ({ item }) => item })
  .map('runs', { over: () => ['a'], perform: resizeOne })
  .map('made', {
    over: () => [1],
    perform: resizeOne,
    input: async ({ item, index }) => `${item + index}`,
    tolerate: 1,
  });
same<
  Awaited<ReturnType<typeof maps.run>>,
  {
    readonly maybe: Set<number> | undefined;
    readonly promised: [string, number][];
    readonly skipping: (number | undefined)[];
    readonly strict: number[];
    readonly share: (number | undefined)[];
    readonly checked: string[];
    readonly behind: number[] | undefined;
    readonly any: (readonly [number, import('topple').TaskStatus])[];
    readonly extra: number[] | undefined;
    readonly runs: { readonly size: number }[];
    readonly made: ({ readonly size: number } | undefined)[];
  }
>(true);

// A loop over data leaves the flow of its type.
let looped = createFlow('looped').task('a', { perform: () => 1 });
for (const name of ['x', 'y']) {
  looped = looped.flow(`flow ${name}`, { flow: nightly, dependsOn: ['a'] });
  looped = looped.map(`map ${name}`, { over: () => [1], perform: ({ item }) => item });
}

const base = createFlow('base')
  .task('text', { perform: () => 'text' })
  .task('list', { perform: () => [1, 2] });

// Wrong names.
// @ts-expect-error: no such task
base.flow('x', { flow: nightly, dependsOn: ['txet'] });
// @ts-expect-error: no such task
base.map('x', { dependsOn: ['txet'], over: () => [1], perform: () => 1 });
// @ts-expect-error: not one of its dependencies
base.map('x', { over: ({ deps }) => deps.list, perform: () => 1 });
// @ts-expect-error: no such rule
base.flow('x', { flow: nightly, triggerRule: 'all_good' });

// Wrong inputs.
// @ts-expect-error: the flow needs an input
base.flow('x', { flow: publish });
// @ts-expect-error: not what the schema takes
base.flow('x', { flow: publish, input: () => ({ files: [1] }) });
// @ts-expect-error: not what the schema takes
base.flow('x', { flow: publish, dependsOn: ['text'], input: ({ deps }) => ({ files: deps.text }) });
// @ts-expect-error: not a flow
base.flow('x', { flow: 'publish' });
// @ts-expect-error: no list
base.map('x', { over: () => 5, perform: () => 1 });
// @ts-expect-error: a text is no list
base.map('x', { over: () => 'abc', perform: () => 1 });
// @ts-expect-error: no list either
base.map('x', { over: async function* () {}, perform: () => 1 });
// @ts-expect-error: the items are no input of the flow
base.map('x', { over: () => [1], perform: resizeOne });
// @ts-expect-error: nor is what it is made of them
base.map('x', { over: () => [1], perform: resizeOne, input: ({ item }) => item });
// @ts-expect-error: a function needs no input
base.map('x', { over: () => [1], perform: () => 1, input: () => 1 });

// The list may be made of what came before.
const sizes = base
  .map('sizes', { dependsOn: ['list'], over: ({ deps }) => deps.list.map(String), perform: resizeOne })
  .map('made', {
    dependsOn: ['list'],
    over: ({ deps }) => deps.list,
    perform: resizeOne,
    input: ({ item, deps }) => `${item.toFixed()} of ${deps.list.length}`,
  });
same<Awaited<ReturnType<typeof sizes.run>>['sizes'], { readonly size: number }[]>(true);
// @ts-expect-error: the items are no input of the flow
base.map('x', { dependsOn: ['list'], over: ({ deps }) => deps.list, perform: resizeOne });

// Options of other tasks, or of none.
// @ts-expect-error: the tasks of the flow take slots, this one does not
base.flow('x', { flow: nightly, pool: 'disk' });
// @ts-expect-error: unknown option
base.flow('x', { flow: nightly, depnedsOn: ['text'] });
// @ts-expect-error: the flow has a limit of its own
base.flow('x', { flow: nightly, concurrency: 2 });
// @ts-expect-error: unknown option
base.map('x', { over: () => [1], perform: () => 1, tolerat: 1 });
// @ts-expect-error: a share is a number
base.map('x', { over: () => [1], perform: () => 1, tolerate: { share: '10 %' } });
// @ts-expect-error: no body
base.map('x', { over: () => [1] });
// @ts-expect-error: no list
base.map('x', { perform: () => 1 });
// @ts-expect-error: a flow is no body of a task
base.task('x', { flow: nightly });
// @ts-expect-error: nor is its logic
base.task('x', { actor: nightly.logic });
// @ts-expect-error: nor is its machine
base.task('x', { actor: nightly.machine });

// Bodies in place of runs.
album.provide({
  publish: { perform: ({ deps }) => ({ url: `${deps.name.length}` }) },
  nightly: { flow: createFlow('quick').task('sweep', { perform: () => false }) },
  resize: { over: () => ['x'], perform: ({ item, index }) => item + index },
  name: { perform: createFlow('length', { input: z.string() }).output(() => 5) },
});
album.provide({ publish: { actor: fromPromise(async () => ({ url: 'x' })) } });
album.provide({
  publish: { tasks: { upload: { perform: ({ input }) => Object.keys(input as object).length } } },
});
album.provide({
  publish: { flow: publish.provide({ upload: { perform: ({ input }) => input.files.length } }) },
});

maps.provide({ runs: { tasks: { size: { perform: () => 5 } } } });
// @ts-expect-error: not the output of that task
maps.provide({ runs: { tasks: { size: { perform: () => 'five' } } } });
// @ts-expect-error: not the output of the flow
album.provide({ publish: { perform: () => 5 } });
// @ts-expect-error: a flow with another output
album.provide({ publish: { flow: nightly } });
// @ts-expect-error: not the output of an item
album.provide({ resize: { perform: () => 5 } });
// @ts-expect-error: not the list
album.provide({ resize: { over: () => [1] } });
// @ts-expect-error: no such task in that flow
album.provide({ publish: { tasks: { uplaod: { perform: () => 1 } } } });
// @ts-expect-error: its items are no runs
album.provide({ resize: { tasks: {} } });

const scope = {} as ItemScope<string>;
same<typeof scope.item, string>(true);
