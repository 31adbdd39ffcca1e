// Checked by the compiler alone: each line that must not compile says so.

import { type Clock, createEngine, createFlow, type PerformScope, type Run, type RunResult } from 'topple';
import { createVirtualClock } from 'topple/testing';
import {
  createActor,
  fromPromise,
  type InputFrom,
  type OutputFrom,
  SimulatedClock,
  setup,
  toPromise,
} from 'xstate';
import { z } from 'zod';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

const machine = setup({ types: { input: {} as { n: number }, output: {} as string } }).createMachine({});

const flow = createFlow('types', { input: z.object({ n: z.coerce.number<string>() }) })
  .task('plain', {
    perform: ({ input, deps, attempt }) => {
      same<typeof input, { n: number }>(true);
      // biome-ignore lint/complexity/noBannedTypes: a task without dependencies has no outputs to look at.
      same<typeof deps, {}>(true);
      return attempt;
    },
  })
  .task('later', { dependsOn: ['plain'], perform: async ({ deps }) => ({ twice: deps.plain * 2 }) })
  .task('checked', { output: z.string().transform((text) => text.length), perform: () => 'text' })
  .task('maybe', { skippable: true, perform: () => 'maybe' })
  .task('sms', { optional: true, perform: () => 1 })
  .task('behind', { dependsOn: ['maybe', 'plain'], perform: ({ deps }) => [deps.maybe, deps.plain] as const })
  .task('all', {
    dependsOn: ['maybe', 'later'],
    triggerRule: 'all_settled',
    perform: ({ deps, outcomes }) => {
      same<
        typeof deps,
        { readonly maybe?: string | undefined; readonly later?: { twice: number } | undefined }
      >(true);
      same<keyof typeof outcomes, 'maybe' | 'later'>(true);
      // @ts-expect-error: the output may be missing
      deps.later.twice;
      // @ts-expect-error: not a dependency
      outcomes.plain;
      return outcomes.maybe.status;
    },
  })
  .task('rescue', { dependsOn: ['plain'], triggerRule: 'one_failed', perform: () => 'rescued' })
  .task('promise', {
    dependsOn: ['plain'],
    actor: fromPromise(async ({ input }: { input: number }) => `${input}`),
    input: ({ deps }) => deps.plain,
  })
  .task('machine', {
    dependsOn: ['promise'],
    actor: machine,
    input: ({ deps }) => ({ n: deps.promise.length }),
  });

flow.task('x', {
  dependsOn: ['plain'],
  // @ts-expect-error: not one of its dependencies
  perform: ({ deps }) => deps.later,
});
// @ts-expect-error: no such task
flow.task('x', { dependsOn: ['plian'], perform: () => 1 });
// @ts-expect-error: no such rule
flow.task('x', { triggerRule: 'all_good', perform: () => 1 });
// @ts-expect-error: no body
flow.task('x', { dependsOn: ['plain'] });
// @ts-expect-error: the machine wants a number
flow.task('x', { actor: machine, input: () => ({ n: 'one' }) });

const outputs = await flow.run({ n: '1' });
same<
  typeof outputs,
  {
    readonly plain: number;
    readonly later: { twice: number };
    readonly checked: number;
    readonly maybe: string | undefined;
    readonly sms: number | undefined;
    readonly behind: readonly [string, number] | undefined;
    readonly all: import('topple').TaskStatus;
    readonly rescue: string | undefined;
    readonly promise: string;
    readonly machine: string;
  }
>(true);
// @ts-expect-error: no such output
outputs.nobody;

// In a run that is done, only a skip makes the output of a task that is not optional missing.
const flaky = createFlow('flaky')
  .task('sms', { optional: true, perform: () => 1 })
  .task('log', { dependsOn: ['sms'], optional: true, perform: () => 1 })
  .task('maybe', { skippable: true, perform: () => 1 })
  .task('extra', { dependsOn: ['maybe'], optional: true, perform: () => 1 })
  .task('receipt', { dependsOn: ['sms'], perform: ({ deps }) => deps.sms })
  .task('report', { dependsOn: ['sms', 'maybe'], triggerRule: 'all_settled', perform: () => 1 })
  .task('post', { dependsOn: ['maybe'], triggerRule: 'none_failed', perform: () => 1 })
  .task('file', { dependsOn: ['receipt', 'extra'], perform: () => 1 })
  .task('any', { dependsOn: ['sms', 'log'], triggerRule: 'one_success', perform: () => 1 })
  .task('tried', { dependsOn: ['log'], triggerRule: 'one_settled', perform: () => 1 })
  .task('sure', { dependsOn: ['receipt'], triggerRule: 'one_settled', perform: () => 1 })
  .task('alarm', { dependsOn: ['sms'], triggerRule: 'one_failed', perform: () => 1 })
  .task('either', {
    dependsOn: ['sms'],
    triggerRule: 'all_settled' as 'all_settled' | 'one_failed',
    perform: () => 1,
  });
same<
  Awaited<ReturnType<typeof flaky.run>>,
  {
    readonly sms: number | undefined;
    readonly log: number | undefined;
    readonly maybe: number | undefined;
    readonly extra: number | undefined;
    readonly receipt: number;
    readonly report: number;
    readonly post: number;
    readonly file: number | undefined;
    readonly any: number;
    readonly tried: number | undefined;
    readonly sure: number;
    readonly alarm: number | undefined;
    readonly either: number | undefined;
  }
>(true);
// @ts-expect-error: the schema takes text
flow.run({ n: 1 });
// @ts-expect-error: input is required
flow.run();

const plain = createFlow('plain').task('a', { perform: ({ input }) => input });
await plain.run();
await plain.run({ any: 'thing' });

const made = flow.output(({ deps, input }) => deps.later.twice + input.n);
same<Awaited<ReturnType<typeof made.run>>, number>(true);

const run = await flow.start({ n: '1' }, { id: 'r', concurrency: 2 });
same<typeof run, Run<typeof outputs>>(true);
run.on('task.done', (event) => same<typeof event.output, unknown>(true));
run.on('run.cancelling', ({ cause }) => cause.length);
// @ts-expect-error: no such event
run.on('task.nothing', () => {});
// @ts-expect-error: not of this event
run.on('task.ready', ({ attempt }) => attempt);

same<InputFrom<typeof made.logic>, { n: string }>(true);
same<OutputFrom<typeof made.logic>, RunResult<number>>(true);
const actor = createActor(made.logic, { input: { n: '1' } });
const result = await toPromise(actor);
if (result.status === 'done') same<typeof result.outputs, number>(true);
actor.getSnapshot().context.tasks.plain?.attempts;
actor.on('task.failed', ({ error, taskId }) => [error.message, taskId]);
// @ts-expect-error: the schema takes text
createActor(made.logic, { input: { n: 1 } });

const clock: Clock = createVirtualClock();
createActor(made.logic, { input: { n: '1' }, clock });
createActor(made.logic, {
  input: { n: '1' },
  clock: createVirtualClock(),
  snapshot: actor.getPersistedSnapshot(),
});
createActor(machine, { input: { n: 1 }, clock });
createEngine({ clock: new SimulatedClock() });

flow.provide({
  plain: { perform: ({ input }) => input.n },
  later: { perform: ({ deps }) => ({ twice: deps.plain }) },
});
// @ts-expect-error: not the output of the task
flow.provide({ plain: { perform: () => 'text' } });
// @ts-expect-error: no such task
flow.provide({ nobody: { perform: () => 1 } });

const scope = {} as PerformScope<string, { a: number }>;
same<typeof scope.deps, { a: number }>(true);
