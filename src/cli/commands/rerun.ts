import { defineCommand } from '../command.ts';
import { supervised } from '../run/supervised.ts';
import { goOnOptions } from '../stored/go-on-options.ts';
import { runArgument, storedGroup } from '../stored/store-options.ts';

export const rerun = defineCommand({
  name: 'rerun',
  summary: 'Run tasks of a run that has ended again, under the same id.',
  description:
    'Runs the given tasks and everything downstream of them again; without any, those that are not done or skipped, or ' +
    'all if there is none. Idempotency keys stay the same, so an effect that has happened is found again.',
  group: storedGroup,
  argument: runArgument,
  rest: { name: 'TASK', summary: 'ids of tasks' },
  options: goOnOptions,
  examples: [
    ['rerun order-7 --store runs.sqlite', 'what failed'],
    ['rerun order-7 mail --store runs.sqlite', 'one task and what depends on it'],
  ],
  run: (id, given, io, taskIds) =>
    supervised(io, async () => (await import('../stored/run-again.ts')).rerunRun(id, taskIds, given, io)),
});
