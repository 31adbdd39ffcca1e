import { defineCommand, text, toggle } from '../command.ts';
import { flowOptions } from '../flow-options.ts';
import { storedGroup, storeOption } from '../stored/store-options.ts';

export const check = defineCommand({
  name: 'check',
  summary: 'Tell before a deployment which unsettled runs a new version of the code can continue.',
  description:
    'Compares the journal of each run that has not ended with its flow in the modules, changes nothing, and calls no ' +
    'body. Ends with 1 if a run would be refused, or if none of the modules has its flow. Name all modules of the ' +
    'program, or the flows that matter with --flow.',
  group: storedGroup,
  argument: { name: 'MODULE', summary: 'a module that exports flows, or a graph file', isFile: true },
  rest: { name: 'MODULE', summary: 'further modules of the program', isFile: true },
  options: {
    ...storeOption,
    ...flowOptions,
    flow: text('NAME', 'only runs of this flow'),
    adopt: toggle('as a program that recovers with `onFlowChange: "adopt"`: a changed flow is adopted'),
    json: toggle('print one JSON document: { isGood, runs: [{ id, flow, verdict, why }] }'),
  },
  examples: [
    ['check orders.ts --store runs.sqlite', 'before the new orders.ts is deployed'],
    ['check orders.ts mails.ts --store runs.sqlite --json', 'a program with two modules'],
  ],
  run: async (file, given, io, more) =>
    (await import('../stored/check-runs.ts')).checkRuns([file, ...more], given, io),
});
