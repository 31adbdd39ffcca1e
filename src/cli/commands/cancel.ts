import { defineCommand } from '../command.ts';
import { moduleOptions, reasonOption, runArgument, storedGroup } from '../stored/store-options.ts';

export const cancel = defineCommand({
  name: 'cancel',
  summary: 'End a run early: nothing more of it starts.',
  description:
    "What is under way is aborted, and has its `graceMs` to end. The process that has the run is asked to do it, and answers within a second or so; if none has it, it is done here, and no body is called. The flow's module is loaded only for a run of an earlier topple.",
  group: storedGroup,
  argument: runArgument,
  options: { ...moduleOptions, ...reasonOption },
  examples: [["cancel order-7 --store runs.sqlite --reason 'out of stock'", 'with a reason, which is kept']],
  run: async (id, given, io) =>
    (await import('../stored/steer-run.ts')).steerRun(
      id,
      { type: 'cancel', reason: given.reason },
      given,
      io,
    ),
});
