import { choice, defineCommand, number, text, toggle } from '../command.ts';
import { listedStatuses } from '../stored/run-status.ts';
import { storedGroup, storeOption } from '../stored/store-options.ts';

export const list = defineCommand({
  name: 'list',
  summary: 'List the runs that a file keeps, the latest first.',
  description:
    'One line for each run: its status, id, flow, start and duration. A run that is `running` may be under way in some ' +
    'process, or wait for `topple recover`; one that is `lost` killed its process too often.',
  group: storedGroup,
  options: {
    ...storeOption,
    flow: text('NAME', 'only runs of this flow'),
    under: text('ID', 'the child runs of this run, and theirs, in place of the others'),
    status: choice('STATUS', listedStatuses, 'only runs in this status'),
    settled: toggle('only runs that have ended'),
    unsettled: toggle('only runs that have not ended'),
    limit: number('N', 'maximum number of runs (default 50)', { min: 1 }),
    after: number('PLACE', 'the next page: the value that the page before it gave', { min: 1 }),
    json: toggle('print one JSON document: { runs, next }'),
  },
  examples: [
    ['list --store runs.sqlite', 'all runs'],
    ['list --store runs.sqlite --flow nightly --status failed', 'what failed'],
    ['list --store runs.sqlite --under order-7', 'the runs that are bodies of its tasks'],
    ["list --store runs.sqlite --unsettled --json | jq -r '.runs[].id'", 'the ids of unsettled runs'],
  ],
  run: async (_, given, io) => (await import('../stored/list-runs.ts')).listRuns(given, io),
});
