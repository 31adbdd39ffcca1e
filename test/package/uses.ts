// What the declarations of the other files say, for a project that refers to them.

import type * as actors from './actors.ts';
import type * as flows from './flows.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

declare const { flow, run, returning, partly, ofGraph, logic }: typeof flows;
const outputs = await flow.run({ n: '1' });
same<typeof outputs.checked, number>(true);
same<typeof outputs.maybe, string | undefined>(true);
same<typeof outputs.behind, readonly [string, number] | undefined>(true);
same<Awaited<ReturnType<typeof run>>, { text: readonly [string, number] | undefined; n: number }>(true);
flow.task('more', { dependsOn: ['plain'], perform: ({ input, deps }) => input.n + deps.plain });
// @ts-expect-error: no such task
flow.task('more', { dependsOn: ['plian'], perform: () => 1 });
// @ts-expect-error: the schema takes text
flow.run({ n: 1 });
returning.provide({ plain: { perform: () => 1 } });
partly([]).output(({ deps }) => deps.partly?.outcomes.plain.status);
const ofBoth = await ofGraph.run();
same<typeof ofBoth, { readonly a: number; readonly b: string }>(true);
same<Parameters<typeof logic.getInitialSnapshot>[1], { n: string }>(true);

declare const { withActors, context }: typeof actors;
const more = await withActors.run({ n: '1' });
same<typeof more.promise, string>(true);
same<typeof context.failures.length, number>(true);
