import { defineCommand, toggle } from '../command.ts';
import { supervised } from '../run/supervised.ts';
import { goOnOptions } from '../stored/go-on-options.ts';
import { runArgument, storedGroup } from '../stored/store-options.ts';

export const recover = defineCommand({
  name: 'recover',
  summary: 'Continue runs whose process has ended.',
  description:
    'Without ID all runs of the file that no process has. What has settled is not done again; attempts that were under ' +
    'way are made again, with the same idempotency keys. The flow of a run is loaded from the module that is kept with ' +
    'it, if you started it in this file; else name the module with --module. With ID also a run that was set aside as ' +
    '`lost`. Ctrl-C leaves the runs in the file again.',
  group: storedGroup,
  argument: { ...runArgument, isOptional: true },
  options: {
    ...goOnOptions,
    adopt: toggle(
      'go on with another version of the flow: what has settled stays, the rest follows the new version',
    ),
  },
  examples: [
    ['recover order-7 --store runs.sqlite', 'one run, shown as `topple run` does'],
    ['recover --store runs.sqlite', 'all, each with a line at its end'],
    ['recover order-7 --store runs.sqlite --module orders.ts', 'a run of a program, or of an import'],
  ],
  run: (id, given, io) =>
    supervised(io, async () => {
      if (id === '') return (await import('../stored/recover-all.ts')).recoverAll(given, io);
      return (await import('../stored/recover-run.ts')).recoverRun(id, given, io);
    }),
});
