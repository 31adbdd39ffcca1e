import { defineCommand } from '../command.ts';
import { moduleOptions, runArgument, storedGroup } from '../stored/store-options.ts';

export const pause = defineCommand({
  name: 'pause',
  summary: 'Start no more tasks of a run until it is resumed.',
  description:
    "What is under way goes on, and so do time limits. The process that has the run is asked to do it; if none has it, it is done here, and no body is called. The flow's module is loaded only for a run of an earlier topple.",
  group: storedGroup,
  argument: runArgument,
  options: moduleOptions,
  examples: [['pause order-7 --store runs.sqlite', 'a run of some other process']],
  run: async (id, given, io) =>
    (await import('../stored/steer-run.ts')).steerRun(id, { type: 'pause' }, given, io),
});
