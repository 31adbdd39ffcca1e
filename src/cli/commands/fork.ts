import { defineCommand, number, text } from '../command.ts';
import { supervised } from '../run/supervised.ts';
import { goOnOptions } from '../stored/go-on-options.ts';
import { runArgument, storedGroup } from '../stored/store-options.ts';

export const fork = defineCommand({
  name: 'fork',
  summary: 'Start a new run that begins with what had settled in another.',
  description:
    'The other run stays as it is. What settled in it after that moment is done again, with other idempotency keys: its ' +
    'effects happen twice.',
  group: storedGroup,
  argument: runArgument,
  options: {
    ...goOnOptions,
    at: number('SEQ', 'what had settled by this entry of the journal (default: the last)'),
    id: text('ID', 'the id of the new run (default: a random one)'),
    input: text('JSON', 'another input: JSON, @FILE for a file of it, or - for standard input'),
  },
  examples: [
    ['fork order-7 --store runs.sqlite --at 12', 'from entry 12 on: `topple show --events` numbers them'],
    [`fork order-7 --store runs.sqlite --at 1 --input '{ "id": 8 }' --id order-8`, 'with another input'],
  ],
  run: (id, { id: newId, ...given }, io) =>
    supervised(io, async () => (await import('../stored/run-again.ts')).forkRun(id, { ...given, newId }, io)),
});
