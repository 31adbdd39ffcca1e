import { defineCommand, number, toggle } from '../command.ts';
import { runArgument, storedGroup, storeOption } from '../stored/store-options.ts';

export const show = defineCommand({
  name: 'show',
  summary: 'Show a run that a file keeps, now or at an earlier moment.',
  description: 'Shows the run as its journal tells it, and loads no module.',
  group: storedGroup,
  argument: runArgument,
  options: {
    ...storeOption,
    at: number('SEQ', 'the run as it was after this entry of its journal, from 1'),
    events: toggle('print the entries of the journal instead, a line each'),
    json: toggle('print the view as a JSON document; with --events an entry a line'),
  },
  examples: [
    ['show order-7 --store runs.sqlite', 'a run'],
    ['show order-7 --store runs.sqlite --events', 'what happened in it'],
    ['show order-7 --store runs.sqlite --at 12 --json', 'how it stood after entry 12'],
  ],
  run: async (id, given, io) => (await import('../stored/show-run.ts')).showRun(id, given, io),
});
