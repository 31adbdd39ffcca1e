import { defineCommand, file, text } from '../command.ts';
import { moduleOptions, runArgument, storedGroup } from '../stored/store-options.ts';

export const deliver = defineCommand({
  name: 'deliver',
  summary: 'Give a value to a task of a run that waits for one.',
  description:
    'The value is JSON; without one, the task gets `undefined`. The process that has the run takes it; if none has it, it is kept here, no body is called, and the run goes on once it is recovered. For that the module of the flow is loaded, whose schema checks the value. Prints `delivered`, or `already` if the task has had a value of the same key.',
  group: storedGroup,
  argument: runArgument,
  rest: {
    name: 'TASK [VALUE]',
    summary: 'the id of the task, after those that lead to its run: `publish/approval`; and the value',
  },
  options: {
    ...moduleOptions,
    file: file('FILE', 'read the value from this file; `-` is standard input'),
    key: text('TEXT', 'what the value is known by: repeated with the same key, it is delivered once'),
  },
  examples: [
    [`deliver order-7 approval '{"by":"ada"}' --store runs.sqlite`, 'a value'],
    ['deliver order-7 approval --file answer.json --key mail-12', 'from a file, once for this key'],
  ],
  run: async (id, given, io, words) =>
    (await import('../stored/deliver-value.ts')).deliverValue(id, words, given, io),
});
