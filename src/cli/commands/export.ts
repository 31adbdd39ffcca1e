import { defineCommand } from '../command.ts';
import { runArgument, storedGroup, storeOption } from '../stored/store-options.ts';

export const exportOf = defineCommand({
  name: 'export',
  summary: 'Print a run with its whole journal, for `topple import`.',
  description:
    'Prints lines of JSON: a header, then each entry. Inputs and outputs are among them, as the file has them.',
  group: storedGroup,
  argument: runArgument,
  options: storeOption,
  examples: [['export order-7 --store runs.sqlite > order-7.ndjson', 'a run as a file']],
  run: async (id, { store }, io) => (await import('../stored/export-run.ts')).exportRun(id, store, io),
});
