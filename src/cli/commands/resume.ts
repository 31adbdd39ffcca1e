import { defineCommand } from '../command.ts';
import { moduleOptions, runArgument, storedGroup } from '../stored/store-options.ts';

export const resume = defineCommand({
  name: 'resume',
  summary: 'End the pause of a run; give one that is lost another chance.',
  description:
    "The process that has the run is asked to do it; if none has it, it is done here, and no body is called. The flow's module is loaded only for a run of an earlier topple. Such a run goes on with `topple recover`, or in a program that watches the file.",
  group: storedGroup,
  argument: runArgument,
  options: moduleOptions,
  examples: [['resume order-7 --store runs.sqlite', 'a run of some other process']],
  run: async (id, given, io) =>
    (await import('../stored/steer-run.ts')).steerRun(id, { type: 'resume' }, given, io),
});
