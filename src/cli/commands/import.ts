import { defineCommand, file, text } from '../command.ts';
import { storedGroup, storeOption } from '../stored/store-options.ts';

export const importOf = defineCommand({
  name: 'import',
  summary: 'Keep an exported run in a file of runs.',
  description:
    'The whole export is checked first, and refused with the place of its first defect. The module that it names is ' +
    'never loaded: name one with --module, here or when the run goes on. A program that watches the file may continue ' +
    'an imported run that has not ended.',
  group: storedGroup,
  argument: { name: 'FILE', summary: 'what `topple export` printed, or - for standard input', isFile: true },
  options: {
    ...storeOption,
    id: text('ID', 'another id for the run'),
    module: file('FILE', 'the module, or graph file, that has its flow: kept with the run'),
    flow: text('NAME', 'the flow, if the module exports several'),
  },
  examples: [
    ['import order-7.ndjson --store runs.sqlite', 'a run from another file'],
    ['import order-7.ndjson --store runs.sqlite --id order-7b --module flow.ts', 'under another id'],
  ],
  run: async (given, options, io) => (await import('../stored/import-run.ts')).importRun(given, options, io),
});
