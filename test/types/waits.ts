import { createFlow, type Run } from 'topple';
import { z } from 'zod';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

const person = z.object({ by: z.string() });

const flow = createFlow('waits', { input: z.object({ at: z.number() }) })
  .task('first', { perform: () => 1 })
  .waitFor('approval', { dependsOn: ['first'], schema: person, timeoutMs: 5 })
  .waitFor('any')
  .waitFor('skips', { schema: person, timeoutMs: 5, onTimeout: 'skip' })
  .waitFor('says', { schema: person, timeoutMs: 5, onTimeout: { value: 'none' } })
  .sleep('nap', { ms: 5, dependsOn: ['approval'] })
  .sleep('until', { dependsOn: ['first'], until: ({ input, deps }) => new Date(input.at + deps.first) })
  .task('branch', {
    dependsOn: ['approval', 'nap'],
    when: ({ deps, input, outcomes, signal }) => {
      same<string, typeof deps.approval.by>(true);
      same<number, typeof deps.nap>(true);
      same<number, typeof input.at>(true);
      return outcomes.nap.status === 'done' && !signal.aborted;
    },
    perform: ({ deps }) => deps.approval.by,
  })
  .task('late', { when: async () => true, perform: () => 2 })
  .map('items', { over: () => [1], perform: () => 'x', when: () => true })
  .flow('child', { flow: createFlow('inner').task('a', { perform: () => 1 }), when: () => false })
  .task('join', {
    dependsOn: ['branch', 'late', 'skips'],
    triggerRule: 'none_failed_min_one_success',
    perform: ({ deps }) => {
      same<string | undefined, typeof deps.branch>(true);
      same<{ by: string } | undefined, typeof deps.skips>(true);
      return deps.late;
    },
  })
  .task('behind', { dependsOn: ['branch', 'says'], perform: ({ deps }) => deps.branch.length });

export async function outputs() {
  const made = await flow.run({ at: 1 });
  same<{ by: string }, typeof made.approval>(true);
  same<unknown, typeof made.any>(true);
  same<{ by: string } | undefined, typeof made.skips>(true);
  same<{ by: string } | 'none', typeof made.says>(true);
  same<number, typeof made.nap>(true);
  same<number, typeof made.until>(true);
  same<string | undefined, typeof made.branch>(true);
  same<number | undefined, typeof made.late>(true);
  same<string[] | undefined, typeof made.items>(true);
  same<number | undefined, typeof made.behind>(true);
}

export async function deliveries(run: Run) {
  const answer = await run.deliver('approval', { by: 'ada' }, { key: 'k' });
  same<'delivered' | 'already', typeof answer>(true);
  await run.deliver(['child', 'a'], 1);
}

// @ts-expect-error no such task
flow.waitFor('wrong', { dependsOn: ['frist'] });
// @ts-expect-error no such task
flow.sleep('wrong', { ms: 5, dependsOn: ['frist'] });
// @ts-expect-error either of them
flow.sleep('wrong', { ms: 5, until: () => 5 });
// @ts-expect-error one of them
flow.sleep('wrong', {});
// @ts-expect-error an instant
flow.sleep('wrong', { until: () => '2030-01-01' });
// @ts-expect-error true or false
flow.task('wrong', { when: () => 1, perform: () => 1 });
// @ts-expect-error no such ending
flow.waitFor('wrong', { timeoutMs: 5, onTimeout: 'end' });
// @ts-expect-error a wait is not tried again
flow.waitFor('wrong', { retry: { maxAttempts: 2 } });
// @ts-expect-error no such dependency
flow.task('wrong', { dependsOn: ['nap'], when: ({ deps }) => deps.approval.by === '', perform: () => 1 });

flow.provide({ approval: { perform: () => ({ by: 'ada' }) } });
