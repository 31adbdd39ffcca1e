import { defineCommand, file, number, text, toggle } from '../command.ts';
import { flowArgument, flowOptions, force } from '../flow-options.ts';
import { isModule } from '../load/is-module.ts';
import { keepsRule, parseNumber } from '../number-rule.ts';

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000 };

const timeout = {
  takes: 'TIME',
  summary: 'end the run after this time: milliseconds, or with a unit: 500ms, 30s, 5m, 2h',
  expects: (given: string) =>
    parseTime(given) > Number.MAX_SAFE_INTEGER
      ? `a time of at most ${Number.MAX_SAFE_INTEGER} ms`
      : 'a time of at least 1 ms, such as `30s` or `500` (milliseconds)',
  read: (given: string): number | undefined => {
    const ms = parseTime(given);
    return keepsRule(ms, { min: 1 }) ? ms : undefined;
  },
} as const;

function parseTime(text: string): number {
  const [, amount = '', unit = 'ms'] = /^(\d+(?:\.\d+)?)(ms|s|m|min|h)?$/.exec(text) ?? [];
  return Math.round(parseNumber(amount) * (units[unit] as number));
}

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
    timeout,
    dryRun: toggle('show the tasks that would run, layer by layer, and run nothing'),
    watch: toggle('run again when the file or one of its imports changes'),
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
    const { watchFlow } = given.watch ? await import('../run/watch.ts') : {};
    if (watchFlow !== undefined) return watchFlow(path, given.input, io);
    if (io.isOwnProcess && isModule(path) && !given.dryRun) {
      const { isDebugged, superviseRun } = await import('../run/supervise.ts');
      if (!isDebugged(io.env)) return superviseRun(io);
    }
    const { runFlow } = await import('../run/run-flow.ts');
    return runFlow(path, given, io);
  },
});
