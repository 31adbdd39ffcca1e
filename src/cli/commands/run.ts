import { UsageError } from '../cli-error.ts';
import { defineCommand, file, number, text, toggle } from '../command.ts';
import { flowArgument, flowOptions, force } from '../flow-options.ts';
import { isModule } from '../load/is-module.ts';
import { time } from '../time-option.ts';

export const run = defineCommand({
  name: 'run',
  summary: 'Run a flow and show its progress.',
  description:
    'Standard error gets a live picture, or without a terminal a line for each event, and a summary at the end. ' +
    "Standard output gets the result of the flow's `output`, as JSON. Tasks of a graph file take their `duration` in " +
    'real time, and fail and skip as the file says. The first Ctrl-C lets running tasks finish and starts no others; ' +
    'the second aborts them. With `--store` the run then stays in its file, and can go on.',
  argument: flowArgument,
  options: {
    ...flowOptions,
    store: file('FILE', 'keep the run in this file, so that `topple recover` can continue it'),
    id: text('ID', 'the id of the run (default: a random one)'),
    input: text('JSON', "the run's input: JSON, @FILE for a file of it, or - for standard input"),
    concurrency: number('N', 'attempts at a time (default: set by the flow)', { min: 1 }),
    only: { ...text('ID', 'run only these tasks (ids or globs) and their dependencies'), isList: true },
    skip: { ...text('ID', 'leave out these tasks (ids or globs): they end skipped'), isList: true },
    timeout: time('end the run after this time'),
    dryRun: toggle('show the tasks that would run, layer by layer, and run nothing'),
    watch: toggle('run again when the file or one of its imports changes'),
    inspect: toggle(
      'show the run in a page: that of `topple inspect` on port 8080 if there is one, else its own',
    ),
    inspectLog: file('FILE', "write XState's inspection events to this file, a line of JSON each"),
    outputs: toggle('print the outputs of all tasks by id as JSON, even if the run failed'),
    force,
    json: toggle('print each event as a line of JSON, then the view of the run'),
  },
  examples: [
    ['run release.yaml', 'a graph file'],
    [`run flow.ts --input '{ "id": 42 }' --concurrency 4`, "a module's flow with its input"],
    ["run flow.ts --only deploy --skip 'test-*' --dry-run", 'the tasks that would run'],
    ['run flow.ts --outputs | jq .report', 'the output of one task'],
    ['run flow.ts --store runs.sqlite --id order-7', 'a run that survives its process'],
    ['run flow.ts --flow nightly --json --timeout 10m > run.ndjson', 'for programs'],
  ],
  run: async (path, given, io) => {
    if (given.watch && given.id !== undefined)
      throw new UsageError('`--watch` runs again and again, and no two runs have one `--id`: leave it out.');
    const { watchFlow } = given.watch ? await import('../run/watch.ts') : {};
    if (watchFlow !== undefined) return watchFlow(path, given.input, io);
    const { runFlow } = given.dryRun || !isModule(path) ? await import('../run/run-flow.ts') : {};
    if (runFlow !== undefined) return runFlow(path, given, io);
    const { supervised } = await import('../run/supervised.ts');
    return supervised(io, async () => (await import('../run/run-flow.ts')).runFlow(path, given, io));
  },
});
